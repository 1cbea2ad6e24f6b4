"""Convolutions and pooling of NumPy against plain loops over cells, and in parts of the batch."""
import itertools

import numpy as np
import pytest

from keraflow.backend.windows import output_length, same_padding, transposed_length
from keraflow_backends.numpy_backend import windows
from keraflow_backends.numpy_backend.functions import FUNCTIONS

#: Lengths, windows, strides and dilation.
SHAPES = [((7,), (3,), (2,), (1,)), ((6, 5), (3, 2), (1, 2), (1, 1)), ((7, 8), (2, 3), (1, 1), (2, 3)),
          ((5, 4), (1, 1), (1, 1), (1, 1)), ((4, 5), (1, 1), (2, 1), (1, 1)), ((4, 3, 5), (2, 2, 3), (1, 2, 2), (1, 1, 1)),
          ((3, 3), (5, 5), (1, 1), (1, 1))]
CASES = [(*shape, pad) for shape in SHAPES for pad in ('same', 'valid') if pad == 'same' or shape[1] != (5, 5)]


@pytest.fixture(params=[2 ** 19, 200])
def block(request, monkeypatch):
    """All samples at once, and few."""
    monkeypatch.setattr(windows, 'BLOCK', request.param)


def cells(lengths, size, strides, dilation, pad):
    """Yield windows, and for each the places in it and the cells that they meet."""
    before = [same_padding(*one)[0] if pad == 'same' else 0 for one in zip(lengths, size, strides, dilation)]
    counts = [output_length(n, w, s, pad, d) for n, w, s, d in zip(lengths, size, strides, dilation)]
    for window in itertools.product(*map(range, counts)):
        met = []
        for place in itertools.product(*map(range, size)):
            cell = tuple(i * s + p * d - b for i, s, p, d, b in zip(window, strides, place, dilation, before))
            if all(0 <= c < n for c, n in zip(cell, lengths)):
                met.append((place, cell))
        yield window, met


def counts_of(lengths, size, strides, dilation, pad):
    return [output_length(n, w, s, pad, d) for n, w, s, d in zip(lengths, size, strides, dilation)]


def drawn(*shape):
    return np.random.default_rng(3).uniform(-1, 1, shape)


@pytest.mark.parametrize('lengths, size, strides, dilation, pad', CASES)
def test_convolutions_are_those_of_plain_loops(block, lengths, size, strides, dilation, pad):
    x, kernels = drawn(3, *lengths, 2), drawn(2, 4, *size)
    expected = np.zeros((3, *counts_of(lengths, size, strides, dilation, pad), 4))
    for window, met in cells(lengths, size, strides, dilation, pad):
        for place, cell in met:
            expected[(slice(None), *window)] += x[(slice(None), *cell)] @ kernels[(slice(None), slice(None), *place)]
    np.testing.assert_allclose(FUNCTIONS['conv'](x, kernels, strides=strides, pad=pad, dilation=dilation), expected, atol=1e-12)


@pytest.mark.parametrize('lengths, size, strides, dilation, pad', CASES)
def test_each_channel_is_convolved_by_itself(lengths, size, strides, dilation, pad):
    x, kernels = drawn(3, *lengths, 2), drawn(2, 3, *size)
    expected = np.zeros((3, *counts_of(lengths, size, strides, dilation, pad), 6))
    for window, met in cells(lengths, size, strides, dilation, pad):
        for (place, cell), channel in itertools.product(met, range(2)):
            expected[(slice(None), *window, slice(3 * channel, 3 * channel + 3))] += \
                x[(slice(None), *cell, channel)][:, None] * kernels[(channel, slice(None), *place)]
    found = FUNCTIONS['depthwise_conv'](x, kernels, strides=strides, pad=pad, dilation=dilation)
    np.testing.assert_allclose(found, expected, atol=1e-12)


@pytest.mark.parametrize('lengths, size, strides, dilation, pad', [case for case in CASES if max(case[3]) == 1])
def test_transposed_convolutions_add_kernels(block, lengths, size, strides, dilation, pad):
    x, kernels = drawn(3, *lengths, 2), drawn(2, 4, *size)
    longer = [transposed_length(n, w, s, pad) for n, w, s in zip(lengths, size, strides)]
    expected = np.zeros((3, *longer, 4))
    for window, met in cells(longer, size, strides, dilation, pad):
        for place, cell in met:
            expected[(slice(None), *cell)] += x[(slice(None), *window)] @ kernels[(slice(None), slice(None), *place)]
    np.testing.assert_allclose(FUNCTIONS['conv_transpose'](x, kernels, strides=strides, pad=pad), expected, atol=1e-12)


@pytest.mark.parametrize('lengths, size, strides, dilation, pad', [case for case in CASES if max(case[3]) == 1])
def test_pools_are_those_of_plain_loops(lengths, size, strides, dilation, pad):
    x = drawn(3, *lengths, 2)
    most, mean = (np.zeros((3, *counts_of(lengths, size, strides, dilation, pad), 2)) for _ in range(2))
    for window, met in cells(lengths, size, strides, dilation, pad):
        values = np.stack([x[(slice(None), *cell)] for _, cell in met])
        most[(slice(None), *window)], mean[(slice(None), *window)] = values.max(0), values.mean(0)
    np.testing.assert_allclose(FUNCTIONS['max_pool'](x, size=size, strides=strides, pad=pad), most, atol=1e-12)
    np.testing.assert_allclose(FUNCTIONS['mean_pool'](x, size=size, strides=strides, pad=pad), mean, atol=1e-12)


def test_inputs_may_be_views():
    x, kernels = drawn(3, 2, 7, 6), drawn(2, 4, 3, 3)
    view, options = np.moveaxis(x, 1, -1), {'strides': (1, 1), 'pad': 'same', 'dilation': (1, 1)}
    copy = np.ascontiguousarray(view)
    for name in ('conv', 'depthwise_conv'):
        np.testing.assert_array_equal(FUNCTIONS[name](view, kernels, **options), FUNCTIONS[name](copy, kernels, **options))
