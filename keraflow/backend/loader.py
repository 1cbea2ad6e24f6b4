"""Find and open backends by their entry points."""
import importlib.util
import logging
import pkgutil
import sys
import threading
from typing import Any

from keraflow.backend.contract import Backend
from keraflow.config import Setting, setting
from keraflow.errors import BackendError, nearest

__all__ = ['EMBEDDED', 'available', 'choose', 'load']

GROUP = 'keraflow.backends'
#: The backends that are extras of keraflow's package; the first one that is installed is preferred.
PREFERRED = ('tensorflow', 'jax', 'theano')
#: The backend that needs nothing else than keraflow itself does, and where its class is, as its entry point says. What
#: is installed is not searched for it, which takes as long as importing the plugin.
EMBEDDED, _PLACE = 'numpy', 'keraflow_backends.numpy_backend:NumPyBackend'
#: The last Python that a library supports, if it is not the newest.
LAST_PYTHON = {'theano': (3, 11)}
_log = logging.getLogger('keraflow')
_loaded: dict = {}
_LOADING = threading.RLock()


def available() -> list:
    """Return the names of the usable backends: those whose plugin and tensor library are installed."""
    return sorted(name for name in _plugins() if _is_installed(name))


def choose() -> Setting:
    """Return the backend to use and the source that names it: environment, file, else the preferred installed one.

    The embedded one is taken only where there is no other, and a line in the log then tells of others.

    Raises
    ------
    BackendError
        None is installed.
    """
    asked = setting('backend')
    if asked.value is not None:
        return asked
    installed = available()
    for name in [*PREFERRED, *(one for one in installed if one != EMBEDDED)]:
        if name in installed:
            return Setting(name, asked.source)
    if EMBEDDED not in installed:
        raise BackendError('backend: none is installed, not even the one that comes with keraflow, because keraflow '
                           'itself is not. In its folder, run: pip install .')
    _log.warning('Computing with NumPy, because no other backend is installed. TensorFlow is faster, above all for '
                 'convolutions: pip install "keraflow[tensorflow]". KERAFLOW_BACKEND=numpy leaves this line out.')
    return Setting(EMBEDDED, asked.source)


def load(asked: Setting) -> Backend:
    """Return the backend with a name, opened once for each process.

    Raises
    ------
    BackendError
        If there is no such plugin, or its tensor library is not installed.
    """
    name = asked.value
    with _LOADING:      # two threads would otherwise open it twice
        if name not in _loaded:
            _loaded[name] = _class(asked)(floatx=setting('floatx').value)
        return _loaded[name]


def _class(asked: Setting) -> Any:
    if asked.value == EMBEDDED:
        try:
            return pkgutil.resolve_name(_PLACE)
        except ModuleNotFoundError:     # keraflow itself is not installed
            pass
    return _plugin(asked).load()


def _plugins() -> dict:
    # Imported here, because it needs half of the standard library, with e-mail and sockets.
    metadata = importlib.import_module('importlib.metadata')
    return {point.name: point for point in metadata.entry_points(group=GROUP)}


def _plugin(asked: Setting) -> Any:
    plugins, name = _plugins(), asked.value
    source = f"(asked for by {asked.source})"
    installed = f"installed: {', '.join(available()) or 'none'}"
    if name not in plugins:
        raise BackendError(f"backend: there is no backend '{name}' {source}; {installed}. {nearest(name, plugins)}")
    if not _is_installed(name):
        raise BackendError(f"backend: '{name}' {source} is not installed; {installed}. {_advice(name)}")
    return plugins[name]


def _advice(name: str) -> str:
    """Advise on a backend that is not installed."""
    if name not in PREFERRED:
        return f"Install the library that is imported as '{name}'."
    command = f'pip install "keraflow[{name}]"'
    if _runs_here(name):
        return f'Run: {command}.'
    this, last = ('.'.join(map(str, version[:2])) for version in (sys.version_info, LAST_PYTHON[name]))
    return f'It does not run on Python {this}. With Python 3.10 or {last}, run: {command}.'


def _runs_here(name: str) -> bool:
    return sys.version_info[:2] <= LAST_PYTHON.get(name, sys.version_info[:2])


def _is_installed(name: str) -> bool:
    # By convention an entry point is named like the module of its tensor library.
    # A folder without __init__.py would be found as a namespace package, which has no origin.
    spec = importlib.util.find_spec(name)
    return spec is not None and spec.origin is not None
