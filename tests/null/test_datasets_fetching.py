"""Files that are downloaded once: pinned, resumed, renamed when they are complete. Nothing comes from the network."""
import contextlib
import errno
import hashlib
import http.server
import re
import subprocess
import sys
import threading
import time

import pytest

from keraflow.datasets import fetching
from keraflow.datasets.fetching import Source, fetch
from keraflow.errors import DownloadError

CONTENT = bytes(range(256)) * 4000
ADVICE = 'Call again, or download it yourself and pass its path.'


class Handler(http.server.BaseHTTPRequestHandler):
    """Sends parts, unless the server is told otherwise."""

    def do_GET(self):
        self.server.ranges.append(self.headers.get('Range'))
        mode, content = self.server.mode, self.server.content
        if mode == 'broken':
            return self.send_error(500)
        if mode in self.server.redirects and self.path != '/there':
            self.send_response(302)
            self.send_header('Location', self.server.redirects[mode])
            self.send_header('Content-Length', '0')
            return self.end_headers()
        first = int(re.fullmatch(r'bytes=(\d+)-', self.headers['Range'])[1]) if self.headers['Range'] else 0
        if mode == 'whole':
            first = 0
        self.send_response(206 if first else 200)
        if first:
            shift = 1 if mode == 'another part' else 0
            self.send_header('Content-Range', f'bytes {first + shift}-{len(content) - 1}/{len(content)}')
        if mode != 'no length':
            self.send_header('Content-Length', mode[7:] if mode.startswith('length ') else str(len(content) - first))
        self.end_headers()
        with contextlib.suppress(ConnectionError):      # who is sent too much hangs up
            last = len(content) // 2 if 'cut' in mode and not first else len(content)
            if mode == 'drop by drop':
                for at in range(first, last):
                    self.wfile.write(content[at:at + 1])
                    time.sleep(0.01)
            for at in range(first, last, 10 ** 5):
                self.wfile.write(content[at:min(at + 10 ** 5, last)])
                time.sleep(0.02 if 'slow' in mode else 0)

    def log_message(self, *args):
        pass


@pytest.fixture
def server():
    with http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler) as it:
        it.mode, it.content, it.ranges, it.redirects = '', CONTENT, [], {}
        thread = threading.Thread(target=it.serve_forever, args=(0.01,))
        thread.start()
        yield it
        it.shutdown()
        thread.join()


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv('KERAFLOW_HOME', str(tmp_path / 'home'))
    return tmp_path / 'home' / 'datasets'


def source_of(server):
    return Source(f'http://127.0.0.1:{server.server_port}/some.bin', len(CONTENT), hashlib.sha256(CONTENT).hexdigest())


def refused(source, **options):
    with pytest.raises(DownloadError) as caught:
        fetch(source, timeout=5, **options)
    assert isinstance(caught.value, OSError)
    return str(caught.value)


