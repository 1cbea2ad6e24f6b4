"""How modules of Flax NNX and Equinox hold arrays, and how they run with others in the place of these."""
import sys
from typing import Any, Callable, Dict, List, NamedTuple, Optional, Sequence, Tuple

import numpy as np

from keraflow.backend.dtypes import DTYPES

from .library import jax, jnp
from .module_refusals import check_dtype_held, check_equinox, check_function, is_module

__all__ = ['Held', 'Run', 'module_of']

_flatten, _unflatten = jax.tree_util.tree_flatten_with_path, jax.tree_util.tree_unflatten

#: From as many arrays as are held, the inputs, other arguments, and whether it is in training, to what the module
#: returns, and the arrays that it holds afterwards.
Run = Callable[[Sequence[Any], Sequence[Any], Dict[str, Any], bool], Tuple[Any, List[Any]]]


class Held(NamedTuple):
    """An array in a module.

    Attributes
    ----------
    name : str
        The last name in its path.
    array : array
    what : {'parameter', 'state', 'key', 'count'}
        The last two are a key of random numbers, and how often it was used.
    """

    name: str
    array: Any
    what: str


def module_of(computes: Callable) -> Optional[Tuple[List[Held], Run]]:
    """Return the arrays of a module, and how it runs; None for a function.

    Raises
    ------
    ArgumentError
        For a module that cannot be run so, and for a function in which a module is hidden.
    """
    if is_module(computes, 'flax.nnx'):
        found = _of_nnx(computes)
    elif is_module(computes, 'equinox'):
        found = _of_equinox(computes)
    else:
        check_function(computes)
        return None
    for one in found[0]:
        if one.what in ('parameter', 'state'):
            check_dtype_held(one.name, one.array.dtype.name)
    return found


def _of_nnx(module: Any) -> Tuple[List[Held], Run]:
    """Take a module of Flax apart: parameters, what random numbers are made from, and states.

    What a run adds to the module is dropped.
    """
    nnx = sys.modules['flax.nnx']

    def divided(module: Any) -> tuple:
        return nnx.split(module, nnx.Param, nnx.RngState, ...)

    def what(group: int, array: Any) -> str:
        if group == 1:
            return 'key' if jax.dtypes.issubdtype(array.dtype, jax.dtypes.prng_key) else 'count'
        return 'state' if group or not np.issubdtype(array.dtype, np.floating) else 'parameter'

    def run(arrays: Sequence[Any], inputs: Sequence[Any], arguments: Dict[str, Any],
            in_training: bool) -> Tuple[Any, List[Any]]:
        fresh = nnx.merge(definition, *_unflatten(tree, arrays))
        (fresh.train if in_training else fresh.eval)()
        made = fresh(*inputs, **arguments)
        after = dict(_flatten(list(divided(fresh)[1:]))[0])
        return made, [after.get(path, array) for path, array in zip(paths, arrays)]
    definition, *groups = divided(module)
    found, tree = _flatten(groups)
    paths = [path for path, _ in found]
    held = [(path, array if hasattr(array, 'dtype') else jnp.asarray(array)) for path, array in found]
    return [Held(_name(path), array, what(path[0].idx, array)) for path, array in held], run


def _of_equinox(module: Any) -> Tuple[List[Held], Run]:
    """Take a module of Equinox apart, in the order of its fields. A run changes none of the arrays."""
    equinox = sys.modules['equinox']
    check_equinox(module)

    def run(arrays: Sequence[Any], inputs: Sequence[Any], arguments: Dict[str, Any],
            in_training: bool) -> Tuple[Any, List[Any]]:
        given = {**others, **dict(zip(places, arrays))}
        fresh = _unflatten(tree, [given[place] for place in range(len(given))])
        if not in_training:
            fresh = equinox.nn.inference_mode(fresh)
        return fresh(*inputs, **arguments), list(arrays)
    found, tree = _flatten(module)
    held, places, others = [], [], {}
    for place, (path, leaf) in enumerate(found):
        is_parameter = equinox.is_inexact_array(leaf)
        if is_parameter or isinstance(leaf, jax.Array) and leaf.dtype.name in DTYPES:
            held.append(Held(_name(path), leaf, 'parameter' if is_parameter else 'state'))
            places.append(place)
        else:
            check_function(leaf)        # such as that of filter_vmap
            others[place] = leaf
    return held, run


def _name(path: Sequence[Any]) -> str:
    """Return the last name in a path of a tree: no index, nor the one that Flax gives the value of each variable."""
    last = path[-1]
    if len(path) > 2 and getattr(last, 'name', None) == 'value' and hasattr(path[0], 'idx'):
        path = path[:-1]
    names = [getattr(one, 'key', getattr(one, 'name', None)) for one in path]
    return next((name for name in reversed(names) if isinstance(name, str)), 'variable')
