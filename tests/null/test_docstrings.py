"""What every docstring keeps to: one style of references."""
import ast
import re
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2]
FILES = sorted(path for room in ('keraflow', 'backends') for path in (FOLDER / room).rglob('*.py'))
#: Authors, title, venue and year; what is cited of it may follow.
REFERENCE = re.compile(r'\.\. \[\d\] [^"]+, ".+", .+, (19|20)\d\d(, section [\d.]+)?( \([^()]+\))?\.')


def section(docstring, title):
    """The lines of a numpydoc section, without indentation."""
    found = re.search(rf'^{title}\n-+\n(.*?)(?=\n\n\S[^\n]*\n-+\n|\Z)', docstring, re.DOTALL | re.MULTILINE)
    return found and found[1]


def documented(tree):
    return [node for node in ast.walk(tree)
            if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)) and ast.get_docstring(node)]


def wrong_references(docstring):
    listed = section(docstring, 'References')
    entries = [' '.join(one.split()) for one in re.split(r'\n+(?=\S)', listed)] if listed else []
    return [one for one in entries if not REFERENCE.fullmatch(one)]


@pytest.mark.parametrize('path', FILES, ids=[str(path.relative_to(FOLDER)) for path in FILES])
def test_docstrings(path):
    tree = ast.parse(path.read_text())
    assert [it for node in documented(tree) for it in wrong_references(ast.get_docstring(node))] == []
