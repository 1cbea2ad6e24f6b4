"""Batches of new lengths run as parts of longer ones, where each row of the outputs follows from a row alone."""
from typing import Any, Dict, List, Optional, Sequence

import numpy as np

from keraflow.backend.graph.nodes import Node, ordered

__all__ = ['Lengths', 'are_rows', 'padded']

#: A length that occurs more often is compiled.
_NB_PADDED = 8

#: By the name of an operation of one tensor: whether its static arguments keep rows apart.
_KEEPS: Dict[str, Any] = {
    **dict.fromkeys(('softmax', 'log_softmax', 'cumsum', 'argmax', 'argmin', 'flip', 'repeat', 'expand_dims', 'squeeze',
                     'concatenate', 'stack'), lambda axis, **others: axis > 0),
    **dict.fromkeys(('sum', 'prod', 'mean', 'max', 'min', 'any', 'all'),
                    lambda axis, **others: axis is not None and 0 not in axis),
    **dict.fromkeys(('max_pool', 'mean_pool', 'identity', 'stop_gradient'), lambda **others: True),
    'flatten': lambda nb_axis: nb_axis > 1, 'transpose': lambda axes: axes[0] == 0, 'tile': lambda reps: reps[0] == 1,
    'getitem': lambda key: bool(key) and isinstance(key[0], slice) and key[0] == slice(None)}
#: Operations whose first operand has rows, while the others are the same for all.
_WITH_PARAMETERS = frozenset(('dot', 'conv', 'depthwise_conv', 'conv_transpose'))


def are_rows(inputs: Sequence[Node], outputs: Sequence[Node]) -> bool:
    """Return whether the first axis of outputs is that of the inputs, and each row depends on the same one of these.

    Of what is not known to be so, it is not.
    """
    if not inputs or any(not x.ndim or x.shape[0] is not None for x in inputs):
        return False
    # True for what has rows, False for what is the same for all, None for anything else.
    found: Dict[Node, Optional[bool]] = dict.fromkeys(inputs, True)
    for node in ordered(outputs):
        if node not in found:
            found[node] = _has_rows(node, [found[x] for x in node.inputs])
    return all(found[x] is True for x in outputs)


def _has_rows(node: Node, operands: List[Optional[bool]]) -> Optional[bool]:
    operation = node.operation
    if operation is None:
        return None if hasattr(node, 'lone') else False
    if None in operands or operation.name.startswith('draw_'):
        return None
    if True not in operands:
        return False
    if operation.is_elementwise:
        fits = all(x.ndim == node.ndim if has_rows else x.ndim < node.ndim or x.shape[0] == 1
                   for x, has_rows in zip(node.inputs, operands))
    elif operation.name in _WITH_PARAMETERS:
        fits = operands == [True, False] and node.inputs[0].ndim > 1
    elif operation.name == 'take':
        fits = operands == [False, True] and node.static['axis'] == 0
    elif operation.name == 'require':       # of each row, of which padding repeats one
        fits = operands[0] is True
    else:
        fits = operation.name in _KEEPS and all(operands) and _KEEPS[operation.name](**node.static)
    return True if fits else None


class Lengths:
    """How long the batches were that a function was compiled for, and how often others came."""

    def __init__(self) -> None:
        self._compiled: List[int] = []
        self._seen: Dict[int, int] = {}

    def of(self, nb_row: int) -> int:
        """Return how long to make a batch, which is then compiled."""
        self._seen[nb_row] = self._seen.get(nb_row, 0) + 1
        longer = min((n for n in self._compiled if n >= nb_row), default=None)
        if longer is None or longer > nb_row and self._seen[nb_row] > _NB_PADDED:
            self._compiled.append(nb_row)
            return nb_row
        return longer


def padded(array: np.ndarray, nb_row: int) -> np.ndarray:
    """Return an array with its last row repeated, so that it has so many."""
    return np.concatenate([array, np.repeat(array[-1:], nb_row - len(array), 0)])
