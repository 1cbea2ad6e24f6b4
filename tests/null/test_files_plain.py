"""Files of plain data: the extension decides, only regular files are opened, and nothing waits."""
import os
import socket
import sys

import pytest

from keraflow.errors import ModelFileError
from keraflow.files.plaindata import Limits, dump_plain, read_plain

NOT_REGULAR = ': this is not a regular file (but a directory, a pipe or a device). Pass the path of a saved file.'


@pytest.mark.parametrize('name', ['arch.json', 'arch.yaml', 'arch.yml'])
def test_round_trip(tmp_path, name):
    data = {'name': 'é', 'lr': 1e-05, 'shape': [None, 3]}
    path = tmp_path / name
    path.write_bytes(dump_plain(data, path).encode('utf-8'))
    assert read_plain(path) == read_plain(str(path)) == data
    assert path.read_bytes().endswith(b'\n')


def test_json_for_a_person():
    assert dump_plain({'a': [1]}, 'x.json') == '{\n  "a": [\n    1\n  ]\n}\n'
    assert dump_plain({'a': [1]}, 'x.json', indent=None) == '{"a": [1]}\n'
    assert dump_plain({'a': [1]}, 'x.yml', default_flow_style=False) == 'a:\n- 1\n'


@pytest.mark.parametrize('name, shown', [('arch.pkl', "'.pkl'"), ('arch', "''"), ('arch.JSON', "'.JSON'"),
                                         ('w.safetensors', "'.safetensors'")])
def test_other_extensions(tmp_path, name, shown):
    message = f'{name}: the extension {shown} is not one for an architecture. Use .json, .yaml or .yml.'
    for call in (lambda: read_plain(name), lambda: dump_plain({}, name)):
        with pytest.raises(ModelFileError) as caught:
            call()
        assert str(caught.value) == message


def test_the_place_is_the_path_and_the_line(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'arch.yaml').write_text('a: 1\na: 2\n')
    with pytest.raises(ModelFileError) as caught:
        read_plain('arch.yaml')
    assert str(caught.value) == "arch.yaml:2: the key 'a' is written twice. Remove one."
    (tmp_path / 'arch.json').write_text('{"a": 1,\n"a": 2}')
    with pytest.raises(ModelFileError) as caught:
        read_plain('arch.json')
    assert str(caught.value) == "arch.json:2: the key 'a' is written twice. Remove one."


def test_a_missing_file(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_plain(tmp_path / 'arch.json')


def test_what_is_not_a_regular_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    os.mkfifo('fifo.json')
    os.mkdir('folder.json')
    os.symlink('/dev/zero', 'zero.json')
    with socket.socket(socket.AF_UNIX) as server:
        server.bind('socket.json')
        for name in ('fifo.json', 'folder.json', 'zero.json', 'socket.json'):
            with pytest.raises(ModelFileError) as caught:
                read_plain(name)
            assert str(caught.value) == name + NOT_REGULAR
    (tmp_path / 'real').write_text('[1]')
    os.symlink('real', 'link.json')
    assert read_plain('link.json') == [1]


def test_size(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'arch.json').write_text('[1, 2]')
    assert read_plain('arch.json', Limits(max_bytes=6)) == [1, 2]
    with pytest.raises(ModelFileError) as caught:
        read_plain('arch.json', Limits(max_bytes=5))
    assert str(caught.value) == 'arch.json: the file has 6 bytes; the limit is 5. If you trust it, pass larger limits.'


def test_no_handle_is_left_open(tmp_path):
    (tmp_path / 'a.json').write_text('[1')
    before = len(os.listdir('/dev/fd')) if sys.platform != 'win32' else 0
    for _ in range(5):
        for path in (tmp_path / 'a.json', tmp_path):
            with pytest.raises(ModelFileError):
                read_plain(path if path.suffix else f'{path}/../{path.name}/a.json')
    assert len(os.listdir('/dev/fd')) == before
