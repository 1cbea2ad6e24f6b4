"""``argscope``: change the default arguments of classes inside a ``with`` block."""
import contextlib
import contextvars
from typing import Any, ContextManager, Dict, Sequence, Tuple, Union

from keraflow.contexts import bound
from keraflow.deprecation import current_names
from keraflow.errors import ArgumentTypeError, describe
from keraflow.owned import owned
from keraflow.schema.classes import check_arguments

__all__ = ['argscope', 'defaults_for', 'no_argscope']

#: The scopes in force, outermost first: the classes, and their arguments.
_scopes: contextvars.ContextVar[Tuple[tuple, ...]] = contextvars.ContextVar('_scopes', default=())


class argscope(contextlib.ContextDecorator):
    """Give objects of these classes other default arguments inside a block.

    Parameters
    ----------
    classes : class or sequence of class
        Layers (also those of :func:`~keraflow.layer_register`), or any other classes that keraflow rebuilds. Subclasses
        are not affected.
    **arguments
        Arguments that all of the classes have.

    Raises
    ------
    ArgumentTypeError
        For an argument that one of the classes does not have, a value of a wrong type, or a class that keraflow does
        not rebuild.

    Notes
    -----
    Explicit arguments of a call win, by position or by name; then the innermost scope. The objects keep the resolved
    arguments, and only those are saved. A scope therefore affects the objects made by the block itself, not those that
    a layer makes in ``__init__`` or ``output``: such a layer would turn out differently when loaded outside the
    scope. A scope can be kept, entered again, and used as a decorator.

    References
    ----------
    .. [1] Y. Wu et al., "Tensorpack", https://github.com/tensorpack/tensorpack, 2016 (``argscope``).

    Examples
    --------
    >>> from keraflow.layers import Dense
    >>> with argscope(Dense, activation='relu', bias=False):
    ...     layers = Dense(3), Dense(3, activation='tanh')
    >>> [(layer.activation.__name__, layer.bias) for layer in layers]
    [('relu', False), ('tanh', False)]
    """

    def __init__(self, classes: Union[type, Sequence[type]], **arguments: Any):
        self._classes = tuple(classes) if isinstance(classes, (list, tuple)) else (classes,)
        self._arguments = owned(arguments)
        for cls in self._classes:
            _check(cls, arguments)

    def __enter__(self) -> 'argscope':
        _scopes.set((*_scopes.get(), (self._classes, self._arguments)))
        return self

    def __exit__(self, *error: Any) -> None:
        _scopes.set(_scopes.get()[:-1])     # the scope itself has no state: several threads may enter it


def no_argscope() -> ContextManager[None]:
    """Suspend all scopes inside the block."""
    return bound(_scopes, ())


def defaults_for(cls: type) -> Dict[str, Any]:
    """Return the arguments that the scopes in force set for a class."""
    return {name: value for classes, arguments in _scopes.get() if cls in classes
            for name, value in current_names(cls, arguments, 'argscope', warns=False).items()}


def _check(cls: Any, arguments: Dict[str, Any]) -> None:
    if not isinstance(cls, type):
        raise ArgumentTypeError(f'argscope: expected a class or a list of classes, received {describe(cls)}.')
    if not hasattr(cls, 'pack_init_param'):
        raise ArgumentTypeError(f'argscope: expected layers or other classes that keraflow rebuilds, received '
                                f'{describe(cls)}.')
    where = f'argscope: {cls.__name__}'
    check_arguments(cls, current_names(cls, arguments, where), where)
