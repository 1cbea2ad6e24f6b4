"""The pages are reStructuredText without mistakes."""
from pathlib import Path

import docutils.core
import pytest

FOLDER = Path(__file__).parents[2]
PAGES = sorted([*FOLDER.glob('*.rst'), *FOLDER.glob('docs/*.rst')])


def mistakes(text):
    settings = {'report_level': 2, 'halt_level': 5, 'warning_stream': False, 'syntax_highlight': 'none', 'file_insertion_enabled': False}
    page = docutils.core.publish_doctree(text, settings_overrides=settings)
    return [it.astext() for it in page.parse_messages + page.transform_messages]


@pytest.mark.parametrize('page', PAGES, ids=[page.name for page in PAGES])
def test_page(page):
    assert mistakes(page.read_text()) == []


def test_mistakes_are_found():
    assert 'Malformed table' in mistakes('==  ==\na   b\n==  ==\nlong b\n==  ==\n')[0]
    assert 'Unknown target name' in mistakes('See missing_.\n')[0]
    assert len(PAGES) >= 7
