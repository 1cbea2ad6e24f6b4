"""``LinearWrap``: write a chain of layers as a chain of calls."""
from typing import Any, Callable

from keraflow import backend as B
from keraflow import registry, schema
from keraflow.errors import ArgumentTypeError, GraphError, describe, nearest
from keraflow.graph.kensor import Kensor
from keraflow.layers.base import Layer
from keraflow.layers.base.variables import Variables
from keraflow.layers.registered import named

__all__ = ['LinearWrap', 'NoLayer']


class NoLayer(GraphError, AttributeError):
    """A chain has no such layer: ``hasattr(wrap, name)`` is then False."""


class LinearWrap:
    """A Kensor on which layers can be called one after another.

    An attribute named like a layer, of keraflow or registered by the program, is a function that makes that layer,
    calls it, and returns a LinearWrap of the result. A string as its first argument names the layer. ``apply(fn, ...)``
    calls ``fn(kensor, ...)``, ``.B.square()`` a function of the backend. Calling the LinearWrap without arguments, or
    ``tensor()``, returns its Kensor; ``print_tensor()`` prints it and continues. ``variables`` are those of the last
    layer: ``LinearWrap(x).Dense(3).variables.W``.

    Parameters
    ----------
    kensor : Kensor, or list of Kensor for a layer with several inputs
        Or a Sequential that is a model; in a function of :func:`~keraflow.layer_register`, a tensor.

    Raises
    ------
    GraphError
        For a name that is not a layer, with the nearest one.

    References
    ----------
    .. [1] Y. Wu et al., "Tensorpack", https://github.com/tensorpack/tensorpack, 2016 (``LinearWrap``).

    Examples
    --------
    >>> from keraflow.layers import Input
    >>> y = (LinearWrap(Input((28, 28)))
    ...      .Flatten()
    ...      .Dense('fc0', 64, activation='relu')
    ...      .Dropout('drop', 0.5)
    ...      .B.square()
    ...      .Dense('fc1', 10)())
    >>> y.shape
    (None, 10)
    """

    #: Advice if it is used in place of its Kensor.
    how_to_feed = ' End the chain with (): LinearWrap(x)...().'

    def __init__(self, kensor: Any, layer: Any = None):
        self._layer = layer
        self._kensor = kensor.as_kensor() if isinstance(kensor, Layer) else kensor
        several = isinstance(self._kensor, (list, tuple)) and bool(self._kensor)
        for one in self._kensor if several else [self._kensor]:
            if not isinstance(one, Kensor) and not B.is_tensor(one):
                raise ArgumentTypeError(f'LinearWrap: expected a Kensor or a list of them, received {describe(one)}. '
                                        'Start at an Input.')

    def __call__(self) -> Kensor:
        """Return the Kensor at the end of the chain."""
        return self._kensor

    def tensor(self) -> Kensor:
        """Return the Kensor at the end of the chain, like a call without arguments."""
        return self._kensor

    def print_tensor(self) -> 'LinearWrap':
        """Print the Kensor, and continue."""
        print(self._kensor)
        return self

    @property
    def variables(self) -> Variables:
        """The parameters of the last layer, by name."""
        layer = self._layer or getattr(self._kensor, 'layer', None)
        if layer is None:
            raise GraphError('LinearWrap: variables: there is no layer in the chain yet. Write LinearWrap(x).Dense(3)'
                             '.variables.')
        return layer.variables

    def __repr__(self) -> str:
        return f'LinearWrap({self._kensor!r})'

    def apply(self, function: Callable, *args: Any, **kwargs: Any) -> 'LinearWrap':
        """Continue with ``function(kensor, *args, **kwargs)``."""
        schema.check(function, Callable, 'LinearWrap: apply')
        return LinearWrap(function(self._kensor, *args, **kwargs), function if isinstance(function, Layer) else None)

    @property
    def B(self) -> '_Functions':
        """The functions of the backend: ``.B.sum(axis=1)``."""
        return _Functions(self)

    def __getattr__(self, name: str) -> Callable[..., 'LinearWrap']:
        if name.startswith('_'):
            raise AttributeError(name)
        entry = registry.find(name, 'layer')
        if entry is None and name in ('tf', 'T', 'theano'):
            raise NoLayer(f"LinearWrap: there is no layer '{name}'. Functions of the backend are .B: "
                          'LinearWrap(x).B.square().')
        if entry is None:
            raise NoLayer(f"LinearWrap: there is no layer '{name}'. {nearest(name, registry.ids('layer'))}")
        cls = entry.target

        def feed(*args: Any, **kwargs: Any) -> LinearWrap:
            if not args or not isinstance(args[0], str) or not getattr(cls, 'use_scope', True):
                return self.apply(cls(*args, **kwargs))
            try:
                return self.apply(named(cls, *args, **kwargs))
            except ArgumentTypeError as error:
                raise ArgumentTypeError(f"{error} '{args[0]}' is taken for the name of the layer.") from None
        return feed


class _Functions:
    def __init__(self, wrap: LinearWrap):
        self._wrap = wrap

    def __getattr__(self, name: str) -> Callable[..., LinearWrap]:
        function = getattr(B, name)
        return lambda *args, **kwargs: self._wrap.apply(function, *args, **kwargs)
