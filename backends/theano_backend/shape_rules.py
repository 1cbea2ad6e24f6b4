"""The shapes of what Theano's Ops give, for :mod:`.static_shapes`; :mod:`.value_rules` has what integers are.

Other Ops are asked for their ``infer_shape``. These are common ones for which that is slow, or loses information: for
an elementwise Op it looks at only one operand.
"""
import math
from typing import Any, Callable, Iterable, Sequence

from .configure import T, theano
from .static_shapes import Unknown, known_length, known_shape, known_value, output_shapes, unknown_shape

__all__ = ['ViewOp', 'entries_of']

ViewOp = theano.compile.ViewOp    # stop_gradient and its like


def _shape_rule(*ops: Any) -> Callable:
    """Register a function from ``(op, node)`` to the lengths of each output: one shape for all of them."""

    def register(rule: Callable) -> Callable:
        for op in ops:
            output_shapes.register(op, lambda op, node: [tuple(rule(op, node))] * len(node.outputs))
        return rule

    return register


@_shape_rule(ViewOp, T.Rebroadcast, T.IncSubtensor, T.AdvancedIncSubtensor1, T.AdvancedIncSubtensor,
             T.extra_ops.CumOp, T.nnet.nnet.Softmax, T.opt.Assert)
def _like_first(op: Any, node: Any) -> Iterable:
    return known_shape(node.inputs[0])


@_shape_rule(T.Elemwise)
def _broadcast(op: Any, node: Any) -> Iterable:
    result = []
    for axis in range(node.outputs[0].ndim):
        found = [known_shape(x)[axis] for x in node.inputs if not x.broadcastable[axis]]
        # Operands that do not broadcast have one length: one that is known counts for all.
        result.append(next((n for n in found if isinstance(n, int)), found[0] if found else 1))
    return result


@_shape_rule(T.DimShuffle)
def _shuffled(op: Any, node: Any) -> Iterable:
    shape = known_shape(node.inputs[0])
    return [1 if axis == 'x' else shape[axis] for axis in op.new_order]


@_shape_rule(T.elemwise.CAReduce, T.MaxAndArgmax, T.basic.Argmax)
def _reduced(op: Any, node: Any) -> Iterable:
    shape = known_shape(node.inputs[0])
    return [] if op.axis is None else [n for axis, n in enumerate(shape) if axis not in op.axis]


@_shape_rule(T.Dot)
def _product(op: Any, node: Any) -> Iterable:
    x, y = map(known_shape, node.inputs)
    return x[:-1] + y[:-2] + y[-1:] if len(y) > 1 else x[:-1]


@_shape_rule(T.Alloc)
def _allocated(op: Any, node: Any) -> Iterable:
    return map(known_length, node.inputs[1:])


@_shape_rule(T.AdvancedSubtensor1)
def _taken(op: Any, node: Any) -> Iterable:
    x, indices = map(known_shape, node.inputs)
    return indices + x[1:]


@_shape_rule(T.opt.MakeVector)
def _listed(op: Any, node: Any) -> Iterable:
    return [len(node.inputs)]


@_shape_rule(theano.compile.ops.Shape)
def _counted(op: Any, node: Any) -> Iterable:
    return [len(known_shape(node.inputs[0]))]


@_shape_rule(T.Join)
def _joined(op: Any, node: Any) -> Iterable:
    axis, shapes = known_value(node.inputs[0]), [known_shape(x) for x in node.inputs[1:]]
    if not isinstance(axis, int):
        return unknown_shape(node.outputs[0])
    columns = list(zip(*shapes))
    result = [next((n for n in column if isinstance(n, int)), column[0]) for column in columns]
    parts = columns[axis]
    result[axis] = sum(parts) if all(isinstance(n, int) for n in parts) else Unknown()
    return result


@_shape_rule(T.Subtensor)
def _sliced(op: Any, node: Any) -> Iterable:
    shape = known_shape(node.inputs[0])
    entries = entries_of(node)
    result = [_slice_length(entry, n) for entry, n in zip(entries, shape) if isinstance(entry, slice)]
    return result + list(shape[len(entries):])


def entries_of(node: Any) -> list:
    """Return the indices of a Subtensor: integers, Unknown, and slices of these and None."""

    def known(entry: Any) -> Any:
        return entry if entry is None or isinstance(entry, int) else known_value(entry)

    entries = T.subtensor.get_idx_list(node.inputs, node.op.idx_list)
    return [slice(*map(known, (entry.start, entry.stop, entry.step))) if isinstance(entry, slice) else known(entry)
            for entry in entries]


def _slice_length(part: slice, n: Any) -> Any:
    """Return how many of `n` items a slice takes."""
    parts = (part.start, part.stop, part.step)
    # One Unknown is one length: x[:x.shape[0]] has all of x.
    is_whole = part.start in (None, 0) and part.step in (None, 1) and (part.stop is None or part.stop is n)
    if is_whole or part == slice(None, None, -1):
        return n
    if isinstance(n, int) and all(p is None or isinstance(p, int) for p in parts):
        return len(range(*part.indices(n)))
    return Unknown()


@_shape_rule(T.Reshape)
def _reshaped(op: Any, node: Any) -> Iterable:
    target = known_value(node.inputs[1])
    if target is None:
        return unknown_shape(node.outputs[0])
    if -1 in target:
        rest = list(target)
        rest.remove(-1)
        target = [_quotient(known_shape(node.inputs[0]), rest) if n == -1 else n for n in target]
    return target


def _quotient(shape: Sequence, rest: Sequence) -> Any:
    """Return the length that is left of `shape` after dividing by `rest`; equal unknown lengths cancel."""
    above, below = list(shape), list(rest)
    for n in rest:
        if isinstance(n, Unknown) and n in above:
            above.remove(n)
            below.remove(n)
    unknown = [n for n in above if isinstance(n, Unknown)]
    number = math.prod(n for n in above if isinstance(n, int))
    if all(isinstance(n, int) for n in below) and math.prod(below):
        number //= math.prod(below)
        if not unknown:
            return number
        if len(unknown) == 1 and number == 1:
            return unknown[0]
    return Unknown()
