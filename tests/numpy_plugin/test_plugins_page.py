"""docs/plugins.rst: the smallest plugin is one, and the contract is all of it."""
import doctest
import inspect
import re
from pathlib import Path

from keraflow.backend.contract import Backend
from keraflow.testing.contract_laws import public_names

PAGE = Path(__file__).parents[2] / 'docs' / 'plugins.rst'


def test_check_backend_accepts_the_smallest_plugin():
    found = doctest.testfile(str(PAGE), module_relative=False, encoding='utf-8')
    assert found.failed == 0 and found.attempted >= 10


def test_every_method_that_a_plugin_must_have_is_in_the_order():
    text = PAGE.read_text()
    ordered = text[text.index('The contract, in order'):text.index('What a plugin is made with')]
    items = dict(re.findall(r'^(\d+)\. (.*?)(?=^\d+\. |\Z)', ordered, re.MULTILINE | re.DOTALL))
    assert list(items) == [str(number) for number in range(1, 15)]
    named = {name for item in items.values() for name in re.findall(r'``(\w+)``', item)}
    required = {name for name in public_names(Backend) if 'raise NotImplementedError' in _source(name)}
    assert len(required) > 80 and required - named == set()


def _source(name):
    method = getattr(Backend, name)
    return inspect.getsource(inspect.unwrap(method)) if callable(method) else ''
