"""How the tests meet the backends.

==================================  ======================================================================
``tests/backend``, ``conformance``  run once on each required backend
``tests/theano_plugin``             run on Theano
``tests/tensorflow_plugin``         run on TensorFlow
``tests/jax_plugin``                run on JAX
``tests/numpy_plugin``              run on NumPy
``tests/graph``                     run on each backend that stands on ``keraflow.backend.graph``
``tests/across``                    compare backends, and change them themselves: with the fixture ``other``, once for
                                    each required backend but NumPy's, which is the reference
``tests/alone``                     start processes that can import nothing but what keraflow needs
``tests/null``, ``corpus``          need no backend
``tests/browser``                   open what keraflow draws in a browser: only with ``--browser chromium``
``tests/gpu``                       run on JAX on a GPU, and are skipped without one: only if the folder is named
==================================  ======================================================================

``pytest --backend theano`` narrows to one backend (the option may be repeated), and to the tests that need no other.
Without it every backend that the environment variable ``KERAFLOW_TEST_BACKENDS`` lists is required, or all but JAX: one
that is not installed is an error, not a skip.
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
#: The folders whose tests run on each required backend.
ON_ANY_BACKEND = ('backend', 'conformance')
#: By folder: the backends that its tests run on, where they are required.
ON_SOME_BACKENDS = {'theano_plugin': ['theano'], 'tensorflow_plugin': ['tensorflow'], 'jax_plugin': ['jax'],
                    'numpy_plugin': ['numpy'], 'graph': ['numpy', 'jax'], 'alone': ['numpy']}
#: The backend that others are compared with.
REFERENCE = 'numpy'


def _set_environment() -> None:
    # Before anything reads it. No test depends on the developer's own settings: the folder does not exist.
    os.environ['KERAFLOW_HOME'] = str(HERE / 'data' / 'no-settings')
    for name in ('KERAFLOW_BACKEND', 'KERAFLOW_FLOATX', 'KERAFLOW_EPSILON'):
        os.environ.pop(name, None)
    os.environ.setdefault('TF_CPP_MIN_LOG_LEVEL', '3')
    os.environ.setdefault('JAX_DISABLE_MOST_OPTIMIZATIONS', '1')    # compiles faster, and computes more slowly
    mode = os.environ.get('KERAFLOW_TEST_THEANO_MODE', 'FAST_COMPILE')
    if mode != 'default':
        # Ten times faster to compile and half as fast to run, which is the right way round for tests.
        os.environ.setdefault('THEANO_FLAGS', f'mode={mode}')


_set_environment()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption('--backend', action='append', metavar='NAME', help='run the tests of backends on this one only')
    parser.addoption('--browser', metavar='PROGRAM', help='run the tests that open pages in this Chromium, and need one')
    parser.addoption('--device', default='gpu', metavar='NAME', help="run tests/gpu on this device of JAX, such as 'gpu:1' or 'cpu'")
    parser.addoption('--torture', type=int, metavar='N', help='run N times as many trials, of the tests that make some')


def _backends(config: pytest.Config) -> list:
    required = os.environ.get('KERAFLOW_TEST_BACKENDS', '').replace(',', ' ').split()
    return list(dict.fromkeys(config.getoption('--backend') or required or ['theano', 'tensorflow', REFERENCE]))


def _folder(path: Path) -> str:
    return path.relative_to(HERE).parts[0] if path != HERE and path.is_relative_to(HERE) else ''


def _is_in_folder(folder: str, arg: str, config: pytest.Config) -> bool:
    """Return whether an argument of the command line names a folder of tests, or something in it."""
    return (config.invocation_params.dir / arg.partition('::')[0]).resolve().is_relative_to(HERE / folder)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> Optional[bool]:
    folder, names = _folder(collection_path), _backends(config)
    is_left_out = {'browser': not config.getoption('--browser'), 'across': len(names) < 2 or REFERENCE not in names,
                   'gpu': not any(_is_in_folder('gpu', arg, config) for arg in config.args)}
    if is_left_out.get(folder) or folder in ON_SOME_BACKENDS and not set(ON_SOME_BACKENDS[folder]) & set(names):
        return True
    return None


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    folder, names = _folder(metafunc.definition.path), _backends(metafunc.config)
    if folder in ON_ANY_BACKEND or folder in ON_SOME_BACKENDS:
        possible = names if folder in ON_ANY_BACKEND else [one for one in ON_SOME_BACKENDS[folder] if one in names]
        metafunc.parametrize('backend_name', possible, indirect=True)
    if folder == 'across':
        for argument, possible in (('backend', names), ('other', [name for name in names if name != REFERENCE])):
            if argument in metafunc.fixturenames:
                metafunc.parametrize(argument, possible)


def _backend_of(item: pytest.Item) -> str:
    return item.callspec.params.get('backend_name', '') if hasattr(item, 'callspec') else ''


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list) -> None:
    names = _backends(config)
    used = set(names) if any(_folder(item.path) == 'across' for item in items) else {_backend_of(item) for item in items} - {''}
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
        # What needs no backend, one backend after the other, all, the examples in docstrings (on the last backend).
        if not item.path.is_relative_to(HERE):
            return len(names) + 2
        if _folder(item.path) == 'across':
            return len(names) + 1
        return names.index(_backend_of(item)) + 1 if _backend_of(item) else 0

    items.sort(key=order)


@pytest.fixture(autouse=True)
def backend_name(request: pytest.FixtureRequest):
    """The name of the backend in use, in float32 and freshly seeded; None for a test that needs no backend.

    A test that changes the backend itself begins on the reference, which is in use again after it.
    """
    name = getattr(request, 'param', None)
    if _folder(request.path) == 'across':
        name = REFERENCE
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


@pytest.fixture(autouse=True)
def own_table() -> Iterator[None]:
    """What the test registers is forgotten after it; keraflow's own classes, which some modules bring late, stay."""
    from keraflow import registry
    tables = (registry._entries, registry._by_target)
    before = [dict(table) for table in tables]
    yield
    for table, entries in zip(tables, before):
        for key in [key for key, entry in table.items() if not entry.builtin and entries.get(key) is not entry]:
            del table[key]
        table.update({key: entry for key, entry in entries.items() if key not in table})


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
