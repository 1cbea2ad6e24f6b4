"""Compile the C code of a function with several compilers at a time; :mod:`.repairs` lists this as a repair.

Theano makes the nodes of a function ready one after the other, and each that finds no compiled module in the cache
waits for its own compiler. Here the first one that finds none has the modules of all other nodes compiled with its own.
They enter the cache the way Theano puts them there, under its lock and its names, so that processes share it as before.
"""
import collections
import contextvars
import functools
import itertools
import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Any, Callable, Dict, Iterator, List, Tuple

from tqdm import tqdm

from .configure import theano

__all__ = ['repair_compiling']

cmodule = theano.link.c.cmodule
VMLinker = theano.link.vm.VMLinker
ModuleCache = cmodule.ModuleCache

#: More would hardly help a function, and each takes 100 MB.
_MOST_COMPILERS = 8
#: After so many seconds a user may wonder what the program is doing.
_PATIENCE = 2.

#: The functions that are being linked, innermost first, whose missing modules have not been looked for.
_linking: contextvars.ContextVar[tuple] = contextvars.ContextVar('_linking', default=())


def repair_compiling() -> None:
    """Compile all modules that a function misses when the first of them is missing."""
    VMLinker.make_all = _noting(VMLinker.make_all)
    ModuleCache.module_from_key = _compiling_ahead(ModuleCache.module_from_key)


def _noting(original: Callable) -> Callable:
    @functools.wraps(original)
    def make_all(linker: Any, *args: Any, **kwargs: Any) -> Any:
        token = _linking.set(([linker], *_linking.get()))
        try:
            return original(linker, *args, **kwargs)
        finally:
            _linking.reset(token)
    return make_all


def _compiling_ahead(original: Callable) -> Callable:
    @functools.wraps(original)
    def module_from_key(cache: Any, key: Any, lnk: Any = None) -> Any:
        if key not in cache.entry_from_key:
            linkers = [one.pop() for one in _linking.get() if one]
            if linkers:
                with theano.compile.compilelock.lock_ctx():
                    cache.refresh(cleanup=False)        # another process may have compiled them
                    modules = _missing(cache, linkers)
                    if len(modules) > 1:
                        _compile(modules, functools.partial(original, cache))
        return original(cache, key, lnk)
    return module_from_key


def _missing(cache: Any, linkers: List[Any]) -> List[Tuple[Any, '_Code']]:
    """Return keys and code of the modules that the cache lacks."""
    found: Dict[str, Tuple[Any, _Code]] = {}
    for linker in _node_linkers(linkers):
        try:
            key = linker.cmodule_key()
            # Theano drops modules without a version at the end of the process.
            if key and key[0] and key not in cache.entry_from_key:
                code = _Code(linker)
                name = cmodule.get_module_hash(code.source, key)
                if name not in cache.module_hash_to_key_data:
                    found.setdefault(name, (key, code))
        except (NotImplementedError, KeyError, theano.graph.utils.MethodNotDefined):
            pass        # computed in Python, or without a key
    return list(found.values())


def _node_linkers(linkers: List[Any]) -> Iterator[Any]:
    """Yield what Theano compiles each node of some functions with."""
    for node in (node for linker in linkers for node in linker.schedule(linker.fgraph)):
        # Theano has Python compute what is or becomes a float16.
        if isinstance(node.op, theano.graph.op.COp) and \
                not any(getattr(x.type, 'dtype', '') == 'float16' for x in node.inputs + node.outputs):
            node.op.prepare_node(node, None, None, 'c')
            yield theano.link.c.basic.CLinker().accept(theano.graph.fg.FunctionGraph(node.inputs, node.outputs))


