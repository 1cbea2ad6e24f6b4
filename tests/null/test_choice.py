"""Which backend is opened, when, and what is said when it cannot be: with backends made up here, and in processes."""
import builtins
import importlib.metadata
import inspect
import logging
import os
import subprocess
import sys
from importlib.metadata import EntryPoint
from types import ModuleType
from unittest.mock import Mock

import pytest

from keraflow import backend as B
from keraflow import config
from keraflow.backend import loader
from keraflow.backend.contract import Backend
from keraflow.errors import BackendError


class First(Backend):
    name = 'csv'

    def version(self):
        return '1.2'

    def is_variable(self, x):
        return self.name

    def new_stream(self):
        return Mock()       # nothing is drawn


class Second(First):
    name = 'json'


@pytest.fixture(autouse=True)
def fresh(monkeypatch, tmp_path):
    """No backend is open and none is asked for."""
    monkeypatch.setattr(B, '_current', None)
    monkeypatch.setattr(loader, '_loaded', {})
    monkeypatch.setattr(config, '_program', {})
    monkeypatch.delenv('KERAFLOW_BACKEND', raising=False)
    monkeypatch.setenv('KERAFLOW_HOME', str(tmp_path))


@pytest.fixture
def plugins(monkeypatch):
    """Sets which plugins there are. A backend has the name under which its library is imported: `csv` and `json` are there."""
    module = ModuleType('made_up_plugins')
    module.csv, module.json, module.numpy = First, Second, First
    monkeypatch.setitem(sys.modules, 'made_up_plugins', module)

    def install(*names):
        points = [EntryPoint(name, f'made_up_plugins:{name}', loader.GROUP) for name in names]
        monkeypatch.setattr(importlib.metadata, 'entry_points', lambda group: points if group == loader.GROUP else [])
        monkeypatch.setattr(loader, '_PLACE', 'made_up_plugins:numpy' if 'numpy' in names else 'no_such_library:numpy')
    return install


def refusal(make):
    with pytest.raises(BackendError) as caught:
        make()
    return str(caught.value)


def test_only_what_is_installed_is_available(plugins):
    plugins('json', 'no_such_library', 'csv')
    assert B.available() == ['csv', 'json']
    plugins()
    assert B.available() == []


def test_a_folder_is_no_library(plugins, tmp_path, monkeypatch):
    (tmp_path / 'folder_in_test_choice').mkdir()
    monkeypatch.syspath_prepend(str(tmp_path))
    plugins('folder_in_test_choice')
    assert B.available() == []


def test_tensorflow_is_preferred_then_jax_then_theano_then_any_but_numpy(plugins, monkeypatch, caplog):
    monkeypatch.setattr(loader, '_is_installed', lambda name: True)
    for names, chosen in ((('csv', 'jax', 'theano', 'numpy', 'tensorflow'), 'tensorflow'), (('csv', 'theano', 'numpy', 'jax'), 'jax'),
                          (('csv', 'numpy', 'theano'), 'theano'), (('numpy', 'zipfile'), 'zipfile')):
        plugins(*names)
        assert loader.choose() == (chosen, 'the default')
    assert caplog.records == []


HINT = ('Computing with NumPy, because no other backend is installed. TensorFlow is faster, above all for convolutions: '
        'pip install "keraflow[tensorflow]". KERAFLOW_BACKEND=numpy leaves this line out.')


def test_numpy_is_chosen_where_nothing_else_is_installed_and_one_line_tells_of_others(plugins, monkeypatch, caplog):
    plugins('no_such_library', 'numpy')
    assert B.name() == 'csv' and B.name() == 'csv' and B.version() == '1.2'         # the one made up here
    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [('WARNING', HINT)]
    monkeypatch.setattr(B, '_current', None)
    monkeypatch.setenv('KERAFLOW_BACKEND', 'numpy')
    B.name()
    B.use('numpy')
    assert len(caplog.records) == 1


def test_the_backend_is_opened_at_the_first_use_once_and_says_so(plugins, monkeypatch, caplog):
    plugins('csv', 'json')
    monkeypatch.setenv('KERAFLOW_BACKEND', 'json')
    monkeypatch.setenv('KERAFLOW_FLOATX', 'float64')
    with caplog.at_level(logging.INFO, 'keraflow'):
        assert B._current is None
        assert B.name() == 'json' and B.version() == '1.2' and B.name() == 'json'
        first = B.current()
        B.use('csv')
        assert B.name() == 'csv' and B.current() is not first
        B.use('JSON')
        B.use('json')
    assert B.current() is first and first.floatx() == 'float64'
    assert [record.getMessage() for record in caplog.records] == [
        'Using the json backend (version 1.2), asked for by the environment variable KERAFLOW_BACKEND.',
        'Using the csv backend (version 1.2), asked for by the program.',
        'Using the json backend (version 1.2), asked for by the program.']


def test_floatx_goes_to_the_backend_in_use_and_to_the_next_one(plugins):
    plugins('csv', 'json')
    B.use('csv')
    B.set_floatx('float64')
    assert B.current().floatx() == B.floatx() == 'float64'
    B.use('json')
    assert B.current().floatx() == 'float64'
    B.set_floatx('float32')
    B.use('csv')
    assert B.current().floatx() == 'float32'


