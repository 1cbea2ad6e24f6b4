"""Settings: default, file, environment, program, in this order, and messages that name the source."""
import json

import pytest

from keraflow import config
from keraflow.errors import ArgumentError


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """A settings folder of the test's own, and no setting from any other source."""
    for name in ('BACKEND', 'FLOATX', 'EPSILON'):
        monkeypatch.delenv(f'KERAFLOW_{name}', raising=False)
    monkeypatch.setenv('KERAFLOW_HOME', str(tmp_path))
    monkeypatch.setattr(config, '_program', {})
    return tmp_path


def write(folder, content):
    (folder / 'keraflow.json').write_text(content if isinstance(content, str) else json.dumps(content))


def refusal(key):
    with pytest.raises(ArgumentError) as caught:
        config.setting(key)
    return str(caught.value)


def test_the_defaults():
    assert [config.setting(key) for key in ('backend', 'floatx', 'epsilon')] == [
        (None, 'the default'), ('float32', 'the default'), (1e-7, 'the default')]


def test_the_program_wins_over_the_environment_and_that_over_the_file(folder, monkeypatch):
    write(folder, {'floatx': 'float64', 'epsilon': 1e-3})
    assert config.setting('floatx') == ('float64', str(folder / 'keraflow.json'))
    assert config.setting('epsilon') == (1e-3, str(folder / 'keraflow.json'))
    assert config.setting('backend') == (None, 'the default')
    monkeypatch.setenv('KERAFLOW_EPSILON', '1e-4')
    assert config.setting('epsilon') == (1e-4, 'the environment variable KERAFLOW_EPSILON')
    assert config.setting('floatx').value == 'float64'
    config.set_program('epsilon', 1e-5)
    assert config.setting('epsilon') == (1e-5, 'the program')


def test_an_empty_variable_is_none(folder, monkeypatch):
    write(folder, {'backend': 'theano'})
    monkeypatch.setenv('KERAFLOW_BACKEND', '')
    assert config.setting('backend') == ('theano', str(folder / 'keraflow.json'))


def test_the_file_is_in_the_home_folder_where_no_other_is_named(folder, monkeypatch):
    monkeypatch.delenv('KERAFLOW_HOME')
    monkeypatch.setenv('HOME', str(folder))
    monkeypatch.setenv('USERPROFILE', str(folder))
    (folder / '.keraflow').mkdir()
    write(folder / '.keraflow', {'floatx': 'float64'})
    assert config.setting('floatx').value == 'float64'


def test_a_backend_may_be_written_in_capitals(monkeypatch):
    monkeypatch.setenv('KERAFLOW_BACKEND', 'Theano')
    assert config.setting('backend').value == 'theano'


@pytest.mark.parametrize('key, value, expected', [
    ('floatx', 'float16', "'float32' or 'float64'"), ('floatx', 'double', "'float32' or 'float64'"),
    ('epsilon', 'small', 'a number between 0 and 0.1'), ('epsilon', '0', 'a number between 0 and 0.1'),
    ('epsilon', '-1e-7', 'a number between 0 and 0.1'), ('epsilon', '0.1', 'a number between 0 and 0.1'),
    ('epsilon', 'nan', 'a number between 0 and 0.1'),
])
def test_a_wrong_value_is_reported_with_its_source(folder, monkeypatch, key, value, expected):
    path, variable = folder / 'keraflow.json', f'KERAFLOW_{key.upper()}'
    write(folder, {key: value})
    assert refusal(key) == f'{key}: expected {expected}, received {value!r} from {path}.'
    monkeypatch.setenv(variable, value)
    assert refusal(key) == f'{key}: expected {expected}, received {value!r} from the environment variable {variable}.'
    with pytest.raises(ArgumentError) as caught:
        config.set_program(key, value)
    assert str(caught.value) == f'{key}: expected {expected}, received {value!r} from the program.'
    assert 'environment' in refusal(key)        # what was refused was not set


@pytest.mark.parametrize('key, value, expected', [
    ('backend', 3, 'the name of a backend'), ('backend', None, 'the name of a backend'), ('backend', '', 'the name of a backend'),
    ('floatx', 32, "'float32' or 'float64'"), ('floatx', ['float32'], "'float32' or 'float64'"),
    ('epsilon', None, 'a number between 0 and 0.1'), ('epsilon', [], 'a number between 0 and 0.1'),
    ('epsilon', True, 'a number between 0 and 0.1'),
])
def test_a_value_of_another_type_in_the_file_is_reported(folder, key, value, expected):
    write(folder, {key: value})
    assert refusal(key) == f"{key}: expected {expected}, received {value!r} from {folder / 'keraflow.json'}."


@pytest.mark.parametrize('content, text', [
    ('', 'cannot be read as JSON (Expecting value: line 1 column 1 (char 0)). Correct it or remove it.'),
    ('{"floatx" "float64"}', "cannot be read as JSON (Expecting ':' delimiter: line 1 column 11 (char 10)). Correct it or remove it."),
    ('["float64"]', 'expected an object like {"backend": "theano"}.'),
    ('"theano"', 'expected an object like {"backend": "theano"}.'),
    ('{"float": "float64"}', "there is no setting 'float'. Did you mean 'floatx'?"),
    ('{"colour": "red"}', "there is no setting 'colour'. Choose one of backend, epsilon, floatx."),
])
def test_a_file_that_is_no_settings_file_is_reported(folder, content, text):
    write(folder, content)
    assert refusal('floatx') == f"{folder / 'keraflow.json'}: {text}"


def test_a_file_that_cannot_be_read_is_reported(folder):
    write(folder, '[' * 100000)
    assert refusal('backend').startswith(f"{folder / 'keraflow.json'}: cannot be read as JSON (")


def test_a_folder_is_no_file(folder):
    (folder / 'keraflow.json').mkdir()
    assert refusal('backend').startswith(f"{folder / 'keraflow.json'}: cannot be read as JSON (")


def test_nothing_is_written(folder):
    for key in ('backend', 'floatx', 'epsilon'):
        config.setting(key)
    config.set_program('floatx', 'float64')
    assert list(folder.iterdir()) == []
