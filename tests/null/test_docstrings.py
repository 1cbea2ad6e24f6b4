"""What every docstring keeps to: an imperative first line, one style of references, and a section for the errors that are raised."""
import ast
import re
from pathlib import Path

import pytest

from keraflow import errors

FOLDER = Path(__file__).parents[2]
FILES = sorted(path for room in ('keraflow', 'backends') for path in (FOLDER / room).rglob('*.py'))
ERRORS = {name for name, value in vars(errors).items()
          if isinstance(value, type) and issubclass(value, errors.KeraFlowError)}
#: Authors, title, venue and year; what is cited of it may follow.
REFERENCE = re.compile(r'\.\. \[\d\] [^"]+, ".+", .+, (19|20)\d\d(, section [\d.]+)?( \([^()]+\))?\.')


#: How a first line begins that names a thing instead of saying what to do.
NOUN = re.compile(r'(the|an?|what|whether|true|those|that|where|from|of|all|how|which|some|any|in|inside|for|as|by|with)\b|[`\d-]', re.IGNORECASE)


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


def own_statements(function):
    """The nodes of a function without those of the functions inside it."""
    todo = list(function.body)
    while todo:
        node = todo.pop()
        yield node
        if not isinstance(node, (ast.FunctionDef, ast.Lambda, ast.ClassDef)):
            todo.extend(ast.iter_child_nodes(node))


def raised(function):
    """The kinds of KeraFlowError that a function raises itself."""
    calls = [node.exc.func for node in own_statements(function) if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call)]
    return {call.id for call in calls if isinstance(call, ast.Name)} & ERRORS


def unsaid(tree):
    """The public functions and methods that raise, and neither say so nor have a class that does."""
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and not node.name.startswith('_'):
            if not section(ast.get_docstring(node) or '', 'Raises'):
                yield from (f'{node.name}.{it.name}' for it in node.body if isinstance(it, ast.FunctionDef) and is_unsaid(it))
        elif isinstance(node, ast.FunctionDef) and is_unsaid(node):
            yield node.name


def is_unsaid(function):
    """Whether a public function raises without a word. A method without a docstring has that of its base."""
    docstring = ast.get_docstring(function) or ''
    is_public = function.name == '__init__' or docstring and not function.name.startswith('_')
    return is_public and raised(function) and not (docstring.startswith('Raise ') or section(docstring, 'Raises'))


def is_attribute(function):
    """Whether a function is a property, whose docstring may name what it is."""
    return any('property' in ast.unparse(one) or ast.unparse(one).endswith('.setter') for one in function.decorator_list)


def nouns(path, tree):
    """The functions whose docstrings do not begin with a verb. A law is a statement, which messages quote."""
    if 'testing' in path.parts:
        return []
    return [node.name for node in documented(tree) if isinstance(node, ast.FunctionDef)
            and not is_attribute(node) and NOUN.match(ast.get_docstring(node))]


@pytest.mark.parametrize('path', FILES, ids=[str(path.relative_to(FOLDER)) for path in FILES])
def test_docstrings(path):
    tree = ast.parse(path.read_text())
    assert [it for node in documented(tree) for it in wrong_references(ast.get_docstring(node))] == []
    assert list(unsaid(tree)) == []
    assert nouns(path, tree) == []
