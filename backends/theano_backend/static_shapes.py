"""What is known of a tensor's shape before there are data.

Theano only records for each axis whether its length is 1. Here the tag of each tensor holds a tuple of lengths: an
integer, or an :class:`Unknown`, the same object wherever the length is the same. It is derived on demand from the
lengths of the operands, back to the nearest tensors that have it; nothing is compiled.

Integer scalars and vectors also have a *value*, because they become lengths: ``x.shape[0] * 2`` in a ``reshape``.
"""
import functools
from typing import Any, Iterable, Optional, Sequence

from .configure import T, theano

__all__ = ['Unknown', 'lengths', 'shape_of', 'set_shape', 'with_known_ones',
           'known_shape', 'known_value', 'known_length', 'unknown_shape', 'output_shapes', 'output_value']

INTEGERS = ('bool', 'int8', 'int16', 'int32', 'int64', 'uint8', 'uint16', 'uint32', 'uint64')
LONGEST_VALUE = 32    # no tensor has more axes


class Unknown:
    """A length that depends on the data."""


# -- queries --------------------------------------------------------------------------------------------------------

def shape_of(x: Any) -> tuple:
    """Return the lengths of a tensor: integers, and :class:`Unknown` if not known."""
    _derive(x)
    return known_shape(x)


def set_shape(x: Any, shape: Iterable) -> Any:
    """Record the lengths of a tensor, and return the tensor."""
    x.tag.keraflow_shape = tuple(shape)
    return x


def lengths(x: Any) -> list:
    """Return the length of each axis: an integer if known, else a symbolic scalar."""
    known = shape_of(x)
    if all(isinstance(n, int) for n in known):
        return list(known)
    shape = x.shape
    return [n if isinstance(n, int) else shape[i] for i, n in enumerate(known)]


def with_known_ones(x: Any) -> Any:
    """Make each axis of `x` broadcast whose length is known to be 1."""
    if all(x.broadcastable):
        return x
    found = [i for i, n in enumerate(shape_of(x)) if n == 1 and not x.broadcastable[i]]
    return T.Rebroadcast(*[(i, True) for i in found])(x) if found else x


# -- deriving -------------------------------------------------------------------------------------------------------

def _derive(x: Any) -> None:
    """Derive shape and value of `x` and its ancestors; without recursion, because graphs may be deep."""
    waiting = [x]
    while waiting:
        variable = waiting[-1]
        if _is_derived(variable):
            waiting.pop()
            continue
        missing = [v for v in variable.owner.inputs if not _is_derived(v)]
        if missing:
            waiting.extend(missing)
        else:
            _derive_outputs(variable.owner)
            waiting.pop()


def _is_derived(x: Any) -> bool:
    return x.owner is None or hasattr(x.tag, 'keraflow_shape')


def _derive_outputs(node: Any) -> None:
    shapes = output_shapes(node.op, node)
    for x, shape in zip(node.outputs, shapes):
        if shape is not None and hasattr(x.type, 'broadcastable'):
            shape = [1 if one else n for one, n in zip(x.type.broadcastable, shape)]
        set_shape(x, () if shape is None else shape)
    first = node.outputs[0]
    if getattr(first.type, 'ndim', 2) <= 1 and first.type.dtype in INTEGERS:
        first.tag.keraflow_value = output_value(node.op, node)


def known_shape(x: Any) -> tuple:
    """Return the lengths of a variable that are derived already."""
    if isinstance(x, theano.compile.SharedVariable) and hasattr(x.type, 'broadcastable'):
        return x.get_value(borrow=True).shape      # not recorded: the length of a variable may change
    if not hasattr(x.tag, 'keraflow_shape'):
        set_shape(x, x.data.shape if isinstance(x, T.TensorConstant) else unknown_shape(x))
    return x.tag.keraflow_shape


def unknown_shape(x: Any) -> tuple:
    """Return what the type says."""
    return tuple(1 if one else Unknown() for one in getattr(x.type, 'broadcastable', ()))


def known_value(x: Any) -> Any:
    """Return the derived value of an integer scalar (an integer or Unknown) or vector (a tuple of them); or None."""
    if isinstance(x, theano.graph.basic.Constant):
        if getattr(x.type, 'dtype', '') not in INTEGERS or x.type.ndim > 1 or x.data.size > LONGEST_VALUE:
            return None
        return tuple(int(n) for n in x.data) if x.type.ndim else int(x.data)
    value = getattr(x.tag, 'keraflow_value', None)
    return Unknown() if value is None and getattr(x.type, 'ndim', None) == 0 else value


def known_length(x: Any) -> Any:
    """Return the value of a length; a non-integer is a user's mistake, reported when there are data."""
    value = known_value(x)
    return Unknown() if isinstance(value, int) and value < 0 else value


# -- Ops without a rule ---------------------------------------------------------------------------------------------

@functools.singledispatch
def output_shapes(op: Any, node: Any) -> Sequence[Optional[Iterable]]:
    """Return the lengths of each output of a node, by :mod:`.shape_rules` or else by the Op's own ``infer_shape``."""
    symbols = [[_symbol(n) for n in known_shape(x)] if hasattr(x.type, 'ndim') else None for x in node.inputs]
    try:
        found = op.infer_shape(None, node, symbols)
        return [None if shape is None else [_number(n) for n in shape] for shape in found]
    except Exception:      # no infer_shape, or one that needs the whole graph: fall back to the type
        return [unknown_shape(x) for x in node.outputs]


def _symbol(n: Any) -> Any:
    """Return a scalar variable whose value is the length `n`."""
    if isinstance(n, int):
        return T.constant(n, dtype='int64')
    scalar = set_shape(T.lscalar(), ())
    scalar.tag.keraflow_value = n
    return scalar


def _number(n: Any) -> Any:
    """Return the length that a scalar variable, or a number, represents."""
    if not isinstance(n, theano.graph.basic.Variable):
        return int(n)
    _derive(n)
    return known_length(n)


@functools.singledispatch
def output_value(op: Any, node: Any) -> Any:
    """Return the value of the output of a node, an integer scalar or vector; ``None`` unless there is a rule."""
    return None