def _compile(modules: List[Tuple[Any, '_Code']], enter: Callable) -> None:
    """Compile modules, and have those that succeed entered in the cache. Theano says why the others fail."""
    pool = ThreadPoolExecutor(min(_nb_processor(), _MOST_COMPILERS))
    with tempfile.TemporaryDirectory(dir=theano.config.compiledir) as folder:
        headers = _Headers([code for _, code in modules], folder)
        try:
            pool.submit(headers.compile)
            runs = [pool.submit(code.compile, headers, os.path.join(folder, str(i)))
                    for i, (_, code) in enumerate(modules)]
            if wait(runs, _PATIENCE).not_done and sys.stderr is not None and sys.stderr.isatty():
                # Above a progress bar, if there is one.
                tqdm.write(f'compiling for Theano, once: {len(modules)} modules of C code, kept in '
                           f'{theano.config.compiledir}', file=sys.stderr)
            for (key, code), run in zip(modules, runs):
                if run.exception() is None:
                    enter(key, code)
        finally:
            pool.shutdown(cancel_futures=True)      # at once, if the program is interrupted


def _nb_processor() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, 'sched_getaffinity') else os.cpu_count() or 1


class _Code:
    """The C code of a module, to be compiled by another thread. Theano's cache takes it for a linker."""

    def __init__(self, linker: Any):
        module = linker.get_dynamic_module()
        self.source = module.code()
        # Nobody debugs this code, and symbols for it take a sixth of the time. Flags of the user follow, and win.
        self.flags, self.folders = ['-g0', *linker.compile_args()], linker.header_dirs()
        self._compile_str = functools.partial(
            linker.c_compiler().compile_str, module_name=module.code_hash, src_code=self.source, py_module=False,
            include_dirs=self.folders, lib_dirs=linker.lib_dirs(), libs=linker.libraries())
        self._folder, self._file = '', f'{module.code_hash}.{cmodule.get_lib_extension()}'

    def included(self) -> Tuple[str, ...]:
        """Return the lines of code that include headers before anything else."""
        return tuple(itertools.takewhile(lambda line: line.startswith('#include'), self.source.splitlines()))

    def compile(self, headers: '_Headers', folder: str) -> None:
        """Compile into `folder`, which is made."""
        os.mkdir(folder)
        self._compile_str(location=folder, preargs=self.flags + headers.flags_for(self))
        self._folder = folder

    def get_src_code(self) -> str:
        """Return the code."""
        return self.source

    def compile_cmodule(self, location: str) -> Any:
        """Move what was compiled to `location`, and import it."""
        for name in os.listdir(self._folder):
            os.replace(os.path.join(self._folder, name), os.path.join(location, name))
        open(os.path.join(location, '__init__.py'), 'w').close()
        return cmodule.dlimport(os.path.join(location, self._file))


class _Headers:
    """The headers that most modules begin with: half of the time goes into reading them, so GCC does it once for all.

    They are compiled anew each time, because GCC does not notice when they have changed. Where that fails, or for a
    module with other flags, they are read as usual.
    """

    def __init__(self, codes: List[_Code], folder: str):
        [(self._lines, nb_code)] = collections.Counter(code.included() for code in codes).most_common(1)
        self._like = next(code for code in codes if code.included() == self._lines)
        self._is_worth_it = nb_code > 4 and sys.platform.startswith('linux') and not cmodule.gcc_llvm()
        self._path, self._is_ready = os.path.join(folder, 'headers.h'), False

    def compile(self) -> None:
        """Compile the headers, if that saves time."""
        if self._is_worth_it:
            with open(self._path, 'w') as file:
                file.write('\n'.join([*self._lines, '']))
            folders = [f'-I{folder}' for folder in (*self._like.folders, *cmodule.std_include_dirs()) if folder]
            # The other flags are those of the modules, or GCC reads the headers.
            done = subprocess.run([theano.config.cxx, '-x', 'c++-header', *self._like.flags, *folders,
                                   '-fvisibility=hidden', self._path, '-o', self._path + '.gch'], capture_output=True)
            self._is_ready = done.returncode == 0

    def flags_for(self, code: _Code) -> List[str]:
        """Return the flags with which a module uses the headers, if they are ready."""
        return ['-include', self._path] if self._is_ready and code.included()[:len(self._lines)] == self._lines else []
