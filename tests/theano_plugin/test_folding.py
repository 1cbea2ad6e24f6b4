"""What depends on constants alone is computed in Python: C code for it would be compiled for seconds and run once."""
import numpy as np
import pytest

from keraflow_backends.theano_backend.configure import T, theano
from keraflow_backends.theano_backend.repairs import load_linker

VALUES = np.float32([1, 2])


class Twice(theano.graph.op.COp):
    """An Op that has only C code, which no other process finds compiled."""

    __props__ = ()

    def make_node(self, x):
        return theano.graph.basic.Apply(self, [x], [x.type()])

    def perform(self, node, inputs, outputs):
        raise NotImplementedError

    def c_code(self, node, name, inputs, outputs, sub):
        [x], [y] = inputs, outputs
        return f'Py_XDECREF({y}); {y} = (PyArrayObject*) PyNumber_Add((PyObject*) {x}, (PyObject*) {x});'


@pytest.fixture
def compiled(monkeypatch):
    """A list that gets an item for each module that is compiled."""
    load_linker()
    compiler = theano.link.c.cmodule.GCC_compiler
    made, compile_str = [], compiler.compile_str

    def counting(*args, **kwargs):
        made.append(kwargs.get('module_name'))
        return compile_str(*args, **kwargs)
    monkeypatch.setattr(compiler, 'compile_str', staticmethod(counting))
    return made


def times(constant):
    """The names of the Ops of x * constant, and its value for x = 1."""
    x = T.vector()
    run = theano.function([x], x * constant, mode='FAST_COMPILE')
    return [type(node.op).__name__ for node in run.maker.fgraph.toposort()], run(np.ones(2, 'float32')).tolist()


def test_constants_are_folded_in_python(compiled):
    constant = T.dot(T.sqr(T.constant(VALUES)) + np.float32(3), T.constant(np.float32([[1, 0], [1, 1]])))
    assert times(constant) == (['Elemwise'], [4. + 7., 7.])
    assert compiled == []


def test_an_op_with_only_c_code_is_compiled(compiled):
    assert times(Twice()(T.constant(VALUES))) == (['Elemwise'], [2., 4.])
    assert compiled != []


def test_constants_that_are_refused_are_told_in_the_run_alone(caplog):
    x = T.vector()
    refused = T.opt.Assert('no')(T.constant(VALUES), T.constant(np.bool_(False)))
    run = theano.function([x], x * refused, mode='FAST_RUN')
    assert not caplog.records
    with pytest.raises(AssertionError, match='no'):
        run(np.ones(2, 'float32'))
