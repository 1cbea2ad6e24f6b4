"""Finding and opening backends by their entry points."""
import importlib.util
from importlib.metadata import EntryPoint, entry_points

from keraflow.backend.contract import Backend
from keraflow.config import Setting, setting
from keraflow.errors import BackendError, nearest

__all__ = ['available', 'choose', 'load']

GROUP = 'keraflow.backends'
PREFERRED = ('tensorflow', 'theano')
_loaded: dict = {}


def available() -> list:
    """Names of the backends that can be used: those whose plugin and tensor library are installed."""
    return sorted(name for name in _plugins() if _is_installed(name))


def choose() -> Setting:
    """The backend to use and the source that says so: environment, file, else the preferred one that is installed."""
    asked = setting('backend')
    if asked.value is not None:
        return asked
    installed = available()
    for name in [*PREFERRED, *installed]:
        if name in installed:
            return Setting(name, asked.source)
    raise BackendError('backend: none is installed. Run: pip install "keraflow[tensorflow]" or "keraflow[theano]".')


def load(asked: Setting) -> Backend:
    """The backend of this name, opened once for each process.

    Raises
    ------
    BackendError
        If there is no such plugin, or its tensor library is not installed.
    """
    name = asked.value
    if name not in _loaded:
        _loaded[name] = _plugin(asked).load()(floatx=setting('floatx').value)
    return _loaded[name]


def _plugins() -> dict:
    return {point.name: point for point in entry_points(group=GROUP)}


def _plugin(asked: Setting) -> EntryPoint:
    plugins, installed = _plugins(), ', '.join(available()) or 'none'
    if asked.value not in plugins:
        raise BackendError(f"backend: there is no backend '{asked.value}' (asked for by {asked.source}); installed: "
                           f"{installed}. "
                           f'{nearest(asked.value, plugins)}')
    if not _is_installed(asked.value):
        raise BackendError(f"backend: '{asked.value}' (asked for by {asked.source}) is not installed; installed: "
                           f"{installed}. "
                           f'Run: pip install "keraflow[{asked.value}]".')
    return plugins[asked.value]


def _is_installed(name: str) -> bool:
    # By convention an entry point has the name under which its tensor library is imported.
    # A folder without __init__.py would be found as a namespace package; it has no origin.
    spec = importlib.util.find_spec(name)
    return spec is not None and spec.origin is not None