def names_in(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize('mode', ['', 'no length'])
def test_a_file_is_downloaded_once(server, folder, mode):
    server.mode = mode
    assert fetch(source_of(server)) == folder / 'some.bin'
    assert (folder / 'some.bin').read_bytes() == CONTENT and names_in(folder) == ['some.bin']
    assert fetch(source_of(server)) == folder / 'some.bin'
    assert server.ranges == [None]


def test_a_folder_of_its_own(server, folder):
    assert fetch(source_of(server)._replace(folder='inner')) == folder / 'inner' / 'some.bin'


@pytest.mark.parametrize('mode', ['', 'whole'])
def test_a_download_goes_on_where_it_ended(server, folder, mode):
    server.mode = 'cut'
    source, half = source_of(server), len(CONTENT) // 2
    assert refused(source) == f'{source.url}: the connection ended after {half} of {len(CONTENT)} bytes. {ADVICE}'
    assert names_in(folder) == ['some.bin.part']
    assert (folder / 'some.bin.part').read_bytes() == CONTENT[:half]
    server.mode = mode
    assert fetch(source).read_bytes() == CONTENT
    assert server.ranges == [None, f'bytes={half}-'] and names_in(folder) == ['some.bin']


PROGRAM = """
import sys
from keraflow.datasets.fetching import Source, fetch
print(fetch(Source(sys.argv[1], int(sys.argv[2]), sys.argv[3])).read_bytes()[:3])
"""


@pytest.mark.parametrize('start', [None, 1000])
def test_programs_that_want_a_file_at_a_time(server, folder, start):
    server.mode, source = 'slow', source_of(server)
    if start:
        folder.mkdir(parents=True)
        (folder / 'some.bin.part').write_bytes(CONTENT[:start])
    running = [subprocess.Popen([sys.executable, '-c', PROGRAM, source.url, str(source.size), source.sha256], text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE) for _ in range(3)]
    assert [one.communicate(timeout=60) for one in running] == [(f'{CONTENT[:3]}\n', '')] * 3
    assert server.ranges == [f'bytes={start}-' if start else None] and names_in(folder) == ['some.bin']


def test_threads_that_want_a_file_at_a_time(server, folder):
    server.mode, found = 'slow', []
    threads = [threading.Thread(target=lambda: found.append(fetch(source_of(server)).read_bytes())) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [CONTENT] * 4 and server.ranges == [None]


def test_who_waits_goes_on_where_another_failed(server, folder):
    server.mode, errors = 'cut and slow', []

    def attempt():
        try:
            fetch(source_of(server))
        except DownloadError as error:
            errors.append(str(error))
    threads = [threading.Thread(target=attempt) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    half = len(CONTENT) // 2
    assert errors == [f'{source_of(server).url}: the connection ended after {half} of {len(CONTENT)} bytes. {ADVICE}']
    assert server.ranges == [None, f'bytes={half}-'] and names_in(folder) == ['some.bin']


def test_a_part_that_is_complete_is_not_asked_for(server, folder):
    folder.mkdir(parents=True)
    (folder / 'some.bin.part').write_bytes(CONTENT)
    assert fetch(source_of(server)).read_bytes() == CONTENT and server.ranges == []


def test_a_part_that_is_too_long_starts_anew(server, folder):
    folder.mkdir(parents=True)
    (folder / 'some.bin.part').write_bytes(CONTENT + b'more')
    assert fetch(source_of(server)).read_bytes() == CONTENT and server.ranges == [None]


def test_another_content_is_removed(server, folder):
    source = source_of(server)
    server.content = bytes(len(CONTENT))
    assert refused(source) == \
        f'{source.url}: the downloaded file had the wrong SHA-256 and was removed. {ADVICE}'
    assert names_in(folder) == []
    server.content = CONTENT
    assert fetch(source).read_bytes() == CONTENT


def test_a_part_of_another_file_is_removed_too(server, folder):
    folder.mkdir(parents=True)
    (folder / 'some.bin.part').write_bytes(b'another')
    assert 'wrong SHA-256' in refused(source_of(server)) and names_in(folder) == []


@pytest.mark.parametrize('content', [CONTENT + b'more', CONTENT[:-1]], ids=['longer', 'shorter'])
def test_another_length_is_not_read(server, folder, content):
    server.content, source = content, source_of(server)
    assert refused(source) == \
        f'{source.url}: the server has {len(content)} bytes, expected {len(CONTENT)}. {ADVICE}'
    assert (folder / 'some.bin.part').read_bytes() == b''


def test_no_more_than_the_pinned_length_is_read(server, folder):
    server.content, server.mode, source = CONTENT + bytes(10 ** 6), 'no length', source_of(server)
    assert fetch(source).read_bytes() == CONTENT


def test_another_part_than_asked_for(server, folder):
    folder.mkdir(parents=True)
    (folder / 'some.bin.part').write_bytes(CONTENT[:10])
    server.mode, source, last = 'another part', source_of(server), len(CONTENT) - 1
    assert refused(source) == (f'{source.url}: the server sent a different part than requested '
                               f'(bytes 11-{last}/{len(CONTENT)}). {ADVICE}')
    assert (folder / 'some.bin.part').read_bytes() == CONTENT[:10]


@pytest.mark.parametrize('length', ['x', '-1', '1e6', '', '9' * 5000])
def test_a_length_that_is_none(server, folder, length):
    server.mode, source = f'length {length}', source_of(server)
    assert re.fullmatch(rf"{re.escape(source.url)}: the server sent a length that is none \('.*\)\. {ADVICE}", refused(source))
    server.mode = ''
    assert fetch(source).read_bytes() == CONTENT


@pytest.mark.parametrize('url', ['ftp://127.0.0.1/some.bin', 'file:///etc/passwd', 'data:,x'])
def test_a_redirect_to_another_protocol(server, folder, url):
    server.redirects['away'], server.mode, source = url, 'away', source_of(server)
    assert 'protocol' in refused(source) or 'is not allowed' in refused(source)
    assert (folder / 'some.bin.part').read_bytes() == b''


def test_a_redirect_to_the_same_protocol(server, folder):
    server.redirects['away'], server.mode, source = '/there', 'away', source_of(server)
    assert fetch(source).read_bytes() == CONTENT


def test_a_server_that_goes_on_for_ever(server, folder):
    server.mode, source = 'drop by drop', source_of(server)
    text = refused(source, longest=0.3)
    assert re.fullmatch(rf'{re.escape(source.url)}: the server was too slow: [0-9]+ of {len(CONTENT)} bytes are here\. {ADVICE}', text)
    server.mode = ''
    assert (folder / 'some.bin.part').stat().st_size < len(CONTENT)
    assert fetch(source).read_bytes() == CONTENT


@pytest.mark.parametrize('system', ['without locks', 'whose locks fail'])
def test_without_locks_each_downloads_a_file_of_its_own(server, folder, monkeypatch, system):
    def fail(*args):
        raise OSError(errno.ENOLCK, 'No locks available')
    if system == 'without locks':
        monkeypatch.setattr(fetching, 'fcntl', None)
    else:
        monkeypatch.setattr(fetching.fcntl, 'flock', fail)
    server.mode, found = 'slow', []
    threads = [threading.Thread(target=lambda: found.append(fetch(source_of(server)).read_bytes())) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [CONTENT] * 3 and server.ranges == [None] * 3 and names_in(folder) == ['some.bin']
    (folder / 'some.bin').unlink()
    server.mode = 'cut'
    assert 'the connection ended' in refused(source_of(server)) and names_in(folder) == []


def test_a_server_that_fails(server, folder):
    server.mode, source = 'broken', source_of(server)
    assert refused(source) == f'{source.url}: HTTP Error 500: Internal Server Error. {ADVICE}'


def test_a_file_that_was_changed_is_left_alone(server, folder):
    source = source_of(server)
    path = fetch(source)
    path.write_bytes(b'mine')
    assert refused(source) == (f'{path}: the file was changed since it was downloaded. '
                               'Delete it to download it again, or pass the path of your own file.')
    assert path.read_bytes() == b'mine' and server.ranges == [None]


def test_a_file_url(tmp_path, folder):
    original = tmp_path / 'some.bin'
    original.write_bytes(CONTENT)
    source = Source(original.as_uri(), len(CONTENT), hashlib.sha256(CONTENT).hexdigest())
    folder.mkdir(parents=True)
    (folder / 'some.bin.part').write_bytes(CONTENT[:10])        # such URLs have no parts
    assert fetch(source).read_bytes() == CONTENT
    original.unlink()
    assert fetch(source).read_bytes() == CONTENT
    assert 'No such file' in refused(source._replace(url=(tmp_path / 'none.bin').as_uri()))


@pytest.mark.parametrize('module', ['mnist', 'fashion_mnist', 'cifar10', 'imdb'])
def test_the_sources_are_pinned(module):
    from keraflow import datasets
    module = getattr(datasets, module)
    for source in getattr(module, 'SOURCES', None) or [module.SOURCE]:
        assert source.url.startswith('https://') and re.fullmatch('[0-9a-f]{64}', source.sha256)
        assert 5000 < source.size < 2 ** 28
