"""The faults of Theano-PyMC 1.1.2, its last release, that are repaired in place for lack of hooks.

:data:`REPAIRS` lists them, each with the function that repairs it. They apply to the whole process, so that the
program's own functions are right, too. ``tests/theano_plugin/faults.py`` shows each fault in an unrepaired Theano, and
that the repair removes it.

Two are mended elsewhere: the compiled driver of ``scan`` is built anew when a loop first needs it (:mod:`.scan`),
and settings without which Theano cannot be imported are made before (:mod:`.configure`). Python's operators follow the
contract where keraflow runs layers, and only there (:mod:`keraflow.backend.operators`). Otherwise Theano is left alone:
what it lacks, or does differently from the contract, the plugin's own Ops and operations do.
"""
import importlib
import warnings
from typing import Callable, NamedTuple

from .code_repairs import repair_batched_dot, repair_code_loading, repair_code_versions, repair_module_keys
from .compilers import repair_compiling
from .configure import theano
from .graph_repairs import (repair_comparisons, repair_constant_folding, repair_gradients_of_scans, repair_long_sums,
                            repair_new_axes, repair_numpy_aliases, repair_rebroadcast)
from .origins import repair_traces
from .python_convolutions import repair_convolutions
from .vector_functions import repair_functions

__all__ = ['REPAIRS', 'Repair', 'load_linker', 'repair']


class Repair(NamedTuple):
    """A fault of Theano, and its repair in the imported module."""

    fault: str
    apply: Callable[[], None]


REPAIRS = (
    # Wrong results, and failing programs.
    Repair('x == x, x <= x and x >= x are True of NaN: rewrites take it for a number', repair_comparisons),
    Repair('x[:, None] loses the axes behind those that the index names', repair_new_axes),
    Repair('patternbroadcast and its like fail for what a function of one tensor gave, as tanh', repair_rebroadcast),
    Repair('the second gradient of all steps of a scan counts what reaches each step twice, and the third fails',
           repair_gradients_of_scans),
    Repair('sums and products of 32 tensors fail where there is no compiler', repair_long_sums),
    Repair('np.complex is asked for, which NumPy tells off: where warnings are errors no constant is known, and mod '
           'fails', repair_numpy_aliases),
    Repair('products of batches fail where there is no BLAS: their C code takes it for granted', repair_batched_dot),
    Repair('convolution and pooling in Python fail: they call what SciPy and NumPy no longer have',
           repair_convolutions),
    # Time.
    Repair('compiled modules of Ops with C code in a file are never found again: their version is a hash of text, '
           'which differs between processes', repair_code_versions),
    Repair('nor are those of graphs with an Op without properties, whose empty list is taken for a missing version',
           repair_module_keys),
    Repair('C code is compiled for each Op that depends on constants alone, and run once; one that refuses its '
           'constants is logged as a failure of Theano', repair_constant_folding),
    Repair('the modules of a function are compiled one after the other, with symbols for a debugger', repair_compiling),
    Repair('exponential functions and logarithms are computed for one number after the other, where the C library has '
           'them for vectors', repair_functions),
    Repair('the file of C code of an Op is read for each Op of its kind that is made', repair_code_loading),
    Repair('lines of source code are read for each node that is made, in case it should fail', repair_traces))


def repair() -> None:
    """Repair the imported Theano; repeating it does no harm."""
    if not hasattr(theano, 'is_repaired_by_keraflow'):
        theano.is_repaired_by_keraflow = True
        for one in REPAIRS:
            one.apply()


def load_linker() -> None:
    """Load the compiled part of Theano's virtual machine, which is built once for each compile directory.

    Its build leaves a file open, and so a ``ResourceWarning``. Warning filters are shared by all threads, so they are
    changed only while the plugin is imported.
    """
    if theano.config.cxx:
        with warnings.catch_warnings():
            warnings.simplefilter('ignore')
            importlib.import_module('theano.link.c.lazylinker_c')
