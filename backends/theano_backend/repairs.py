"""Faults of Theano-PyMC 1.1.2 that are repaired in place, because it has no hooks there.

Nothing here imports Theano at the top: its settings must be there first (see :mod:`.configure`).
"""
import hashlib
import importlib
import warnings
from typing import Any, Iterator

import numpy as np

from .origins import repair_traces
from .python_convolutions import repair_convolutions

__all__ = ['repair', 'load_linker']


def repair() -> None:
    """Repair the imported Theano; more than once does no harm."""
    from theano.link.c.basic import CLinker
    if not hasattr(CLinker.cmodule_key_, 'of_keraflow'):
        _repair_cache_keys(CLinker)
        _repair_numpy_aliases()
        _repair_new_axes()
        _repair_rebroadcast()
        _repair_code_loading()
        _repair_constant_folding()
        _repair_batched_dot()
        _repair_comparisons()
        repair_convolutions()
        repair_traces()


def load_linker() -> None:
    """Load the compiled part of Theano's virtual machine, which is built once for each compile directory.

    Its build leaves a file open, and a ``ResourceWarning`` with it. Filters of warnings are those of all threads, so
    that they are changed while the plugin is imported, and never later.
    """
    import theano
    if theano.config.cxx:
        with warnings.catch_warnings():
            warnings.simplefilter('ignore')
            importlib.import_module('theano.link.c.lazylinker_c')


# -- NumPy's old names ----------------------------------------------------------------------------------------------

def _repair_numpy_aliases() -> None:
    """Replace the two functions in use that say ``np.complex``, which NumPy answers with a DeprecationWarning.

    Where warnings are errors, the first one takes every constant for an unknown.
    """
    from theano.scalar.basic import Mod
    from theano.tensor import basic
    basic.numpy_scalar = _numpy_scalar
    Mod.impl = lambda op, x, y: x % y


def _numpy_scalar(data: np.ndarray) -> np.ndarray:
    """`data`, if it is one number; as in Theano otherwise."""
    from theano.tensor.basic import EmptyConstantError, NotScalarConstantError
    if data.ndim > 0 and data.size == 0:
        raise EmptyConstantError()
    if data.size == 1 and data.dtype.kind in 'biufc':
        return data
    raise NotScalarConstantError('v.data is non-numeric, non-scalar, or has more than one unique value', data)


# -- lengths of 1 ---------------------------------------------------------------------------------------------------

def _repair_rebroadcast() -> None:
    """Let ``patternbroadcast`` and its like take the result of a function of one tensor, such as ``tanh``.

    They try a rewrite at once that asks the function being compiled, and there is none yet.
    """
    from theano.tensor import opt

    def apply_rebroadcast_opt(x: Any) -> Any:
        found = opt.local_useless_rebroadcast.transform(None, x.owner)
        return found[0] if found else x

    opt.apply_rebroadcast_opt = apply_rebroadcast_opt


# -- NaN ------------------------------------------------------------------------------------------------------------

def _repair_comparisons() -> None:
    """Let reals be compared with themselves: rewrites take it for true that ``x == x``, ``x <= x`` and ``x >= x``."""
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


# -- indexing -------------------------------------------------------------------------------------------------------

def _repair_new_axes() -> None:
    """Let ``x[:, None]`` be ``x[:, None, ...]``: with a new axis Theano forgets the axes that the index leaves out."""
    from theano.tensor.var import _tensor_py_operators as operators
    original = operators.__getitem__

    def __getitem__(self: Any, index: Any) -> Any:
        parts = index if isinstance(index, tuple) else (index,)
        if any(part is None for part in parts) and not any(part is Ellipsis for part in parts):
            index = parts + (Ellipsis,)
        return original(self, index)

    operators.__getitem__ = __getitem__


# -- speed ----------------------------------------------------------------------------------------------------------

def _repair_code_loading() -> None:
    """Read the file of an Op's C code once: Theano reads it for each Op, and each broadcast scalar makes one."""
    from theano.graph.op import ExternalCOp
    original = ExternalCOp.load_c_code
    loaded: dict = {}

    def load_c_code(self: Any, func_files: Any) -> None:
        key = (type(self), tuple(func_files))
        if key not in loaded:
            original(self, func_files)
            loaded[key] = self.func_codes, self.code_sections
        self.func_codes, sections = loaded[key]
        self.code_sections = dict(sections)

    ExternalCOp.load_c_code = load_c_code


def _repair_constant_folding() -> None:
    """Compute what depends on constants alone in Python: Theano compiles C code for each Op that is then run once.

    And log no failure of its own where these are refused.
    """
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
        except (NotImplementedError, MethodNotDefined):     # an Op that has only C code
            return original(fgraph, node)
        except AssertionError:                              # a refusal of constants: told when the function runs
            return False

    opt.constant_folding.fn = constant_folding


# -- the cache of compiled modules ----------------------------------------------------------------------------------

def _repair_batched_dot() -> None:
    """Let batches of matrix products be computed with NumPy where there is no BLAS, which their C code takes for
    granted: it does not load without."""
    import theano
    from theano.graph.utils import MethodNotDefined
    from theano.tensor.blas import BatchedDot
    original = BatchedDot.c_code

    def c_code(op: Any, *args: Any) -> str:
        if not theano.config.blas__ldflags:
            raise MethodNotDefined('BatchedDot.c_code')
        return original(op, *args)
    BatchedDot.c_code = c_code


def _repair_cache_keys(linker: Any) -> None:
    """Let the next process find the modules that this one compiled: two faults give them keys of no use to others."""
    from theano.graph.op import ExternalCOp
    ExternalCOp.c_code_cache_version = _external_code_version
    linker.cmodule_key_ = _versioned_key(linker.cmodule_key_)


def _external_code_version(op: Any) -> tuple:
    """For an Op with C code in a file. Theano takes ``hash`` of the text, which differs in each process."""
    version: tuple = (hashlib.sha256('\0'.join(op.func_codes).encode()).hexdigest(),)
    if hasattr(op, 'params_type'):
        version += (op.params_type.c_code_cache_version(),)
    return version


def _versioned_key(original: Any) -> Any:
    """For a graph with an Op without properties. Theano takes their empty list for a missing version."""

    def cmodule_key_(self: Any, fgraph: Any, *args: Any, **kwargs: Any) -> Any:
        key = original(self, fgraph, *args, **kwargs)
        if key is None or key[0]:
            return key
        version = tuple(_versions(self.schedule(fgraph)))
        return (version + ('keraflow',), key[1]) if all(version) else key

    cmodule_key_.of_keraflow = True  # type: ignore[attr-defined]
    return cmodule_key_


def _versions(nodes: Any) -> Iterator:
    """The versions of the C code of Ops and types, without the Ops' properties, which are in the key anyway."""
    from theano.link.c.interface import CLinkerObject
    for node in nodes:
        if hasattr(node.op, 'c_code_cache_version_apply'):
            yield node.op.c_code_cache_version_apply(node)
        for variable in node.inputs + node.outputs:
            if isinstance(variable.type, CLinkerObject):
                yield variable.type.c_code_cache_version()
