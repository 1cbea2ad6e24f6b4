"""The pages are reStructuredText without mistakes, and what they point to is there."""
import ast
import importlib
from pathlib import Path

import docutils.core
import docutils.nodes
import pytest

FOLDER = Path(__file__).parents[2]
PAGES = sorted([*FOLDER.glob('*.rst'), *FOLDER.glob('docs/*.rst')])


def read(text):
    settings = {'report_level': 2, 'halt_level': 5, 'warning_stream': False, 'syntax_highlight': 'none', 'file_insertion_enabled': False}
    return docutils.core.publish_doctree(text, settings_overrides=settings)


def mistakes(text):
    page = read(text)
    return [it.astext() for it in page.parse_messages + page.transform_messages]


@pytest.mark.parametrize('page', PAGES, ids=[page.name for page in PAGES])
def test_page(page):
    assert mistakes(page.read_text()) == []


def test_mistakes_are_found():
    assert 'Malformed table' in mistakes('==  ==\na   b\n==  ==\nlong b\n==  ==\n')[0]
    assert 'Unknown target name' in mistakes('See missing_.\n')[0]
    assert len(PAGES) >= 7


def section(page, title):
    [found] = [one for one in read((FOLDER / page).read_text()).findall(docutils.nodes.section)
               if one.next_node(docutils.nodes.title).astext() == title]
    return found


def quoted(node):
    """The words that a part of a page quotes, as code."""
    return [one.astext() for one in node.findall(docutils.nodes.literal)]


def test_what_a_plugin_is_made_with_is_there():
    modules = ('compiled.', 'contract.', 'deferral.', 'dtypes.', 'layouts.', 'operators.', 'refusals.')
    words = [word for word in quoted(section('docs/plugins.rst', 'What a plugin is made with')) if word.startswith(modules)]
    assert len(words) > 10
    for word in words:
        module, name, *inner = word.split('.')
        module = importlib.import_module(f'keraflow.backend.{module}')
        assert name in module.__all__, word
        assert all(hasattr(getattr(module, name), one) for one in inner), word


# -- the questions of docs/design.rst -----------------------------------------------------------------------------------

def questions():
    """For each question the words that its answer quotes: the room first."""
    items = section('docs/design.rst', 'Where to look').findall(docutils.nodes.definition_list_item)
    return {item[0].astext(): quoted(item[1]) for item in items}


def defined(path):
    """The functions and classes of a file, and the methods of its classes."""
    names = set()
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            names.add(node.name)
        if isinstance(node, ast.ClassDef):
            names |= {f'{node.name}.{one.name}' for one in node.body if isinstance(one, ast.FunctionDef)}
    return names


@pytest.mark.parametrize('question', questions())
def test_a_question_ends_in_one_room(question):
    room, *words = questions()[question]
    place = FOLDER / 'keraflow' / room
    file = place if room.endswith('.py') else None
    for word in words:
        if word.endswith('.py'):
            file = place / word
            assert file.is_file()
        else:
            assert word in defined(file), f'{word} is not in {file}'
    assert file is not None and len(words) >= 2


def test_ten_questions_are_answered():
    assert len(questions()) >= 10
