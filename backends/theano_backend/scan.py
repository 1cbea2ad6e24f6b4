"""The compiled driver of ``theano.scan``, rebuilt for newer Pythons."""
import importlib
import os
import re
import sys
import warnings

from .configure import COMPILING, theano

__all__ = ['build_scan_extension']

EXTENSION = 'theano.scan.scan_perform_ext'
VERSION = 0.298    # of the driver, as in Theano-PyMC 1.1.2
REVISION = 1       # of what is adapted here: the driver of an older one is built again

#: Cython's shortcuts into CPython's structures, which Python 3.11 changed; each has a slower path through the API.
FLAGS = ['-fwrapv', '-O2', '-fno-strict-aliasing', '-w', '-DCYTHON_USE_PYLONG_INTERNALS=0', '-DCYTHON_FAST_PYCALL=0',
         '-DCYTHON_FAST_THREAD_STATE=0', '-DCYTHON_USE_EXC_INFO_STACK=0']

#: ``PyCode_New`` has other arguments since Python 3.11. The code objects only serve tracebacks: an empty one will do.
CODE_OBJECTS = '''
#if PY_VERSION_HEX >= 0x030B0000
#undef __Pyx_PyCode_New
#define __Pyx_PyCode_New(a, k, l, s, f, code, c, n, v, fv, cell, fn, name, fline, lnos) \\
    PyCode_NewEmpty(PyUnicode_AsUTF8(fn), PyUnicode_AsUTF8(name), fline)
#endif
'''


def build_scan_extension() -> bool:
    """Build the compiled driver before the first function with a ``scan`` is compiled.

    Theano compiles the driver from C written by an old Cython, which Python 3.11 rejects; it then falls back to Python
    at each step. Here the same file is adapted to Python 3.11 and compiled into the place where Theano looks for it.

    Returns
    -------
    bool
        Whether the driver can be used. If not, there is one warning (none without a compiler), and Theano uses Python.
    """
    with COMPILING:
        if EXTENSION in sys.modules or not theano.config.cxx:
            return sys.modules.get(EXTENSION) is not None
        return _is_loaded()


def _is_loaded() -> bool:
    try:
        _build()
        importlib.import_module(EXTENSION)
    except Exception as error:      # compilers fail in many ways, and Theano runs without the driver
        sys.modules[EXTENSION] = None  # type: ignore[assignment]      # its import fails at once from now on
        warnings.warn(f'keraflow: the compiled driver of theano.scan could not be built, so recurrent layers take '
                      f'each step through Python ({type(error).__name__}: {str(error)[:200]}).',
                      RuntimeWarning, stacklevel=2)
        return False
    return True


def _build() -> None:
    """Compile the driver unless the compile directory has it."""
    compiler = theano.link.c.cmodule.GCC_compiler
    folder = os.path.join(theano.config.compiledir, 'scan_perform')
    os.makedirs(folder, exist_ok=True)
    version_file = os.path.join(folder, '__init__.py')
    version_line = f'_version = {VERSION}\nrevision = {REVISION}\n'
    with theano.compile.compilelock.lock_ctx(folder):      # processes share the folder
        if os.path.exists(version_file):
            with open(version_file) as file:
                if version_line in file.read():
                    return
        with open(os.path.join(theano.__path__[0], 'scan', 'c_code', 'scan_perform.c')) as file:
            source = _for_new_pythons(file.read())
        compiler.compile_str('scan_perform', source, location=folder, hide_symbols=False,
                             preargs=FLAGS + compiler.compile_args())
        # Last, so that an interrupted build is not taken for a finished one.
        with open(version_file, 'w') as file:
            file.write(version_line)


def _for_new_pythons(source: str) -> str:
    """Remove what Python 3.11 rejects from Theano's C file, and a slip that hides errors inside of a loop."""
    # Of the loop's function, not of the machine that runs it, which has none: an AttributeError instead of the error.
    source = source.replace('__pyx_v_fn, __pyx_n_s_maker', '__pyx_v_fnct, __pyx_n_s_maker')
    source = re.sub(r'#define __Pyx_PyFrame_SetLineNumber\(frame, lineno\).*',
                    '#define __Pyx_PyFrame_SetLineNumber(frame, lineno) ((void)0)', source)
    end_of_macros = source.index('typedef struct {PyObject **p;')
    return source[:end_of_macros] + CODE_OBJECTS + source[end_of_macros:]
