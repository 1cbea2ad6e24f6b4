"""Repairs of Theano's graphs and graph rewrites; :mod:`.repairs` lists the faults.

Nothing here imports Theano at the top, because its settings must be in place first (see :mod:`.configure`).
"""
from typing import Any

import numpy as np

__all__ = ['repair_comparisons', 'repair_constant_folding', 'repair_new_axes', 'repair_numpy_aliases',
           'repair_rebroadcast']


def repair_numpy_aliases() -> None:
    """Replace the two functions in use that refer to ``np.complex``."""
    from theano.scalar.basic import Mod
    from theano.tensor import basic
    basic.numpy_scalar = _numpy_scalar
    Mod.impl = lambda op, x, y: x % y


def _numpy_scalar(data: np.ndarray) -> np.ndarray:
    """Return `data` if it is a single number; otherwise do what Theano does."""
    from theano.tensor.basic import EmptyConstantError, NotScalarConstantError
    if data.ndim > 0 and data.size == 0:
        raise EmptyConstantError()
    if data.size == 1 and data.dtype.kind in 'biufc':
        return data
    raise NotScalarConstantError('v.data is non-numeric, non-scalar, or has more than one unique value', data)


def repair_rebroadcast() -> None:
    """Let the rewrite that ``patternbroadcast`` tries at once do without a compiled function: there is none yet."""
    from theano.tensor import opt

    def apply_rebroadcast_opt(x: Any) -> Any:
        found = opt.local_useless_rebroadcast.transform(None, x.owner)
        return found[0] if found else x

    opt.apply_rebroadcast_opt = apply_rebroadcast_opt


def repair_comparisons() -> None:
    """Compare reals with themselves in each run, instead of a rewrite that assumes the answer."""
    from theano.scalar import basic as scalars
    from theano.tensor import opt
    from theano.tensor.elemwise import Elemwise
    kinds = scalars.EQ, scalars.NEQ, scalars.LE, scalars.GE

    def unless_real(original: Any) -> Any:
        def rewrite(fgraph: Any, node: Any) -> Any:
            is_comparison = isinstance(node.op, Elemwise) and isinstance(node.op.scalar_op, kinds)
            if is_comparison and node.inputs[0] is node.inputs[1] and node.inputs[0].dtype in ('float32', 'float64'):
                return False
            return original(fgraph, node)
        return rewrite
    for rewriter in (opt.local_useless_elemwise, opt.local_useless_elemwise_comparison):
        rewriter.fn = unless_real(rewriter.fn)


def repair_new_axes() -> None:
    """Let ``x[:, None]`` mean ``x[:, None, ...]``."""
    from theano.tensor.var import _tensor_py_operators as operators
    original = operators.__getitem__

    def __getitem__(self: Any, index: Any) -> Any:
        parts = index if isinstance(index, tuple) else (index,)
        if any(part is None for part in parts) and not any(part is Ellipsis for part in parts):
            index = parts + (Ellipsis,)
        return original(self, index)

    operators.__getitem__ = __getitem__


def repair_constant_folding() -> None:
    """Fold constants in Python, and leave those that an Op refuses to the run."""
    import theano
    from theano.graph.utils import MethodNotDefined
    from theano.tensor import opt
    original = opt.constant_folding.fn

    def constant_folding(fgraph: Any, node: Any) -> Any:
        if not all(isinstance(one, theano.graph.basic.Constant) for one in node.inputs):
            return False
        try:
            with theano.config.change_flags(cxx=''):
                return original(fgraph, node)
        except (NotImplementedError, MethodNotDefined):     # an Op with C code only
            return original(fgraph, node)
        except AssertionError:                              # an Op refuses its constants: left to the run
            return False

    opt.constant_folding.fn = constant_folding
