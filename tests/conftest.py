"""How the tests meet the backends.

==================================  ======================================================================
``tests/backend``, ``conformance``  run once on each backend
``tests/theano_plugin``             run on Theano
``tests/tensorflow_plugin``         run on TensorFlow
``tests/both``                      run once and change backends themselves; every required backend is there
``tests/null``                      need no backend
==================================  ======================================================================

``pytest --backend theano`` narrows to one backend (the option may be repeated), and to the tests that need no other.
Without it every backend that the environment variable ``KERAFLOW_TEST_BACKENDS`` lists is required, or both: one that
is not installed is an error, not a skip.
``pytest --torture 50`` runs the tests that search at random (those with the fixture ``trials``), and these 50 times as
long.
``KERAFLOW_TEST_THEANO_MODE=default`` runs Theano with C code, as users do, instead of the mode that compiles fast.
"""
import os
import random
import signal
from pathlib import Path
from typing import Callable, Iterator, Optional

import pytest

HERE = Path(__file__).parent
#: By folder: the backends that each of its tests runs on, where they are required.
ON_BACKENDS = {'backend': ('theano', 'tensorflow'), 'conformance': ('theano', 'tensorflow'), 'theano_plugin': ('theano',),
               'tensorflow_plugin': ('tensorflow',)}


def _set_environment() -> None:
    # Before anything reads it. No test depends on the developer's own settings: the folder does not exist.
    os.environ['KERAFLOW_HOME'] = str(HERE / 'data' / 'no-settings')
    for name in ('KERAFLOW_BACKEND', 'KERAFLOW_FLOATX', 'KERAFLOW_EPSILON'):
        os.environ.pop(name, None)
    os.environ.setdefault('TF_CPP_MIN_LOG_LEVEL', '3')
    mode = os.environ.get('KERAFLOW_TEST_THEANO_MODE', 'FAST_COMPILE')
    if mode != 'default':
        # Ten times faster to compile and half as fast to run, which is the right way round for tests.
        os.environ.setdefault('THEANO_FLAGS', f'mode={mode}')


_set_environment()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption('--backend', action='append', metavar='NAME', help='run the tests of backends on this one only')
    parser.addoption('--torture', type=int, metavar='N', help='run N times as many trials, of the tests that make some')


def _backends(config: pytest.Config) -> list:
    required = os.environ.get('KERAFLOW_TEST_BACKENDS', '').replace(',', ' ').split()
    return list(dict.fromkeys(config.getoption('--backend') or required or ['theano', 'tensorflow']))


def _folder(path: Path) -> str:
    return path.relative_to(HERE).parts[0] if path != HERE and path.is_relative_to(HERE) else ''


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> Optional[bool]:
    folder, names = _folder(collection_path), _backends(config)
    if folder == 'both' and len(names) < 2 or folder in ON_BACKENDS and not set(names) & set(ON_BACKENDS[folder]):
        return True
    return None


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    possible = ON_BACKENDS.get(_folder(metafunc.definition.path), ())
    if possible:
        names = [name for name in _backends(metafunc.config) if name in possible]
        metafunc.parametrize('backend_name', names, indirect=True)


def _backend_of(item: pytest.Item) -> str:
    return item.callspec.params.get('backend_name', '') if hasattr(item, 'callspec') else ''


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list) -> None:
    names = _backends(config)
    on_both = any(_folder(item.path) == 'both' for item in items)
    used = set(names) if on_both else {_backend_of(item) for item in items} - {''}
    if used:
        from keraflow.backend import available  # here, so that the tests of a bare `import keraflow` mean something
        missing = [name for name in names if name in used and name not in available()]
        if missing:
            raise pytest.UsageError(
                f"backends that the tests require are not installed: {', '.join(missing)} (installed: "
                f"{', '.join(available()) or 'none'}). Install them, or name others with --backend or "
                'KERAFLOW_TEST_BACKENDS.')

    unstable = [item.nodeid for item in items if ' at 0x' in item.nodeid]
    if unstable:            # processes that share the tests must find the same ones
        raise pytest.UsageError(f'the name of a test has an address, which is another in each process: {unstable[0]}')
    if config.getoption('--torture'):
        others = [item for item in items if 'trials' not in item.fixturenames]
        items[:] = [item for item in items if 'trials' in item.fixturenames]
        config.hook.pytest_deselected(items=others)

    def order(item: pytest.Item) -> int:
        # What needs no backend, one backend after the other, both, the examples in docstrings (on the last backend).
        if not item.path.is_relative_to(HERE):
            return len(names) + 2
        if _folder(item.path) == 'both':
            return len(names) + 1
        return names.index(_backend_of(item)) + 1 if _backend_of(item) else 0

    items.sort(key=order)


@pytest.fixture(autouse=True)
def backend_name(request: pytest.FixtureRequest):
    """The name of the backend in use, in float32 and freshly seeded; None for a test that needs no backend.

    A test that changes the backend itself begins on the last one, and leaves it in use for those that follow.
    """
    name = getattr(request, 'param', None)
    if _folder(request.path) == 'both':
        name = _backends(request.config)[-1]
    if name is None:
        yield None
        return
    from keraflow import backend as B
    B.use(name)
    B.set_floatx('float32')
    B.seed(0)
    yield name
    B.use(name)
    B.set_floatx('float32')


@pytest.fixture(autouse=True, scope='session')
def ctrl_c() -> Iterator[None]:
    """Ctrl-C is an error of Python's in the tests, also where they were started in the background, which ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def own_table(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the test registers is forgotten after it."""
    from keraflow import registry
    for table in ('_entries', '_aliases', '_by_target'):
        monkeypatch.setattr(registry, table, dict(getattr(registry, table)))


@pytest.fixture
def trials(request: pytest.FixtureRequest) -> Callable[[int], Iterator[random.Random]]:
    """``for rng in trials(20)``: 20 trials, or more under ``--torture``, each with random numbers of its own.

    Trial number n is the same in every run, so that the short run is a sample of the long one. A test that fails shows
    the number last.
    """
    def numbered(few: int) -> Iterator[random.Random]:
        for number in range(few * (request.config.getoption('--torture') or 1)):
            print('trial', number)
            yield random.Random(number)
    return numbered
