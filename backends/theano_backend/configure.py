"""Import Theano with settings that work here, below whatever the user configured.

Every module of the plugin takes ``theano`` and ``T`` (``theano.tensor``) from this one, so that the settings are always
there before the import. A program that imported Theano itself keeps its own settings.
"""
import ctypes.util
import glob
import importlib.util
import logging
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import warnings
from typing import Any, Iterator, Optional

from .repairs import load_linker, repair

__all__ = ['COMPILING', 'theano', 'T', 'import_theano']

#: Held while Theano compiles, which changes its settings and tables, and compiles C code for whoever is first.
COMPILING = threading.RLock()

#: Rewrites that made training slower (the first two) and, without a compiler, those that need C code (the others).
SLOW_REWRITES = 'local_dot22_to_dot22scalar:local_subtensor_inc_subtensor'
C_REWRITES = ':fusion:conv_gemm:AbstractConvCheck'

#: Calls BLAS; ``{0}`` is the name of the function in the library.
BLAS_PROGRAM = '''extern "C" double {0}(int*, double*, int*, double*, int*);
int main() {{ int n = 1; double x = 2; return {0}(&n, &x, &n, &x, &n) == 4. ? 0 : 1; }}'''


def import_theano() -> Any:
    """Import Theano and return it.

    The settings go into a temporary file that is read before the user's ``.theanorc``, which wins, as does the
    environment variable ``THEANO_FLAGS``.
    """
    if 'theano' not in sys.modules:
        compiler = _compiler()
        libraries, definitions = _blas(compiler) if compiler else ('', '')
        handle, path = tempfile.mkstemp(suffix='.theanorc', text=True)
        with os.fdopen(handle, 'w') as file:
            file.write(_settings(compiler, libraries))
        try:
            _import_with(path)
        finally:
            os.unlink(path)
        config = sys.modules['theano'].config
        if config.blas__ldflags == libraries:       # beside the flags of the user, not in their place
            config.gcc__cxxflags = f'{config.gcc__cxxflags} {definitions}'.strip()
    repair()
    load_linker()
    return sys.modules['theano']


def _import_with(path: str) -> None:
    """``import theano`` where `path` is the settings file of the lowest precedence."""
    files = os.environ.get('THEANORC')
    users = '~/.theanorc' if files is None else files
    if files is None and sys.platform == 'win32':
        users += os.pathsep + '~/.theanorc.txt'
    os.environ['THEANORC'] = path + os.pathsep + users
    # Without BLAS Theano logs a warning at import; it still computes right.
    logger = logging.getLogger('theano.tensor.blas')
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            # It imports distutils, and meets NumPy's and SciPy's deprecations, while it is loaded.
            warnings.simplefilter('ignore')
            import theano  # noqa: F401
            import theano.tensor.nnet  # noqa: F401
            import theano.tensor.signal.pool  # noqa: F401
    finally:
        logger.setLevel(level)
        if files is None:
            del os.environ['THEANORC']
        else:
            os.environ['THEANORC'] = files


def _settings(compiler: str, libraries: str) -> str:
    """The text of the settings file."""
    sections: dict = {'global': {'floatX': 'float32', 'allow_gc': 'False', 'optimizer_excluding': SLOW_REWRITES}}
    options = sections['global']
    if not compiler:
        options.update(cxx='', optimizer_excluding=SLOW_REWRITES + C_REWRITES)
    # It must be set: Theano looks for the default in numpy.distutils.__config__, which NumPy 1.23's wheels lack.
    sections['blas'] = {'ldflags': libraries}
    directory = _compile_directory()
    if directory:
        options['base_compiledir'] = directory
    lines = []
    for section, values in sections.items():
        lines.append(f'[{section}]')
        lines += ['{} = {}'.format(key, value.replace('%', '%%')) for key, value in values.items()]
    return '\n'.join(lines) + '\n'


