"""Writing: whatever fails, and whenever the program dies, the target is the old file or the new one."""
import errno
import fcntl
import os
import signal
import stat
import subprocess
import sys
import textwrap
import threading
import time

import pytest

from keraflow.errors import ModelFileError
from keraflow.files import abandoned
from keraflow.files.abandoned import NAMES
from keraflow.files.atomic import check_file, write_file, write_files
from keraflow.files.regular import read_regular

OLD, NEW = b'old' * 1000, b'new' * 2000


def names(folder):
    return sorted(os.listdir(folder))


@pytest.fixture
def target(tmp_path):
    path = tmp_path / 'weights'
    path.write_bytes(OLD)
    return path


def python(code, *args, **options):
    return subprocess.Popen([sys.executable, '-c', textwrap.dedent(code), *map(str, args)], **options)


def test_a_new_file(tmp_path):
    before = os.umask(0o027)
    try:
        write_file(tmp_path / 'a', NEW)
        write_file(str(tmp_path / 'b'), bytearray(b''), overwrite=True)
    finally:
        os.umask(before)
    assert (tmp_path / 'a').read_bytes() == NEW and (tmp_path / 'b').read_bytes() == b''
    assert [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in 'ab'] == [0o640, 0o640]
    assert names(tmp_path) == ['a', 'b']


