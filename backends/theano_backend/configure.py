"""Import Theano with settings that work here, with lower priority than the user's.

Every module of the plugin imports ``theano`` and ``T`` (``theano.tensor``) from this one, so that the settings are
always in place before the import. A program that imported Theano itself keeps its own settings.

``theano.config`` belongs to the program. What keraflow wants only for its own functions, it passes when it compiles
them (:mod:`.own_mode`). Set for the whole process is only what cannot be set otherwise:

====================  ==========================================================================================
setting               why
====================  ==========================================================================================
``floatX``            Python's operators and Theano's own functions read it whenever a graph is
                      built, also where no code of keraflow is around them: it is keraflow's floatx
                      from the moment on that the backend is opened (``TheanoBackend.set_floatx``)
``blas__ldflags``     without it Theano cannot be imported (see :func:`_settings`), and no
                      setting of BLAS can be changed once C code was linked
``gcc__cxxflags``     the names that the functions of that BLAS have: no C code links without
``cxx``               empty if there is no compiler, which Theano itself would look for
``base_compiledir``   if the home directory cannot be written: nothing compiles without
====================  ==========================================================================================
"""
import importlib
import logging
import os
import re
import shutil
import sys
import tempfile
import threading
import warnings
from typing import Any, Optional

from .blas import find_blas

__all__ = ['COMPILING', 'theano', 'T', 'import_theano']

#: Held while Theano compiles, which modifies its global settings and tables.
COMPILING = threading.RLock()


def import_theano() -> Any:
    """Import Theano and return it.

    The settings go into a temporary file that is read before the user's ``.theanorc``, which takes precedence, as does
    the environment variable ``THEANO_FLAGS``.
    """
    if 'theano' not in sys.modules:
        compiler = _compiler()
        is_chosen = _flags(r'blas(?:\.|__)ldflags') is not None
        libraries, definitions = find_blas(compiler) if compiler and not is_chosen else ('', '')
        handle, path = tempfile.mkstemp(suffix='.theanorc', text=True)
        with os.fdopen(handle, 'w') as file:
            file.write(_settings(compiler, libraries))
        try:
            _import_with(path)
        finally:
            os.unlink(path)
        config = sys.modules['theano'].config
        if config.blas__ldflags == libraries:       # in addition to the user's flags
            config.gcc__cxxflags = f'{config.gcc__cxxflags} {definitions}'.strip()
    else:
        _import_all()
    return sys.modules['theano']


def _import_all() -> None:
    # A program may have imported Theano without the parts that the plugin uses.
    for name in ('theano', 'theano.tensor.nnet', 'theano.tensor.signal.pool'):
        importlib.import_module(name)


def _import_with(path: str) -> None:
    """Import Theano with `path` as the settings file of lowest precedence."""
    files = os.environ.get('THEANORC')
    users = '~/.theanorc' if files is None else files
    if files is None and sys.platform == 'win32':
        users += os.pathsep + '~/.theanorc.txt'
    os.environ['THEANORC'] = path + os.pathsep + users
    # Without BLAS Theano logs a warning at import, but still computes correctly.
    logger = logging.getLogger('theano.tensor.blas')
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            # Loading it imports distutils, and triggers deprecation warnings of NumPy and SciPy.
            warnings.simplefilter('ignore')
            _import_all()
    finally:
        logger.setLevel(level)
        if files is None:
            del os.environ['THEANORC']
        else:
            os.environ['THEANORC'] = files


def _settings(compiler: str, libraries: str) -> str:
    """Return the text of the settings file."""
    options = {'floatX': 'float32'} if compiler else {'floatX': 'float32', 'cxx': ''}
    # It must be set: Theano looks for the default in numpy.distutils.__config__, which NumPy 1.23's wheels lack.
    sections = {'global': options, 'blas': {'ldflags': libraries}}
    directory = _compile_directory()
    if directory:
        options['base_compiledir'] = directory
    lines = []
    for section, values in sections.items():
        lines.append(f'[{section}]')
        # Theano reads the file with configparser, for which a single % begins a reference.
        lines += ['{} = {}'.format(key, value.replace('%', '%%')) for key, value in values.items()]
    return '\n'.join(lines) + '\n'


def _flags(name: str) -> Optional[str]:
    """Return the value of an option in ``THEANO_FLAGS``; ``None`` if it is not there."""
    found = re.findall(r'(?:^|,)\s*%s\s*=([^,]*)' % name, os.environ.get('THEANO_FLAGS', ''))
    return found[-1].strip() if found else None


def _compiler() -> str:
    """Return the C++ compiler; warn once if there is none, unless the user disabled it."""
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


# -- the compile directory ------------------------------------------------------------------------------------------

def _compile_directory() -> Optional[str]:
    """Return a private, temporary folder for compiled modules if the home directory is not writable."""
    home = os.environ.get('LOCALAPPDATA', '~') if sys.platform == 'win32' else '~'
    if _flags('base_compiledir') is not None or _is_writable(os.path.expanduser(home)):
        return None
    user = os.getuid() if hasattr(os, 'getuid') else 'user'
    folder = os.path.join(tempfile.gettempdir(), f'keraflow-theano-{user}')
    os.makedirs(folder, mode=0o700, exist_ok=True)
    # The modules in it are executed: a folder that others own or can write to is not used.
    status = os.stat(folder)
    if hasattr(os, 'getuid') and (status.st_uid != os.getuid() or status.st_mode & 0o022):
        return tempfile.mkdtemp(prefix='keraflow-theano-')
    return folder


def _is_writable(folder: str) -> bool:
    """Return whether a file can be created in `folder`; tried out, because permission bits do not limit root."""
    inside = os.path.join(folder, '.theano')
    try:
        with tempfile.TemporaryFile(dir=inside if os.path.isdir(inside) else folder):
            return True
    except OSError:
        return False


theano = import_theano()
T = theano.tensor
