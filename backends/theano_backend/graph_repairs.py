"""Repairs of Theano's graphs and graph rewrites; :mod:`.repairs` lists the faults."""
import functools
import sys
from typing import Any

import numpy as np

from keraflow.errors import BackendError

from .configure import T, theano

__all__ = ['repair_comparisons', 'repair_constant_folding', 'repair_gradients_of_scans', 'repair_long_sums',
           'repair_new_axes', 'repair_numpy_aliases', 'repair_rebroadcast']


def repair_numpy_aliases() -> None:
    """Replace the two functions in use that refer to ``np.complex``."""
    T.basic.numpy_scalar = _numpy_scalar
    theano.scalar.basic.Mod.impl = lambda op, x, y: x % y


def _numpy_scalar(data: np.ndarray) -> np.ndarray:
    """Return `data` if it is a single number; otherwise do what Theano does."""
    if data.ndim > 0 and data.size == 0:
        raise T.basic.EmptyConstantError()
    if data.size == 1 and data.dtype.kind in 'biufc':
        return data
    raise T.basic.NotScalarConstantError('v.data is non-numeric, non-scalar, or has more than one unique value', data)


def repair_rebroadcast() -> None:
    """Let the rewrite that ``patternbroadcast`` tries at once do without a compiled function: there is none yet."""
    def apply_rebroadcast_opt(x: Any) -> Any:
        found = T.opt.local_useless_rebroadcast.transform(None, x.owner)
        return found[0] if found else x

    T.opt.apply_rebroadcast_opt = apply_rebroadcast_opt


def repair_comparisons() -> None:
    """Compare reals with themselves in each run, instead of a rewrite that assumes the answer."""
    scalars = theano.scalar.basic
    kinds = scalars.EQ, scalars.NEQ, scalars.LE, scalars.GE

    def unless_real(original: Any) -> Any:
        def rewrite(fgraph: Any, node: Any) -> Any:
            is_comparison = isinstance(node.op, T.Elemwise) and isinstance(node.op.scalar_op, kinds)
            if is_comparison and node.inputs[0] is node.inputs[1] and node.inputs[0].dtype in ('float32', 'float64'):
                return False
            return original(fgraph, node)
        return rewrite
    for rewriter in (T.opt.local_useless_elemwise, T.opt.local_useless_elemwise_comparison):
        rewriter.fn = unless_real(rewriter.fn)


def repair_new_axes() -> None:
    """Let ``x[:, None]`` mean ``x[:, None, ...]``."""
    operators = sys.modules['theano.tensor.var']._tensor_py_operators     # a function hides the module
    original = operators.__getitem__

    def __getitem__(self: Any, index: Any) -> Any:
        parts = index if isinstance(index, tuple) else (index,)
        if any(part is None for part in parts) and not any(part is Ellipsis for part in parts):
            index = parts + (Ellipsis,)
        return original(self, index)

    operators.__getitem__ = __getitem__


def repair_gradients_of_scans() -> None:
    """Let the gradient of a gradient of a loop forget what a later step writes over, and refuse the one after it.

    The gradient of a ``scan`` adds to its arrays in place. In the gradient of that, the gradient of what is written
    replaces that of what was there before; Theano adds the two. The third gradient would need the values that were
    written over, which nobody kept.
    """
    op: Any = sys.modules['theano.scan.op']      # its package has a function in that place
    clone, original = op.clone, op.Scan.L_op

    def without_written_over(output: Any, replace: Any) -> Any:
        return clone(output, replace=[(before, T.zeros_like(written)) for before, written in replace])

    def L_op(self: Any, inputs: Any, outs: Any, dC_douts: Any) -> Any:
        if self.name.startswith('grad_of_grad_of_'):
            raise BackendError('gradients: Theano knows the first and the second gradient of a loop over time, not the '
                               'third. Write the steps out with unroll=True, or use another backend.')
        return original(self, inputs, outs, dC_douts)

    op.clone, op.Scan.L_op = without_written_over, L_op     # the only call of clone is the one that adds


def repair_long_sums() -> None:
    """Let Python add and multiply 32 tensors or more, which no function of NumPy takes at once: two at a time."""
    original = T.Elemwise.prepare_node

    def prepare_node(self: Any, node: Any, storage_map: Any, compute_map: Any, impl: Any) -> None:
        original(self, node, storage_map, compute_map, impl)
        if len(node.inputs) >= 32 and self.scalar_op.nin < 0:
            node.tag.ufunc = _InTurn(self.scalar_op)

    T.Elemwise.prepare_node = prepare_node


class _InTurn:
    """Looks like a function of NumPy to ``Elemwise``."""

    nout = 1

    def __init__(self, op: Any):
        self._of_two = np.frompyfunc(op.impl, 2, 1)

    def __call__(self, *inputs: Any) -> Any:
        return functools.reduce(self._of_two, inputs)


def repair_constant_folding() -> None:
    """Fold constants in Python, and leave those that an Op refuses to the run."""
    original = T.opt.constant_folding.fn

    def constant_folding(fgraph: Any, node: Any) -> Any:
        if not all(isinstance(one, theano.graph.basic.Constant) for one in node.inputs):
            return False
        try:
            with theano.config.change_flags(cxx=''):      # compiling takes longer than computing once
                return original(fgraph, node)
        except (NotImplementedError, theano.graph.utils.MethodNotDefined):     # an Op with C code only
            return original(fgraph, node)
        except AssertionError:                              # an Op refuses its constants: left to the run
            return False

    T.opt.constant_folding.fn = constant_folding