def test_a_name_without_a_folder_and_a_very_long_one(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_file('a', NEW)
    write_file('x' * 255, NEW)
    assert names('.') == ['a', 'x' * 255]


def test_an_existing_file(target):
    with pytest.raises(FileExistsError) as caught:
        write_file(target, NEW)
    assert str(caught.value) == f'{target} exists already. Pass overwrite=True to replace it.'
    assert target.read_bytes() == OLD
    write_file(target, NEW, overwrite=True)
    assert target.read_bytes() == NEW and names(target.parent) == ['weights']


def test_permissions_are_kept(target):
    target.chmod(0o640)
    write_file(target, NEW, overwrite=True)
    assert stat.S_IMODE(target.stat().st_mode) == 0o640


def test_a_symbolic_link_is_kept(target):
    folder = target.parent / 'folder'
    folder.mkdir()
    link = folder / 'link'
    link.symlink_to('../weights')
    write_file(link, NEW, overwrite=True)
    assert os.readlink(link) == '../weights' and target.read_bytes() == NEW
    dangling = folder / 'dangling'
    dangling.symlink_to('not yet')
    write_file(dangling, NEW)
    assert dangling.is_symlink() and (folder / 'not yet').read_bytes() == NEW
    with pytest.raises(FileExistsError):
        write_file(link, OLD)
    assert names(folder) == ['dangling', 'link', 'not yet']


def test_what_cannot_be_a_target(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    os.mkdir('folder')
    os.mkfifo('fifo')
    for name in ('folder', 'fifo', '/dev/null'):
        for overwrite in (True, False):
            with pytest.raises(ModelFileError) as caught:
                write_file(name, NEW, overwrite)
            assert str(caught.value) == (f'{name}: this is not a regular file (but a directory, a pipe or a device). '
                                         'Choose another path.')
    with pytest.raises(FileNotFoundError) as caught:
        write_file('no/weights', NEW)
    assert str(caught.value) == f'no/weights: the folder {tmp_path}/no does not exist. Create it first.'
    with pytest.raises(TypeError):
        write_file('text', 'text')
    assert names('.') == ['fifo', 'folder']


# -- several files -----------------------------------------------------------------------------------------------------

def test_all_are_checked_before_one_is_written(target):
    other = target.parent / 'arch'
    with pytest.raises(FileExistsError, match='weights exists already'):
        write_files([(other, NEW), (target, NEW)])
    with pytest.raises(ModelFileError, match='two contents are given for this file. Pass different paths.$'):
        write_files([(other, NEW), (f'{target.parent}/./arch', NEW)])
    assert names(target.parent) == ['weights']
    write_files([(other, NEW), (target, NEW)], overwrite=True)
    assert other.read_bytes() == target.read_bytes() == NEW and names(target.parent) == ['arch', 'weights']


@pytest.mark.parametrize('overwrite', [True, False])
def test_a_failure_in_the_last_file_gives_back_the_first(tmp_path, monkeypatch, overwrite):
    if overwrite:
        (tmp_path / 'a').write_bytes(OLD)
    function = 'replace' if overwrite else 'link'
    original = getattr(os, function)

    def fail(source, destination):
        if destination.endswith('b'):
            raise OSError(errno.EIO, 'injected')
        return original(source, destination)

    monkeypatch.setattr(os, function, fail)
    with pytest.raises(OSError, match='injected'):
        write_files([(tmp_path / 'a', NEW), (tmp_path / 'b', NEW)], overwrite)
    assert names(tmp_path) == (['a'] if overwrite else [])
    assert not overwrite or (tmp_path / 'a').read_bytes() == OLD


# -- failures ----------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize('error', [OSError(errno.ENOSPC, 'injected'), KeyboardInterrupt('injected')],
                         ids=['disk', 'ctrl-c'])
@pytest.mark.parametrize('function, exists', [
    *((function, exists) for function in ('open', 'fstat', 'write', 'fsync', 'close') for exists in (True, False)),
    ('fchmod', True), ('replace', True), ('link', False)])
def test_each_call_that_fails(tmp_path, monkeypatch, function, exists, error):
    target = tmp_path / 'weights'
    if exists:
        target.write_bytes(OLD)
    original, calls = getattr(os, function), []

    def fail(*args, **kwargs):
        calls.append(args)
        if function == 'close':
            original(*args)
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(os, function, fail)
        with pytest.raises(type(error), match='injected'):
            write_file(target, NEW, overwrite=exists)
    assert calls and names(tmp_path) == (['weights'] if exists else [])
    assert not exists or target.read_bytes() == OLD


@pytest.mark.parametrize('exists', [True, False])
def test_a_folder_that_cannot_be_synced(tmp_path, monkeypatch, exists):
    target = tmp_path / 'weights'
    if exists:
        target.write_bytes(OLD)
    original = os.fsync

    def fsync(number):
        def handle(handle):
            if stat.S_ISDIR(os.fstat(handle).st_mode):
                raise OSError(number, 'injected')
            original(handle)
        return handle

    monkeypatch.setattr(os, 'fsync', fsync(errno.EIO))
    with pytest.raises(OSError, match='injected'):
        write_file(target, NEW, overwrite=exists)
    assert names(tmp_path) == (['weights'] if exists else [])
    assert not exists or target.read_bytes() == OLD
    monkeypatch.setattr(os, 'fsync', fsync(errno.EINVAL))       # some network folders cannot do it: not an error
    write_file(target, NEW, overwrite=exists)
    assert target.read_bytes() == NEW


def test_short_writes_are_continued(tmp_path, monkeypatch):
    original = os.write
    monkeypatch.setattr(os, 'write', lambda handle, data: original(handle, data[:7]))
    write_file(tmp_path / 'a', NEW)
    assert (tmp_path / 'a').read_bytes() == NEW


def test_without_hard_links(tmp_path, monkeypatch):
    def link(source, destination):
        raise OSError(errno.EPERM, 'no hard links here')

    monkeypatch.setattr(os, 'link', link)
    target = tmp_path / 'weights'
    write_file(target, NEW)
    with pytest.raises(FileExistsError):
        write_file(target, OLD)
    assert target.read_bytes() == NEW
    write_file(target, OLD, overwrite=True)
    assert target.read_bytes() == OLD and names(tmp_path) == ['weights']

    def replace(source, destination):
        raise OSError(errno.EIO, 'injected')

    monkeypatch.setattr(os, 'replace', replace)
    with pytest.raises(OSError, match='injected'):
        write_file(tmp_path / 'other', NEW)
    assert names(tmp_path) == ['weights']


@pytest.mark.parametrize('without_links', [False, True])
def test_a_file_that_appears_after_the_check_is_not_replaced(tmp_path, monkeypatch, without_links):
    target = tmp_path / 'weights'

    def link(source, destination, original=os.link):
        target.write_bytes(OLD)
        if without_links:
            raise OSError(errno.ENOSYS, 'no hard links here')
        original(source, destination)

    monkeypatch.setattr(os, 'link', link)
    with pytest.raises(FileExistsError) as caught:
        write_file(target, NEW)
    assert str(caught.value) == f'{target} exists already. Pass overwrite=True to replace it.'
    assert target.read_bytes() == OLD and names(tmp_path) == ['weights']


def test_a_full_disk(tmp_path):
    """A limit on the size of files cuts the write at each region; the signal is ignored, so that the write fails."""
    (tmp_path / 'weights').write_bytes(OLD)
    code = """
        import os, resource, signal, sys
        from keraflow.files.atomic import write_file, write_files
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        folder = sys.argv[1]
        for limit in (0, 1, 100, 4096, 5999):
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
            for call in (lambda: write_file(folder + '/weights', b'new' * 2000, True),
                         lambda: write_file(folder + '/fresh', b'new' * 2000),
                         lambda: write_files([(folder + '/arch', b''), (folder + '/fresh', b'new' * 2000)])):
                try:
                    call()
                except OSError as error:
                    assert error.errno == 27 and str(error).endswith((f"'{folder}/weights'", f"'{folder}/fresh'")), error
                else:
                    raise SystemExit('written in spite of the limit')
                assert os.listdir(folder) == ['weights'], os.listdir(folder)
        resource.setrlimit(resource.RLIMIT_FSIZE, (6000, resource.RLIM_INFINITY))
        write_file(folder + '/fresh', b'new' * 2000)
    """
    process = python(code, tmp_path, stderr=subprocess.PIPE)
    assert process.communicate(timeout=60)[1] == b'' and process.returncode == 0
    assert (tmp_path / 'weights').read_bytes() == OLD and (tmp_path / 'fresh').read_bytes() == NEW


def test_kill_at_any_moment(tmp_path, trials):
    """One program after the other writes without pause and is killed; each time one whole version is there."""
    target = tmp_path / 'weights'
    versions = [bytes([65 + index]) * (200000 + index) for index in range(4)]
    write_file(target, versions[0])
    code = """
        import itertools, os, sys
        from keraflow.files.atomic import write_file
        versions = [bytes([65 + index]) * (200000 + index) for index in range(4)]
        while True:
            if os.fork() == 0:
                for number in itertools.count(os.getpid()):
                    write_file(sys.argv[1], versions[number % 4], overwrite=True)
                    if number == os.getpid():
                        print(number, flush=True)
            os.wait()
    """
    # Forked children, started in microseconds, are what is killed: 20 trials without 20 starts of Python.
    parent = python(code, target, stdout=subprocess.PIPE, start_new_session=True)
    seen, nb_left = set(), 0
    try:
        for rng in trials(20):
            child = int(parent.stdout.readline())
            time.sleep(rng.uniform(0, .03))
            os.kill(child, signal.SIGKILL)
            content = target.read_bytes()
            assert content in versions
            seen.add(len(content))
            if len(names(tmp_path)) > 1:
                nb_left += 1
            write_file(target, versions[0], overwrite=True)     # removes what was left, but nothing of the next child
    finally:
        os.killpg(parent.pid, signal.SIGKILL)
        parent.wait()
        parent.stdout.close()
    assert len(seen) > 1 and nb_left > 0
    write_file(target, NEW, overwrite=True)
    while len(names(tmp_path)) > 1:     # the last child may take a moment to die, or the test's time runs out
        write_file(target, NEW, overwrite=True)
    assert target.read_bytes() == NEW and names(tmp_path) == ['weights']


# -- what programs leave that die --------------------------------------------------------------------------------------

def test_temporary_files_of_the_dead_are_removed_and_of_the_living_are_not(tmp_path, target):
    code = """
        import os, sys
        from keraflow.files import atomic
        def wait(*args):
            print('ready', flush=True)
            sys.stdin.read()
        setattr(os, sys.argv[2], wait)
        atomic.write_file(sys.argv[1], b'x' * 5000, overwrite=True)
    """
    # Before a byte is written, when all is, and when the old file has its second name, too.
    programs = [python(code, target, function, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
                for function in ('write', 'fsync', 'replace')]
    for program in programs:
        assert program.stdout.readline() == b'ready\n'
    left = names(tmp_path)
    assert len(left) == 5
    others = ['.keraflow-notes.tmp', '.keraflow-0123456789abcdef.tmp.py', 'x.keraflow-0123456789abcdef.tmp', '.other.tmp']
    for name in others:
        (tmp_path / name).write_bytes(b'')
    (tmp_path / '.keraflow-00000000000000aa.tmp').symlink_to('weights')
    os.mkfifo(tmp_path / '.keraflow-00000000000000bb.tmp')
    (tmp_path / '.keraflow-00000000000000cc.tmp').mkdir()
    write_file(target, NEW, overwrite=True)
    assert set(left) < set(names(tmp_path))                     # all three live
    for program in programs:
        program.kill()
        program.wait()
        program.stdin.close()
        program.stdout.close()
    write_file(target, OLD, overwrite=True)
    assert target.read_bytes() == OLD
    assert [name for name in names(tmp_path) if name not in others] == [
        '.keraflow-00000000000000aa.tmp', '.keraflow-00000000000000cc.tmp', 'weights']


def test_a_temporary_file_that_is_taken_for_abandoned_is_made_anew(target, monkeypatch):
    """Another program removes it between its creation and its lock, once or always; or somebody locks every new file."""
    created, original = [], os.open

    def opened(path, *args):
        handle = original(path, *args)
        if str(path).endswith('.tmp'):
            created.append(path)
            if len(created) <= nb_removed:
                os.unlink(path)
        return handle

    with monkeypatch.context() as patch:
        patch.setattr(os, 'open', opened)
        nb_removed = 3
        write_file(target, NEW, overwrite=True)
    assert len(created) == 4 and target.read_bytes() == NEW and names(target.parent) == ['weights']

    def locked(handle, kind):
        raise BlockingIOError(errno.EAGAIN, 'locked by somebody')

    with monkeypatch.context() as patch:
        patch.setattr(fcntl, 'flock', locked)
        write_file(target, OLD, overwrite=True)
    assert target.read_bytes() == OLD and names(target.parent) == ['weights']


def test_without_locks_nothing_is_removed(target, monkeypatch):
    left = target.parent / NAMES.format('0' * 16)
    left.write_bytes(b'x')
    monkeypatch.setattr(abandoned, 'fcntl', None)
    write_file(target, NEW, overwrite=True)
    assert left.exists() and target.read_bytes() == NEW


# -- all system calls --------------------------------------------------------------------------------------------------

CALLS = ['open', 'stat', 'fstat', 'write', 'fsync', 'close', 'fchmod', 'replace', 'link', 'unlink', 'scandir', 'dup']


@pytest.mark.parametrize('error', [OSError(errno.EIO, 'injected'), KeyboardInterrupt('injected'), MemoryError('injected')],
                         ids=['disk', 'ctrl-c', 'memory'])
@pytest.mark.parametrize('after', [False, True], ids=['undone', 'done'])
def test_each_call_fails_in_turn(tmp_path, monkeypatch, error, after):
    """Old or new in each file, both complete, and nothing left by the next save, whichever call fails, done or not."""
    paths = [tmp_path / 'weights', tmp_path / 'arch']
    turn, outcomes = 0, set()
    while True:
        for path in paths:
            path.write_bytes(OLD)
        (tmp_path / NAMES.format('0' * 16)).write_bytes(b'x')
        calls = []

        def counted(original):
            def call(*args, **kwargs):
                calls.append(original.__name__)
                if len(calls) != turn + 1:
                    return original(*args, **kwargs)
                # A handle is closed even if that fails; one that is opened would be lost.
                if original.__name__ == 'close' or after and original.__name__ not in ('open', 'dup', 'scandir'):
                    original(*args, **kwargs)
                raise error
            return call

        with monkeypatch.context() as patch:
            for owner, name in [*((os, name) for name in CALLS), (fcntl, 'flock')]:
                patch.setattr(owner, name, counted(getattr(owner, name)))
            try:
                write_files([(path, NEW) for path in paths], overwrite=True)
                raised = False
            except type(error) as caught:
                assert 'injected' in str(caught)
                assert not isinstance(error, OSError) or str(paths[0]) in str(caught) or str(paths[1]) in str(caught)
                raised = True
        contents = [path.read_bytes() for path in paths]
        assert contents in ([OLD, OLD], [NEW, NEW])
        outcomes.add((raised, contents[0] == NEW))
        if turn >= len(calls):
            break
        write_files([(path, OLD) for path in paths], overwrite=True)
        assert names(tmp_path) == ['arch', 'weights'], calls[turn]
        turn += 1
    assert set(calls) >= {*CALLS, 'flock'} - {'stat'} and turn > 40
    assert (True, False) in outcomes and (False, True) in outcomes


# -- paths in errors ---------------------------------------------------------------------------------------------------

@pytest.mark.parametrize('name', ['a\0b', '\ud800'])
def test_a_path_that_no_file_can_have(tmp_path, name):
    for call in (lambda path: write_file(path, NEW), lambda path: check_file(path), lambda path: read_regular(path, 10)):
        with pytest.raises(ModelFileError) as caught:
            call(f'{tmp_path}/{name}')
        assert str(caught.value) == (f'{tmp_path}/{name!r}: no file can have this name. Write it without NUL and half surrogate '
                                     'pairs.').replace("'", '')
    write_file(tmp_path / 'a\\0b', NEW)                         # a backslash and a zero
    write_file(tmp_path / os.fsdecode(b'\xff'), NEW)            # a name that is not UTF-8 is one
    assert read_regular(tmp_path / os.fsdecode(b'\xff'), 10000) == NEW


def test_errors_of_the_system_name_the_path_and_are_short(tmp_path):
    long = tmp_path / ('x' * 300) / ('y' * 3000)
    for call in (lambda: write_file(long, NEW), lambda: check_file(long), lambda: read_regular(long, 10)):
        with pytest.raises(OSError, match='yyyy') as caught:
            call()
        assert caught.value.errno == errno.ENAMETOOLONG and len(str(caught.value)) <= 300
    with pytest.raises(FileNotFoundError) as caught:
        read_regular(tmp_path / 'no', 10)
    assert caught.value.filename == str(tmp_path / 'no')
    deep = '/'.join([str(tmp_path), *['d' * 50] * 30, 'f'])
    with pytest.raises(FileNotFoundError) as caught:
        write_file(deep, NEW)
    assert len(str(caught.value)) <= 300 and str(caught.value).endswith(' does not exist. Create it first.')


# -- several programs --------------------------------------------------------------------------------------------------

def test_of_parallel_writers_one_creates_the_file(tmp_path, trials):
    for number, _ in enumerate(trials(20), start=1):
        target = tmp_path / f'weights{number}'
        barrier, results = threading.Barrier(4), []

        def write(index):
            barrier.wait()
            try:
                write_file(target, bytes([index]) * 5000)
                results.append(index)
            except FileExistsError:
                pass

        threads = [threading.Thread(target=write, args=(index,)) for index in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(results) == 1 and target.read_bytes() == bytes(results) * 5000
    assert len(names(tmp_path)) == number


def test_a_reader_sees_whole_files_while_others_write(tmp_path, trials):
    target = tmp_path / 'weights'
    versions = [bytes([index]) * 50000 for index in range(3)]
    write_file(target, versions[0])
    stop = threading.Event()

    def write(version):
        while not stop.is_set():
            write_file(target, version, overwrite=True)

    threads = [threading.Thread(target=write, args=(version,)) for version in versions[1:]]
    for thread in threads:
        thread.start()
    try:
        seen = {target.read_bytes() for _ in trials(200)}
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert seen <= set(versions)
    assert names(tmp_path) == ['weights']
