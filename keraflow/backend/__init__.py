"""The current backend: ``from keraflow import backend as B``, then ``B.dot(x, W)`` on whichever backend is in use.

Every public method of :class:`keraflow.backend.contract.Backend` is an attribute of this module: a function that calls
the backend in use. The first such call opens the backend.

Examples
--------
>>> from keraflow import backend as B
>>> float(B.eval(B.sum(B.ones((2, 3)))))
6.0
"""
import logging
import sys
from typing import Any, Optional

from keraflow import random
from keraflow.arguments import dtype_name
from keraflow.backend.contract import OLD_NAMES, Backend, TensorSpec
from keraflow.backend.forwarding import forwarding
from keraflow.backend.loader import available, choose, load
from keraflow.backend.phases import current_phase, in_train_phase, phase
from keraflow.backend.tensor import Tensor
from keraflow.config import Setting, read, set_program, setting
from keraflow.habits import no_attribute
from keraflow.schema import Natural
from keraflow.schema.checked import checked

__all__ = ['Backend', 'Tensor', 'TensorSpec', 'available', 'current', 'current_phase', 'epsilon', 'floatx',
           'in_train_phase', 'name', 'phase', 'seed', 'set_epsilon', 'set_floatx', 'use']

_log = logging.getLogger('keraflow')
_current: Optional[Backend] = None


def current() -> Backend:
    """Return the backend in use, opening it if necessary."""
    return _current if _current is not None else _open(choose())


def use(name: str) -> None:
    """Switch to another backend.

    Models and layers stay with the backend on which they were made: using one on another backend raises a BackendError.
    Switch before the first layer is linked, or between models.
    """
    asked = read('backend', name, 'the program')
    if _current is None or _current.name != asked.value:
        _open(asked)
    set_program('backend', asked.value)      # last: a backend that cannot be opened is not remembered


def name() -> str:
    """Return the name of the backend in use, for example ``'tensorflow'``."""
    return current().name


def floatx() -> str:
    """Return the default dtype of real numbers: ``'float32'`` or ``'float64'``."""
    return setting('floatx').value


def set_floatx(dtype: str) -> None:
    """Set the dtype of real numbers for what is made from now on."""
    dtype = dtype_name(dtype)
    set_program('floatx', dtype)
    if _current is not None:
        _current.set_floatx(dtype)


def epsilon() -> float:
    """Return a small number that keeps divisors and logarithms away from zero."""
    return setting('epsilon').value


def set_epsilon(value: float) -> None:
    """Set :func:`epsilon` for functions that are built from now on."""
    set_program('epsilon', value)


@checked
def seed(value: Natural) -> None:
    """Restart all random numbers: those of the program (the same on every backend), and the backend's stream."""
    random.seed(value)
    current().seed(value)


def _open(asked: Setting) -> Backend:
    global _current
    backend = load(asked)
    # A backend that was opened before may still have the floatx of that time.
    backend.set_floatx(floatx())
    _log.info('Using the %s backend (version %s), asked for by %s.', backend.name, backend.version(), asked.source)
    _current = backend
    return backend


def __getattr__(attribute: str) -> Any:
    # Only for names in the contract, and without opening a backend: tools such as pytest read everything that dir()
    # lists.
    if attribute in OLD_NAMES:
        return getattr(sys.modules[__name__], OLD_NAMES[attribute])
    if attribute.startswith('_') or not callable(getattr(Backend, attribute, None)):
        raise no_attribute("module 'keraflow.backend'", attribute, __dir__())
    # Cached, so that the next access costs nothing. For that reason no function of this file may use abs, all, any,
    # eval, max, min, round, sum or another builtin that shares its name with a method of the contract.
    return globals().setdefault(attribute, forwarding(attribute, current))


def __dir__() -> list:
    methods = {attribute for attribute in dir(Backend) if callable(getattr(Backend, attribute))}
    return sorted({*__all__, *(attribute for attribute in methods if not attribute.startswith('_'))})
