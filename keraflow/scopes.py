"""``argscope``: other default arguments for some classes, inside a ``with`` block."""
import contextlib
import contextvars
from typing import Any, Dict, Iterator, Sequence, Tuple, Union

from keraflow import schema
from keraflow.errors import ArgumentTypeError, describe, nearest

__all__ = ['argscope', 'defaults_for', 'no_argscope']

#: The scopes in force, the outermost first: the classes, and their arguments.
_scopes: contextvars.ContextVar[Tuple[tuple, ...]] = contextvars.ContextVar('_scopes', default=())


@contextlib.contextmanager
def argscope(classes: Union[type, Sequence[type]], **arguments: Any) -> Iterator[None]:
    """Objects of these classes that are made inside have other default arguments.

    Parameters
    ----------
    classes : class or sequence of class
        Layers (also those of :func:`~keraflow.layer_register`), or any other classes that keraflow rebuilds. A class
        means itself, not its subclasses.
    **arguments
        Arguments that all of the classes have.

    Raises
    ------
    ArgumentTypeError
        For an argument that one of the classes does not have, or a value of a wrong type.

    Notes
    -----
    An argument that a call gives, by position or by name, wins; then the innermost scope. The objects keep the
    resolved arguments, and only those are saved. A scope therefore reaches the objects that the block itself makes, not
    those that a layer makes inside of itself, in ``__init__`` or ``output``: such a layer would be another one when it
    is loaded outside of the scope.

    References
    ----------
    ``argscope`` of tensorpack.

    Examples
    --------
    >>> from keraflow.layers import Dense
    >>> with argscope(Dense, activation='relu', bias=False):
    ...     layers = Dense(3), Dense(3, activation='tanh')
    >>> [(layer.activation.__name__, layer.bias) for layer in layers]
    [('relu', False), ('tanh', False)]
    """
    listed = tuple(classes) if isinstance(classes, (list, tuple)) else (classes,)
    for cls in listed:
        _check(cls, arguments)
    before = _scopes.set((*_scopes.get(), (listed, arguments)))
    try:
        yield
    finally:
        _scopes.reset(before)


@contextlib.contextmanager
def no_argscope() -> Iterator[None]:
    """Inside no scope is in force, until another one is opened."""
    before = _scopes.set(())
    try:
        yield
    finally:
        _scopes.reset(before)


def defaults_for(cls: type) -> Dict[str, Any]:
    """The arguments that the scopes in force give a class."""
    return {name: value for classes, arguments in _scopes.get() if cls in classes for name, value in arguments.items()}


def _check(cls: Any, arguments: Dict[str, Any]) -> None:
    if not isinstance(cls, type):
        raise ArgumentTypeError(f'argscope: expected a class or a list of classes, received {describe(cls)}.')
    parameters = schema.parameters_of(cls)
    for name, value in arguments.items():
        if name not in parameters:
            raise ArgumentTypeError(
                f"argscope: {cls.__name__}: there is no argument '{name}'. {nearest(name, parameters)}")
        schema.check(value, parameters[name].annotation, f'argscope: {cls.__name__}: {name}')
