"""Repairs of the C code that Theano generates, and of its cache; :mod:`.repairs` lists the faults."""
import hashlib
from typing import Any, Iterator

from .configure import T, theano

__all__ = ['repair_batched_dot', 'repair_code_loading', 'repair_code_versions', 'repair_module_keys']

ExternalCOp = theano.graph.op.ExternalCOp
BatchedDot = T.blas.BatchedDot
CLinker = theano.link.c.basic.CLinker
CLinkerObject = theano.link.c.interface.CLinkerObject


def repair_code_loading() -> None:
    """Read the file of an Op's C code once. Each broadcast scalar makes such an Op."""
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


def repair_batched_dot() -> None:
    """Compute batches of matrix products with NumPy if there is no BLAS: without it, their C code cannot be loaded."""
    original = BatchedDot.c_code

    def c_code(op: Any, *args: Any) -> str:
        if not theano.config.blas__ldflags:
            raise theano.graph.utils.MethodNotDefined('BatchedDot.c_code')
        return original(op, *args)
    BatchedDot.c_code = c_code


def repair_code_versions() -> None:
    """Derive the version of C code in a file from a digest of its text, which is the same in each process."""
    ExternalCOp.c_code_cache_version = _external_code_version


def repair_module_keys() -> None:
    """Give a graph with an Op without properties a version, from those of its Ops and types."""
    CLinker.cmodule_key_ = _versioned_key(CLinker.cmodule_key_)


def _external_code_version(op: Any) -> tuple:
    """Return the version of an Op with C code in a file."""
    version: tuple = (hashlib.sha256('\0'.join(op.func_codes).encode()).hexdigest(),)
    if hasattr(op, 'params_type'):
        version += (op.params_type.c_code_cache_version(),)
    return version


def _versioned_key(original: Any) -> Any:
    def cmodule_key_(self: Any, fgraph: Any, *args: Any, **kwargs: Any) -> Any:
        key = original(self, fgraph, *args, **kwargs)
        if key is None or key[0]:      # nothing to mend
            return key
        version = tuple(_versions(self.schedule(fgraph)))
        return (version + ('keraflow',), key[1]) if all(version) else key

    return cmodule_key_


def _versions(nodes: Any) -> Iterator:
    """Yield the versions of the C code of Ops and types, without the Ops' properties, which the key contains anyway."""
    for node in nodes:
        if hasattr(node.op, 'c_code_cache_version_apply'):
            yield node.op.c_code_cache_version_apply(node)
        for variable in node.inputs + node.outputs:
            if isinstance(variable.type, CLinkerObject):
                yield variable.type.c_code_cache_version()
