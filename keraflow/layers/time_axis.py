"""Which operations of the backend keep each time step in its position, so that the result keeps the mask."""
import inspect
from typing import Any, Dict, Sequence

from keraflow.arguments import to_list
from keraflow.backend import Backend

__all__ = ['preserves_time_axis']

#: The axes of a mask: samples and time steps.
NB_AXIS = 2
#: Operations that may move time steps, whatever their arguments.
MOVING = frozenset({'batch_dot', 'conv', 'conv_transpose', 'depthwise_conv', 'gather', 'pad', 'pool', 'reshape',
                    'shape', 'squeeze_axes', 'tile', 'transpose'})
#: Operations along an axis that give a value for each value.
RUNNING = frozenset({'cumsum', 'log_softmax', 'softmax'})
#: Operations whose axis is one of the result, which has one more.
WITH_NEW_AXIS = frozenset({'expand_dims', 'stack'})


def preserves_time_axis(operation: str, args: Sequence[Any], kwargs: Dict[str, Any], ndim: int) -> bool:
    """Return whether the samples and time steps of the result are those of its inputs, which have at most `ndim` axes.

    Parameters
    ----------
    operation, args, kwargs
        As for an :class:`~keraflow.layers.Operation`.
    ndim : int

    Examples
    --------
    >>> [preserves_time_axis('sum', [{'input': 0}], {'axis': axis}, 3) for axis in (-1, 1)]
    [True, False]
    """
    if operation == 'getitem':
        return _takes_all_steps(to_list(args[1]), ndim)
    given = inspect.signature(getattr(Backend, operation)).bind(None, *args, **kwargs)
    given.apply_defaults()
    if operation == 'flatten':
        return given.arguments['nb_axis'] > NB_AXIS
    if operation in MOVING or 'axis' not in given.arguments or operation in RUNNING:
        return operation not in MOVING
    axis, length = given.arguments['axis'], ndim + (operation in WITH_NEW_AXIS)
    return axis is not None and all(one % length >= NB_AXIS for one in to_list(axis))


def _takes_all_steps(index: Sequence[Any], ndim: int) -> bool:
    """Return whether an index has ``:`` for samples and for time steps."""
    before = next((place for place, it in enumerate(index) if it == {'ellipsis': True}), len(index))
    behind = [it for it in index[before + 1:] if it is not None]
    return all(it == {'slice': [None, None, None]} for it in index[:before][:NB_AXIS]) and len(behind) <= ndim - NB_AXIS
