"""Let C code compute exp, log and tanh for several numbers at once; :mod:`.repairs` lists this as a repair.

The C library of Linux has them for vectors, accurate to 4 units in the last place, but GCC uses these only if a program
asks for inexact arithmetic as a whole, or declares them. The tanh of 330,000 numbers takes 0.07 ms instead of 4.6, the
exp 0.07 instead of 0.5.
"""
from typing import Any

from .configure import theano

__all__ = ['repair_functions']

scalars = theano.scalar.basic

#: The Ops whose C code calls one of the functions below.
_OPS = (scalars.Exp, scalars.Log, scalars.Tanh, theano.tensor.nnet.sigm.ScalarSigmoid)

#: Does nothing where the C library lacks them.
DECLARED = """
#if defined(__GNUC__) && !defined(__clang__) && defined(__x86_64__) && defined(__GLIBC_PREREQ)
#define KERAFLOW_OF_VECTORS(name) extern "C" { \\
    __attribute__((__simd__("notinbranch"))) double name(double) noexcept; \\
    __attribute__((__simd__("notinbranch"))) float name##f(float) noexcept; }
#if __GLIBC_PREREQ(2, 22)
KERAFLOW_OF_VECTORS(exp)
KERAFLOW_OF_VECTORS(log)
#endif
#if __GLIBC_PREREQ(2, 35)
KERAFLOW_OF_VECTORS(tanh)
#endif
#endif
"""


def repair_functions() -> None:
    """Declare the functions in the C code of each Op that calls them."""
    for kind in _OPS:
        _declare(kind)


def _declare(kind: Any) -> None:
    original, version = kind.c_support_code, kind.c_code_cache_version

    def c_support_code(op: Any, **kwargs: Any) -> str:
        return original(op, **kwargs) + DECLARED

    def c_code_cache_version(op: Any) -> tuple:
        return (*version(op), 'vectors', 1)         # to be raised with each change of DECLARED

    kind.c_support_code, kind.c_code_cache_version = c_support_code, c_code_cache_version
