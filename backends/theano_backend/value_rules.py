"""The values of the integers that Theano's Ops give, for :mod:`.static_shapes`: they become lengths of other tensors.

An Op that is not here gives what is not known before there is data.
"""
import math
from typing import Any, Callable, Sequence

from .configure import T, theano
from .shape_rules import ViewOp, entries_of
from .static_shapes import Unknown, known_shape, known_value, output_value

__all__: list = []


def _value_rule(*ops: Any) -> Callable:
    """Register a function from ``(op, node)`` to the value of the first output."""

    def register(rule: Callable) -> Callable:
        for op in ops:
            output_value.register(op, rule)
        return rule

    return register


@_value_rule(ViewOp, T.Rebroadcast, T.opt.Assert, T.TensorFromScalar, T.ScalarFromTensor)
def _same_value(op: Any, node: Any) -> Any:
    return known_value(node.inputs[0])


@_value_rule(theano.compile.ops.Shape)
def _shape_value(op: Any, node: Any) -> Any:
    return known_shape(node.inputs[0])


@_value_rule(theano.compile.ops.Shape_i)
def _length_value(op: Any, node: Any) -> Any:
    return known_shape(node.inputs[0])[op.i]


@_value_rule(T.opt.MakeVector)
def _vector_value(op: Any, node: Any) -> Any:
    return tuple(map(known_value, node.inputs))


@_value_rule(T.Join)
def _joined_value(op: Any, node: Any) -> Any:
    parts = [known_value(x) for x in node.inputs[1:]]
    return None if None in parts else sum(parts, ())


@_value_rule(T.DimShuffle)
def _shuffled_value(op: Any, node: Any) -> Any:
    value = known_value(node.inputs[0])
    if value is None or len(op.new_order) == node.inputs[0].ndim:
        return value
    return (value,) if op.new_order else value[0]


@_value_rule(T.Subtensor)
def _sliced_value(op: Any, node: Any) -> Any:
    value, entries = known_value(node.inputs[0]), entries_of(node)
    if value is None or not isinstance(value, tuple) or len(entries) != 1:
        return value if not entries else None
    entry = entries[0]
    parts = (entry.start, entry.stop, entry.step) if isinstance(entry, slice) else (entry,)
    if any(isinstance(p, Unknown) for p in parts):
        return None
    try:
        return value[entry]
    except IndexError:      # told when the data are there
        return None


@_value_rule(T.elemwise.CAReduce)
def _reduced_value(op: Any, node: Any) -> Any:
    value = known_value(node.inputs[0])
    function: Any = {theano.scalar.mul: math.prod, theano.scalar.add: sum}.get(op.scalar_op)
    if function and isinstance(value, tuple) and all(isinstance(n, int) for n in value):
        return function(value)
    return None


@_value_rule(T.Elemwise)
def _elementwise_value(op: Any, node: Any) -> Any:
    values = [known_value(x) for x in node.inputs]
    if any(value is None for value in values):
        return None
    if node.outputs[0].ndim == 0:
        return _scalar_value(op.scalar_op, values)
    size = max(len(value) for value in values)
    rows = [value * size if len(value) == 1 else value for value in values]
    return tuple(_scalar_value(op.scalar_op, column) for column in zip(*rows))


def _scalar_value(op: Any, values: Sequence) -> Any:
    """Return the value of a scalar Op of these operands."""
    if isinstance(op, (theano.scalar.Cast, theano.scalar.Identity)):
        return values[0]
    if isinstance(op, theano.scalar.Switch) and isinstance(values[0], int):
        return values[1] if values[0] else values[2]
    if any(isinstance(value, Unknown) for value in values):
        return Unknown()
    try:
        return int(op.impl(*values))
    except Exception:      # an operation that Theano has only in C, or a division by zero
        return Unknown()
