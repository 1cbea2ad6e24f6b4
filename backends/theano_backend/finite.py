"""Numbers that must be finite, or else a function sets no variable."""
import collections
import math
import sys
from typing import Any, Dict, List, Sequence, Set, Tuple

import numpy as np

from keraflow.backend.refusals import STOP

from .configure import T, theano

__all__ = ['CHECKS_FIRST', 'while_finite']

#: The name of the rewrite, for modes that include it.
CHECKS_FIRST = 'keraflow_checks_first'


class _WhileFinite(theano.graph.op.Op):
    """The first input, if all numbers of the others are finite; else the run fails with the text :data:`STOP`."""

    view_map = {0: [0]}
    __props__ = ()

    def make_node(self, *inputs: Any) -> Any:
        return theano.graph.basic.Apply(self, list(inputs), [inputs[0].type()])

    def perform(self, node: Any, inputs: Sequence, outputs: List[list]) -> None:
        x, *numbers = inputs
        # In Python, because it takes a microsecond, and another module of C code takes half a second to compile. The
        # sum of squares is not finite if a number is not; if numbers are merely large, the second check finds nothing.
        for number, one in enumerate(numbers):
            if not math.isfinite(np.vdot(one, one)) and not np.isfinite(one).all():
                raise AssertionError(STOP.format('', f'{number} {float(np.sum(one))!r}', ''))
        outputs[0][0] = x

    def infer_shape(self, fgraph: Any, node: Any, shapes: Sequence) -> list:
        return [shapes[0]]


while_finite = _WhileFinite()
#: Nodes in which a run may fail because of its data.
_CHECKS = _WhileFinite, T.opt.Assert, sys.modules['theano.scan.op'].Scan      # whose package has a function there


class _ChecksFirst(theano.graph.toolbox.Feature):
    """Let a function check all that it can before it computes the first new value in the place of the old one.

    Otherwise a run that fails would have set some variables, and others not.
    """

    def orderings(self, fgraph: Any) -> Dict[Any, list]:
        late, _, checks = _parts_of(fgraph)
        return collections.OrderedDict((node, list(checks)) for node in late if checks)


class _LetChecksBeFirst(theano.graph.opt.GlobalOptimizer):
    def apply(self, fgraph: Any) -> None:
        _, behind, checks = _parts_of(fgraph)
        # What computes in the place of a tensor waits for all others that read it. If one of them must wait for the
        # checks, and these for what computes there, that gets a copy.
        before, left, orders = set(checks), list(checks), fgraph.orderings()
        while left:
            node = left.pop()
            readers = orders.get(node, [])
            if any(one in behind for one in readers):
                for [number] in node.op.destroy_map.values():
                    fgraph.change_input(node, number, theano.compile.ops.deep_copy_op(node.inputs[number]))
                readers = []
            for one in [*readers, *(x.owner for x in node.inputs if x.owner is not None)]:
                if one not in before:
                    before.add(one)
                    left.append(one)
        fgraph.attach_feature(_ChecksFirst())


def _parts_of(fgraph: Any) -> Tuple[list, Set[Any], list]:
    """Return the nodes that compute in the place of a variable, these and all that depend on them, and other checks."""
    inputs = set(fgraph.inputs)
    late: List[Any] = []
    behind: Set[Any] = set()
    checks: List[Any] = []
    for node in theano.graph.basic.io_toposort(fgraph.inputs, fgraph.outputs):
        is_late = _sets_one_of(inputs, node)
        if is_late:
            late.append(node)
        if is_late or any(x.owner in behind for x in node.inputs):
            behind.add(node)
        elif isinstance(node.op, _CHECKS):
            checks.append(node)
    return late, behind, checks


def _sets_one_of(inputs: Set[Any], node: Any) -> bool:
    """Return whether a node computes in the place of one of these inputs of a function."""
    destroyed = [number for some in getattr(node.op, 'destroy_map', {}).values() for number in some]
    return any(_source_of(node.inputs[number]) in inputs for number in destroyed)


def _source_of(x: Any) -> Any:
    """Return the tensor whose memory a tensor shares."""
    while True:
        views = {} if x.owner is None else getattr(x.owner.op, 'view_map', {})
        if x.index not in views:
            return x
        x = x.owner.inputs[views[x.index][0]]


# After all rewrites.
theano.compile.mode.optdb.register(CHECKS_FIRST, _LetChecksBeFirst(), 200)
