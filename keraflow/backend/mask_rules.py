"""For which arguments an operation keeps each sample and each time step in place, so that the mask stays.

The definition of an operation names its rule: a function of the arguments by name and of the largest rank of the
inputs.
"""
from typing import Any, Mapping

from keraflow.arguments import to_list

__all__ = ['along_other_axes', 'behind_new_axis', 'takes_all_steps', 'unless_steps_are_folded']

#: The axes of a mask: samples and time steps.
NB_AXIS = 2


def along_other_axes(given: Mapping[str, Any], ndim: int) -> bool:
    """Keep the mask, unless the argument `axis` is one of the mask's axes."""
    axis = given['axis']
    return axis is not None and all(one % ndim >= NB_AXIS for one in to_list(axis))


def behind_new_axis(given: Mapping[str, Any], ndim: int) -> bool:
    """Keep the mask if the new axis, number `axis` in the result, comes after those of the mask."""
    return along_other_axes(given, ndim + 1)


def unless_steps_are_folded(given: Mapping[str, Any], ndim: int) -> bool:
    """Keep the mask unless folding the last axes, which leaves `nb_axis`, folds time steps."""
    return given['nb_axis'] > NB_AXIS


def takes_all_steps(given: Mapping[str, Any], ndim: int) -> bool:
    """Keep the mask if the `index` has ``:`` for samples and for time steps."""
    index = to_list(given['index'])
    before = next((place for place, it in enumerate(index) if it is Ellipsis), len(index))
    behind = [it for it in index[before + 1:] if it is not None]
    return all(isinstance(it, slice) and it == slice(None) for it in index[:before][:NB_AXIS]) and \
        len(behind) <= ndim - NB_AXIS
