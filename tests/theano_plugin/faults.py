"""Each fault of Theano that the plugin repairs, seen in a Theano without its repair and with it.

``test_repairs.py`` runs this as a program, which prints what it saw: for each repair what is found before and after.
"""
import builtins
import json
import logging
import sys
import types
import warnings

import numpy as np

import keraflow_backends

if __name__ == '__main__':      # where the plugin is not opened, and repairs nothing yet
    PACKAGE = types.ModuleType('keraflow_backends.theano_backend')
    PACKAGE.__path__ = [f'{path}/theano_backend' for path in keraflow_backends.__path__]
    sys.modules[PACKAGE.__name__] = PACKAGE
    logging.disable(logging.ERROR)

from keraflow_backends.theano_backend.configure import T, theano  # noqa: E402
from keraflow_backends.theano_backend.repairs import REPAIRS  # noqa: E402


def opened_files(make):
    """The names of the files that are opened while something is made."""
    found, original = [], builtins.open

    def opening(file, *args, **kwargs):
        found.append(str(file))
        return original(file, *args, **kwargs)
    builtins.open = opening
    try:
        make()
    finally:
        builtins.open = original
    return found


def linker(x, y):
    return theano.link.c.basic.CLinker().accept(theano.graph.fg.FunctionGraph([x], [y], clone=True))


class Compiler(theano.graph.op.Op):
    """Notes with which compiler it is made ready, where it depends on constants alone."""

    __props__ = ()
    seen = []

    def make_node(self, x):
        return theano.graph.basic.Apply(self, [x], [x.type()])

    def perform(self, node, inputs, output_storage):
        output_storage[0][0] = inputs[0]

    def prepare_node(self, *args, **kwargs):
        self.seen.append(theano.config.cxx)


# -- for each repair, what is true of a Theano that is right --------------------------------------------------------------

def comparisons():
    x = T.fscalar()
    run = theano.function([x], [T.eq(x, x), T.le(x, x), T.ge(x, x)], mode=theano.compile.Mode('py', 'fast_run'))
    return not any(run(np.float32(np.nan)))


def new_axes():
    return T.ftensor3()[:, None].ndim == 4


def rebroadcast():
    return T.patternbroadcast(T.tanh(T.fmatrix()), (True, False)).broadcastable == (True, False)


def gradients_of_scans():
    """The second derivative of w**2 + w**4 + w**6 is 2 + 12 * w**2 + 30 * w**4."""
    w = T.fscalar()
    powers, _ = theano.scan(lambda before: before * w, outputs_info=[T.ones_like(w)], n_steps=3)
    found = theano.function([w], theano.grad(theano.grad((powers * powers).sum(), w), w), mode='FAST_COMPILE')
    return float(found(1.)) == 44.


def long_sums():
    x = T.fvector()
    terms = [x * number for number in range(40)]
    run = theano.function([x], [T.add(*terms), T.mul(*[x] * 40)], mode=theano.compile.Mode('py', None))
    return [one.tolist() for one in run(np.ones(3, 'float32'))] == [[780.] * 3, [1.] * 3]


def numpy_aliases():
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        return T.get_scalar_constant_value(T.constant(3) + 1) == 4 and theano.scalar.mod.impl(-3, 2) == 1


def batched_dot():
    x = T.ftensor3()
    node = T.batched_dot(x, x).owner
    try:
        node.op.c_code(node, 'name', ['x', 'y'], ['z'], {'fail': '', 'params': ''})
    except theano.graph.utils.MethodNotDefined:
        return True     # so that NumPy computes it
    return False


def convolutions():
    x, kernels = T.ftensor4(), T.ftensor4()
    pooled = T.signal.pool.pool_2d(x, (2, 2), ignore_border=True)
    arrays = np.ones((1, 1, 2, 2), 'float32'), np.ones((1, 1, 1, 1), 'float32')
    found = theano.function([x, kernels], [T.nnet.conv2d(x, kernels, filter_flip=False), pooled], mode='FAST_COMPILE')(*arrays)
    return [one.shape for one in found] == [(1, 1, 2, 2), (1, 1, 1, 1)]


def code_versions():
    """The version of the C code of an Op that has it in a file, which another process must find, too."""
    return str(T.basic.DimShuffle([False], [0, 'x']).c_code_cache_version())


def module_keys():
    x = T.fvector()
    return bool(linker(x, T.alloc(x, 2, 2)).cmodule_key()[0])


def constant_folding():
    Compiler.seen.clear()
    x = T.fvector()
    with theano.config.change_flags(cxx='g++'):
        theano.function([x], x + Compiler()(T.constant(np.ones(2, 'float32'))), mode=theano.compile.Mode('py', 'fast_compile'))
    return Compiler.seen[0] == ''


def compiling():
    """Whether the second module of a function is compiled before the first one is there."""
    seen, original = set(), theano.link.c.cmodule.GCC_compiler.compile_str

    def compile_str(module_name, **kwargs):
        seen.add(module_name)
        raise RuntimeError
    theano.link.c.cmodule.GCC_compiler.compile_str = staticmethod(compile_str)
    x = T.fvector()
    try:
        with theano.config.change_flags(cxx='g++', gcc__cxxflags='-march=native'):
            linker = theano.link.vm.VMLinker(use_cloop=False)
            theano.function([x], [T.exp(x), T.tanh(x)], mode=theano.compile.Mode(linker, 'fast_compile'))
    except RuntimeError:
        return len(seen) > 1
    finally:
        theano.link.c.cmodule.GCC_compiler.compile_str = staticmethod(original)


def functions():
    """Whether C code declares a function as one that the C library has for vectors, too."""
    x = T.fvector()
    return '__simd__' in linker(x, T.exp(x)).get_src_code()


def code_loading():
    T.basic.DimShuffle([False], ['x', 0])
    return opened_files(lambda: T.basic.DimShuffle([False], ['x', 0])) == []


def traces():
    return all(line is None for *_, line in T.fvector().tag.trace[0])


def seen(probe):
    """What a probe finds; an error is a fault."""
    try:
        return probe()
    except Exception as error:
        return type(error).__name__


if __name__ == '__main__':
    found = {}
    for repair in REPAIRS:
        name = repair.apply.__name__.removeprefix('repair_')
        before = seen(globals()[name])
        repair.apply()
        found[name] = [before, seen(globals()[name])]
    print(json.dumps(found))
