"""Exponential functions in C code, for several numbers at once."""
import platform
import sys

import numpy as np
import pytest

from keraflow_backends.theano_backend.configure import T, theano

FUNCTIONS = {T.exp: np.exp, T.log: np.log, T.tanh: np.tanh, T.nnet.sigmoid: lambda x: 1 / (1 + np.exp(-x))}


@pytest.fixture(scope='module')
def compiled():
    if not theano.config.cxx:
        pytest.skip('needs a compiler')
    mode = theano.compile.Mode(theano.link.vm.VMLinker(use_cloop=False), 'fast_run')
    return {dtype: theano.function([x], [function(x) for function in FUNCTIONS], mode=mode)
            for dtype, x in (('float32', T.fvector()), ('float64', T.dvector()))}


@pytest.mark.parametrize('dtype', ['float32', 'float64'])
def test_values(compiled, dtype):
    values = np.concatenate([np.linspace(-30, 30, 1003), np.logspace(-30, 1.9, 100), -np.logspace(-30, 1.9, 100)]).astype(dtype)
    with np.errstate(all='ignore'):
        for found, function in zip(compiled[dtype](values), FUNCTIONS.values()):
            np.testing.assert_allclose(found, function(values.astype('float64')), rtol=5 * np.finfo(dtype).eps, atol=1e-38)


@pytest.mark.parametrize('dtype', ['float32', 'float64'])
@pytest.mark.parametrize('place', range(19))        # in a vector, or behind the last one
def test_values_at_the_edges(compiled, dtype, place):
    edges = np.array([-np.inf, np.inf, np.nan, 0, -0., 1000, -1000, -1, 1e-42], dtype)
    expected = {T.exp: [0, np.inf, np.nan, 1, 1, np.inf, 0, np.exp(-1), 1],
                T.log: [np.nan, np.inf, np.nan, -np.inf, -np.inf, np.log(1000), np.nan, np.nan, np.log(float(edges[-1]))],
                T.tanh: [-1, 1, np.nan, 0, -0., 1, -1, np.tanh(-1), 1e-42],
                T.nnet.sigmoid: [0, 1, np.nan, .5, .5, 1, 0, 1 / (1 + np.e), .5]}
    for edge, *wanted in zip(edges, *expected.values()):
        values = np.ones(19, dtype)
        values[place] = edge
        found = [one[place] for one in compiled[dtype](values)]
        np.testing.assert_allclose(found, np.array(wanted, dtype), rtol=5 * np.finfo(dtype).eps, err_msg=str(edge))


PARTS = {'rows': lambda x: x[1:3], 'gates': lambda x: x[:, 3:8], 'every second': lambda x: x[:, ::2], 'backwards': lambda x: x[:, ::-1],
         'upright': lambda x: x.T, 'part of it upright': lambda x: x[:, 2:7].T, 'one column': lambda x: x[:, 4:5], 'nothing': lambda x: x[:, 5:5]}


@pytest.fixture(scope='module')
def of_parts():
    """All functions of all parts of a matrix, alone, beside a column and a number, and added to a row."""
    if not theano.config.cxx:
        pytest.skip('needs a compiler')
    mode = theano.compile.Mode(theano.link.vm.VMLinker(use_cloop=False), 'fast_run')
    x, outputs = T.dmatrix(), []
    for part in PARTS.values():
        y = part(x)
        for function in FUNCTIONS:
            outputs += [function(y), y * function(y) + y.sum(1, keepdims=True), function(y + x[0, 0]), y + function(y[0])]
    return theano.function([x], outputs, mode=mode)


def test_values_of_parts_of_arrays(of_parts):
    x = np.random.default_rng(1).uniform(0.1, 3, (5, 12))
    for array in (x, np.asfortranarray(x), np.repeat(x, 2, 1)[:, ::2]):
        found = iter(of_parts(array))
        for part in PARTS.values():
            y = part(x)
            for function in FUNCTIONS.values():
                expected = function(y), y * function(y) + y.sum(1, keepdims=True), function(y + x[0, 0]), y + function(y[0])
                for one in expected:
                    np.testing.assert_allclose(next(found), one, rtol=1e-14)


def test_loops_over_parts_of_arrays_write_their_steps_down():
    x = T.fmatrix()
    y = T.tanh(x[:, 1:]) * 2
    graph = theano.graph.fg.FunctionGraph([x], [y], clone=True)
    assert '+1*ITER_1' in theano.link.c.basic.CLinker().accept(graph).get_src_code()
    graph = theano.graph.fg.FunctionGraph([x], [x[:, 1:] * 2], clone=True)      # which gains nothing from it
    assert '+1*ITER_1' not in theano.link.c.basic.CLinker().accept(graph).get_src_code()


def test_c_code_calls_those_for_vectors(compiled):
    library, version = platform.libc_ver()
    if not sys.platform.startswith('linux') or platform.machine() != 'x86_64' or library != 'glibc' or \
            tuple(map(int, version.split('.'))) < (2, 35):
        pytest.skip('the C library has none')
    for thunk in compiled['float32'].fn.thunks:
        with open(thunk.thunk.module.__file__, 'rb') as file:
            assert b'_ZGV' in file.read()
