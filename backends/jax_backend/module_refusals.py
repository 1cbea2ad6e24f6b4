"""Which modules of other libraries cannot be run as a layer, and what to write instead."""
import functools
import sys
from typing import Any, Callable, Iterator

from keraflow.backend.dtypes import DTYPES
from keraflow.errors import ArgumentError

from .library import jax

__all__ = ['check_dtype_held', 'check_equinox', 'check_function', 'is_module']


def is_module(one: Any, library: str) -> bool:
    """Return whether something is a module of a library, which is not imported: who has a module has loaded it."""
    return library in sys.modules and isinstance(one, sys.modules[library].Module)


def check_function(function: Callable) -> None:
    """Refuse a function in which a module is hidden: its arrays would be constants.

    Raises
    ------
    ArgumentError
    """
    if is_module(function, 'flax.linen'):
        raise ArgumentError(f'expected a module with its own arrays, received {type(function).__name__} of flax.linen, '
                            'which has none. Return a module of flax.nnx, or '
                            'flax.nnx.bridge.ToNNX(module, rngs=flax.nnx.Rngs(0)).lazy_init(x).')
    for one in _inside(function, set()):
        for library, advice in _ADVICE.items():
            if is_module(one, library):
                raise ArgumentError(f'expected a module itself, received a function with {type(one).__name__} in it, '
                                    f'whose parameters would not be trained. {advice}')


_ADVICE = {
    'flax.nnx': 'Return a module of a class of flax.nnx.Module whose __call__ computes the same.',
    'equinox': 'Write equinox.filter_vmap(module) for jax.vmap(module), or a class of equinox.Module whose __call__ '
               'computes the same.'}


def check_equinox(module: Any) -> None:
    """Refuse a module of Equinox that needs more than its own arrays.

    Raises
    ------
    ArgumentError
    """
    nn = sys.modules['equinox'].nn
    special = nn.StateIndex, nn.Dropout
    for one in jax.tree_util.tree_leaves(module, is_leaf=lambda x: isinstance(x, special)):
        if isinstance(one, nn.StateIndex):
            raise ArgumentError('expected a module without equinox.nn.State, received one that keeps a state, as '
                                'equinox.nn.BatchNorm does. Write a normalization without one, such as '
                                'equinox.nn.LayerNorm, or keraflow.layers.BatchNormalization() between two modules.')
        if isinstance(one, nn.Dropout) and one.p != 0 and not one.inference:
            raise ArgumentError('expected a module that computes without a key, received one with equinox.nn.Dropout. '
                                'Write keraflow.layers.Dropout(...) between two modules, or equinox.nn.Dropout(0).')


def check_dtype_held(name: str, dtype: str) -> None:
    """Refuse an array in a module that cannot become a variable.

    Raises
    ------
    ArgumentError
    """
    if dtype not in DTYPES:
        raise ArgumentError(f"expected arrays of {', '.join(DTYPES)}, received '{name}' of {dtype}. Make it in "
                            'float32, and cast where the module computes.')


def _inside(function: Any, seen: set) -> Iterator[Any]:
    """Yield what a function binds: the object of a method, what is wrapped, what a partial one has, variables of the
    function around it; and the same of these."""
    parts = [getattr(function, '__self__', None), getattr(function, '__wrapped__', None)]
    if isinstance(function, functools.partial):
        parts += [function.func, *function.args, *function.keywords.values()]
    for cell in getattr(function, '__closure__', None) or ():
        try:
            parts.append(cell.cell_contents)
        except ValueError:      # not set yet
            pass
    for one in parts:
        if one is not None and id(one) not in seen:
            seen.add(id(one))
            yield one
            if callable(one):
                yield from _inside(one, seen)