def test_the_attributes_are_those_of_the_contract_and_reading_them_opens_nothing(plugins):
    plugins('csv')
    for name in ('dott', '_private', '__wrapped__'):
        with pytest.raises(AttributeError) as caught:
            getattr(B, name)
        assert str(caught.value) == f"module 'keraflow.backend' has no attribute '{name}'"
    assert {'dot', 'use', 'floatx', 'compile'} <= set(dir(B)) and not any(name.startswith('_') for name in dir(B))
    assert all(callable(getattr(B, name)) for name in dir(B))
    assert str(inspect.signature(B.zeros)) == (
        "(shape: Sequence, dtype: Optional[Literal['bool', 'int32', 'int64', 'float32', 'float64']] = None) -> Any")
    assert B.zeros.__name__ == 'zeros' and B.zeros.__doc__ == Backend.zeros.__doc__
    assert B._current is None


def test_no_function_of_the_facade_uses_a_builtin_that_a_method_of_the_contract_hides():
    used = {name for one in vars(B).values() if inspect.isfunction(one) and one.__module__ == B.__name__
            for code in (one.__code__, *filter(inspect.iscode, one.__code__.co_consts)) for name in code.co_names}
    assert {'setdefault', 'sorted'} <= used
    assert used & set(dir(builtins)) & set(dir(Backend)) == set() and B.sum is B.sum


def test_a_function_that_was_read_before_goes_to_the_backend_in_use(plugins):
    plugins('csv', 'json')
    is_variable = B.is_variable
    B.use('csv')
    assert is_variable(3) == 'csv'
    B.use('json')
    assert is_variable(x=3) == 'json'


def test_none_is_installed(plugins):
    plugins('no_such_library')
    assert refusal(B.current) == ('backend: none is installed, not even the one that comes with keraflow, because keraflow itself is not. '
                                  'In its folder, run: pip install .')


def test_the_embedded_backend_is_where_its_entry_point_says():
    assert [point.value for point in importlib.metadata.entry_points(group=loader.GROUP) if point.name == loader.EMBEDDED] == [loader._PLACE]


def test_the_embedded_backend_is_not_there_where_keraflow_is_not_installed(plugins, monkeypatch):
    plugins('csv')
    monkeypatch.setenv('KERAFLOW_BACKEND', 'numpy')
    assert refusal(B.current) == ("backend: there is no backend 'numpy' (asked for by the environment variable KERAFLOW_BACKEND); "
                                  'installed: csv. Choose one of csv.')


def test_an_unknown_backend(plugins, monkeypatch, tmp_path):
    plugins('csv', 'theano')
    monkeypatch.setattr(loader, '_is_installed', lambda name: name == 'csv')
    assert refusal(lambda: B.use('teano')) == (
        "backend: there is no backend 'teano' (asked for by the program); installed: csv. Did you mean 'theano'?")
    (tmp_path / 'keraflow.json').write_text('{"backend": "jax"}')
    assert refusal(B.current) == (
        f"backend: there is no backend 'jax' (asked for by {tmp_path / 'keraflow.json'}); installed: csv. "
        'Choose one of csv, theano.')
    monkeypatch.setenv('KERAFLOW_BACKEND', 'torch')
    assert refusal(B.current) == (
        "backend: there is no backend 'torch' (asked for by the environment variable KERAFLOW_BACKEND); installed: csv. "
        'Choose one of csv, theano.')


@pytest.mark.parametrize('name, version, advice', [
    ('theano', (3, 10, 1), 'Run: pip install "keraflow[theano]".'),
    ('theano', (3, 11, 9), 'Run: pip install "keraflow[theano]".'),
    ('theano', (3, 12, 0), 'It does not run on Python 3.12. With Python 3.10 or 3.11, run: pip install "keraflow[theano]".'),
    ('theano', (3, 13, 2), 'It does not run on Python 3.13. With Python 3.10 or 3.11, run: pip install "keraflow[theano]".'),
    ('tensorflow', (3, 13, 2), 'Run: pip install "keraflow[tensorflow]".'),
    ('no_such_library', (3, 11, 9), "Install the library that is imported as 'no_such_library'."),
])
def test_a_backend_that_is_not_installed(plugins, monkeypatch, name, version, advice):
    plugins('csv', name)
    monkeypatch.setattr(loader, '_is_installed', lambda one: one == 'csv')
    monkeypatch.setattr(sys, 'version_info', version)
    monkeypatch.setenv('KERAFLOW_BACKEND', name)
    assert refusal(B.current) == (f"backend: '{name}' (asked for by the environment variable KERAFLOW_BACKEND) is not installed; "
                                  f'installed: csv. {advice}')


def test_a_backend_that_is_refused_leaves_the_one_in_use(plugins):
    plugins('csv')
    B.use('csv')
    refusal(lambda: B.use('theano'))
    assert B.name() == 'csv' and config.setting('backend').value == 'csv'


def test_in_a_process_the_environment_says_what_is_asked_for():
    done = subprocess.run([sys.executable, '-c', 'from keraflow import backend as B; B.name()'], capture_output=True, text=True,
                          env={**os.environ, 'KERAFLOW_BACKEND': 'teano'})
    assert done.returncode == 1 and done.stdout == ''
    last = done.stderr.splitlines()[-1]
    assert last.startswith("keraflow.errors.BackendError: backend: there is no backend 'teano' (asked for by the environment "
                           'variable KERAFLOW_BACKEND); installed: ')
    assert last.endswith("Did you mean 'theano'?")