def _flags(name: str) -> Optional[str]:
    """The value of an option in ``THEANO_FLAGS``; ``None`` when it is not there."""
    found = re.findall(r'(?:^|,)\s*%s\s*=([^,]*)' % name, os.environ.get('THEANO_FLAGS', ''))
    return found[-1].strip() if found else None


def _compiler() -> str:
    """The C++ compiler; one warning when there is none, unless the user wanted it so."""
    chosen = _flags('cxx')
    if chosen is not None:
        return chosen
    names = ('clang++', 'g++') if sys.platform == 'darwin' else ('g++',)
    found = next(filter(None, map(shutil.which, names)), '')
    if not found:
        warnings.warn('keraflow: no C++ compiler was found, so Theano computes in Python, '
                      "10 to 100 times slower. Install g++ (for example 'apt install g++' or 'conda install gxx').",
                      RuntimeWarning, stacklevel=2)
    return found


# -- BLAS -----------------------------------------------------------------------------------------------------------

def _blas(compiler: str) -> tuple:
    """Linker flags and preprocessor definitions of the first BLAS that works; empty when there is none."""
    if _flags(r'blas(?:\.|__)ldflags') is not None:
        return '', ''
    for libraries, prefix in _blas_candidates():
        if _links(compiler, libraries, prefix + 'ddot_'):
            names = _blas_names() if prefix else []
            return libraries, ' '.join(f'-D{name}={prefix}{name}' for name in names)
    return '', ''


def _blas_candidates() -> Iterator:
    """``(linker flags, prefix of the functions' names)`` of the places where BLAS may be."""
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


def _blas_names() -> list:
    """The BLAS functions that Theano's headers declare."""
    spec = importlib.util.find_spec('theano')
    assert spec is not None and spec.origin is not None
    with open(os.path.join(os.path.dirname(spec.origin), 'tensor', 'blas_headers.py')) as file:
        return sorted(set(re.findall(r'\b([sdcz][a-z0-9]+_)\s*\(', file.read())))


def _links(compiler: str, libraries: str, function: str) -> bool:
    """Whether a program that calls `function` links with `libraries` and runs."""
    flags = libraries.split()
    flags += ['-Wl,-rpath,' + flag[2:] for flag in flags if flag.startswith('-L')]
    with tempfile.TemporaryDirectory() as folder:
        source, program = os.path.join(folder, 'blas.cpp'), os.path.join(folder, 'blas')
        with open(source, 'w') as file:
            file.write(BLAS_PROGRAM.format(function))
        try:
            subprocess.run([compiler, source, '-o', program] + flags, check=True, capture_output=True)
            subprocess.run([program], check=True, capture_output=True)
        except (OSError, subprocess.CalledProcessError):
            return False
    return True


# -- the compile directory ------------------------------------------------------------------------------------------

def _compile_directory() -> Optional[str]:
    """A private folder for compiled modules in the temporary folder when the home directory cannot be written."""
    home = os.environ.get('LOCALAPPDATA', '~') if sys.platform == 'win32' else '~'
    if _flags('base_compiledir') is not None or _is_writable(os.path.expanduser(home)):
        return None
    user = os.getuid() if hasattr(os, 'getuid') else 'user'
    folder = os.path.join(tempfile.gettempdir(), f'keraflow-theano-{user}')
    os.makedirs(folder, mode=0o700, exist_ok=True)
    # The modules in it are run: a folder that somebody else made or can write is not used.
    status = os.stat(folder)
    if hasattr(os, 'getuid') and (status.st_uid != os.getuid() or status.st_mode & 0o022):
        return tempfile.mkdtemp(prefix='keraflow-theano-')
    return folder


def _is_writable(folder: str) -> bool:
    """Whether a file can be made in `folder`; asked by making one, because root may write everywhere on paper."""
    inside = os.path.join(folder, '.theano')
    try:
        with tempfile.TemporaryFile(dir=inside if os.path.isdir(inside) else folder):
            return True
    except OSError:
        return False


theano = import_theano()
T = theano.tensor
