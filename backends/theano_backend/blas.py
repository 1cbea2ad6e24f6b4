"""Find the BLAS for Theano to link with: the first on the machine with which a small program links and runs."""
import ctypes.util
import glob
import importlib.util
import os
import re
import subprocess
import sys
import tempfile
from typing import Iterator

__all__ = ['find_blas']

#: Calls BLAS; ``{0}`` is the name of the function in the library.
PROGRAM = '''extern "C" double {0}(int*, double*, int*, double*, int*);
int main() {{ int n = 1; double x = 2; return {0}(&n, &x, &n, &x, &n) == 4. ? 0 : 1; }}'''


def find_blas(compiler: str) -> tuple:
    """Return linker flags and preprocessor definitions of the first BLAS that works; empty if there is none."""
    for libraries, prefix in _candidates():
        if _links(compiler, libraries, prefix + 'ddot_'):
            # SciPy's wheels rename the functions of their BLAS; Theano's C code calls them by the usual names.
            names = _names() if prefix else []
            return libraries, ' '.join(f'-D{name}={prefix}{name}' for name in names)
    return '', ''


def _candidates() -> Iterator:
    """Yield ``(linker flags, prefix of the functions' names)`` for the places where BLAS may be."""
    linux = sys.platform.startswith('linux')
    library = ctypes.util.find_library('openblas')
    if library:
        yield '-lopenblas', ''
        if linux:
            yield '-l:' + library, ''     # the runtime package has no libopenblas.so
    scipy = importlib.util.find_spec('scipy')
    if linux and scipy and scipy.origin:
        folder = os.path.join(os.path.dirname(os.path.dirname(scipy.origin)), 'scipy.libs')
        # Newer releases of SciPy have the first of these, older ones the second.
        for pattern, prefix in (('libscipy_openblas-*.so', 'scipy_'), ('libopenblasp-*.so', '')):
            for path in sorted(glob.glob(os.path.join(folder, pattern))):
                yield f'-L{folder} -l{os.path.basename(path)[3:-3]}', prefix


def _names() -> list:
    """Return the BLAS functions that Theano's headers declare."""
    spec = importlib.util.find_spec('theano')
    assert spec is not None and spec.origin is not None
    with open(os.path.join(os.path.dirname(spec.origin), 'tensor', 'blas_headers.py')) as file:
        return sorted(set(re.findall(r'\b([sdcz][a-z0-9]+_)\s*\(', file.read())))


def _links(compiler: str, libraries: str, function: str) -> bool:
    """Return whether a program that calls `function` links with `libraries` and runs."""
    flags = libraries.split()
    flags += ['-Wl,-rpath,' + flag[2:] for flag in flags if flag.startswith('-L')]      # found when it runs, too
    with tempfile.TemporaryDirectory() as folder:
        source, program = os.path.join(folder, 'blas.cpp'), os.path.join(folder, 'blas')
        with open(source, 'w') as file:
            file.write(PROGRAM.format(function))
        try:
            subprocess.run([compiler, source, '-o', program] + flags, check=True, capture_output=True)
            subprocess.run([program], check=True, capture_output=True)
        except (OSError, subprocess.CalledProcessError):
            return False
    return True
