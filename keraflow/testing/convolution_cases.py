"""The table of operations with spatial axes, and their results as loops over windows in NumPy."""
from typing import Any, Callable, Iterator, List, Sequence, Tuple

import numpy as np

from keraflow.backend.windows import DATA_FORMATS
from keraflow.testing.operands import Operand, Reshaped
from keraflow.testing.operation_cases import Case

__all__ = ['CASES', 'convolved', 'depthwise_convolved', 'pooled', 'transposed_convolved']

series, image, volume, cube, other, matrix, batch, vector, pair = map(
    Operand, ('series', 'image', 'volume', 'x', 'other', 'matrix', 'batch', 'vector', 'pair'))


# -- in NumPy ----------------------------------------------------------------------------------------------------------

def convolved(x: Any, kernels: Any, strides: Any = None, pad: str = 'valid', dilation: Any = None,
              data_format: str = 'channels_first') -> Any:
    """Sum kernel times input in each window; kernels are ``(input_depth, nb_kernel, *lengths)``."""
    axes = list(range(2, np.ndim(x)))

    def sums(patch: Any) -> Any:
        return np.tensordot(patch, kernels, ([1, *axes], [0, *axes]))
    return _over_windows(sums, x, kernels.shape[2:], strides, pad, dilation, data_format)


def depthwise_convolved(x: Any, kernels: Any, strides: Any = None, pad: str = 'valid', dilation: Any = None,
                        data_format: str = 'channels_first') -> Any:
    """Do the same with separate kernels for each channel; kernel j of channel i makes channel ``i * nb_kernel + j``."""
    def sums(patch: Any) -> Any:
        return np.einsum('bcrs,ckrs->bck', patch, kernels).reshape(len(patch), -1)
    return _over_windows(sums, x, kernels.shape[2:], strides, pad, dilation, data_format)


def pooled(x: Any, size: Any, mode: str = 'max', strides: Any = None, pad: str = 'valid',
           data_format: str = 'channels_first') -> Any:
    """Take the maximum or the mean of each window, ignoring what lies outside the input."""
    axes = tuple(range(2, np.ndim(x)))

    def fold(patch: Any) -> Any:
        return np.nanmax(patch, axes) if mode == 'max' else np.nanmean(patch, axes)
    # NaN marks what lies outside: the two functions above skip it.
    return _over_windows(fold, x, size, strides or size, pad, None, data_format, np.nan)


def transposed_convolved(x: Any, kernels: Any, strides: Any = None, pad: str = 'valid',
                         data_format: str = 'channels_first') -> Any:
    """Add a kernel times each cell to the output; ``'same'`` keeps the middle ``length * stride`` of it."""
    x = _moved(x, data_format, 'channels_first')
    size = kernels.shape[2:]
    strides = strides or (1,) * len(size)
    room = [(n - 1) * s + max(k, s if pad == 'same' else k) for n, k, s in zip(x.shape[2:], size, strides)]
    made = np.zeros((len(x), kernels.shape[1], *room))
    for place in np.ndindex(*x.shape[2:]):
        window: Any = (..., *(slice(p * s, p * s + k) for p, s, k in zip(place, strides, size)))
        made[window] += np.tensordot(x[(...,) + place], kernels, (1, 0))
    if pad == 'same':
        for axis, (n, k, s) in enumerate(zip(x.shape[2:], size, strides), 2):
            made = np.take(made, np.arange(n * s) + max(k - s, 0) // 2, axis)
    return _moved(made, 'channels_first', data_format)


def _over_windows(function: Callable, x: Any, size: Sequence[int], strides: Any, pad: str, dilation: Any,
                  data_format: str,
                  padding: float = 0.) -> Any:
    x = _moved(x, data_format, 'channels_first')
    strides, dilation = strides or (1,) * len(size), dilation or (1,) * len(size)
    reach = [(k - 1) * d + 1 for k, d in zip(size, dilation)]
    if pad == 'same':
        missing = [max((-(-n // s) - 1) * s + r - n, 0) for n, r, s in zip(x.shape[2:], reach, strides)]
        x = np.pad(x, [(0, 0), (0, 0), *((m // 2, m - m // 2) for m in missing)], constant_values=padding)
    counts = [(n - r) // s + 1 for n, r, s in zip(x.shape[2:], reach, strides)]
    cells = [function(x[window]) for window in _windows(counts, reach, strides, dilation)]
    made = np.stack(cells, -1).reshape(*cells[0].shape, *counts)
    return _moved(made, 'channels_first', data_format)


def _windows(counts: Sequence[int], reach: Sequence[int], strides: Any, dilation: Any) -> Iterator[tuple]:
    for place in np.ndindex(*counts):
        yield (..., *(slice(p * s, p * s + r, d) for p, s, r, d in zip(place, strides, reach, dilation)))


def _moved(x: Any, source: str, target: str) -> Any:
    if source == target:
        return x
    return np.moveaxis(x, 1, -1) if target == 'channels_last' else np.moveaxis(x, -1, 1)


# -- the table ---------------------------------------------------------------------------------------------------------

def _both_formats(operation: str, expected: Callable, args: tuple, **kwargs: Any) -> List[Case]:
    """Make a case, and the same with the channels of the first operand moved to the end."""
    def call(backend: Any, x: Any, *rest: Any, **kwargs: Any) -> Any:
        x = backend.transpose(x, (0, *range(2, backend.ndim(x)), 1))
        return getattr(backend, operation)(x, *rest, data_format='channels_last', **kwargs)

    def moved(x: Any, *rest: Any, **kwargs: Any) -> Any:
        return expected(_moved(x, 'channels_first', 'channels_last'), *rest, data_format='channels_last', **kwargs)
    first = Case(operation, args, kwargs, expected, kinds='f')
    return [first, first._replace(expected=moved, call=call,
                                  text=f'{first.label.split("(", 1)[1][:-1]}, channels last')]


def _convolutions() -> List[Case]:
    line, square, wide, block = (Reshaped(other, (3, 2, 2)), Reshaped(matrix, (2, 1, 5, 2)),
                                 Reshaped(batch, (2, 2, 5, 2)),
                                 Reshaped(cube, (2, 3, 2, 2, 1)))
    cases: List[Case] = []
    for pad in ('valid', 'same'):
        cases += _both_formats('conv', convolved, (series, line), pad=pad)
        cases += _both_formats('conv', convolved, (series, line, (2,), pad))
        cases += _both_formats('conv', convolved, (series, line), pad=pad, dilation=(2,))
        cases += _both_formats('conv', convolved, (image, square, (2, 3)), pad=pad)
        cases += _both_formats('conv', convolved, (image, Reshaped(batch, (2, 5, 2, 2)), None, pad, (2, 1)))
        cases += _both_formats('conv', convolved, (image, Reshaped(batch, (2, 5, 2, 2)), (2, 1), pad, (2, 3)))
        cases += _both_formats('conv', convolved, (volume, block, (1, 2, 1), pad))
        cases += _both_formats('conv', convolved, (volume, block), pad=pad, dilation=(1, 2, 1))
        cases += _both_formats('depthwise_conv', depthwise_convolved, (image, square, (2, 2), pad))
        cases += _both_formats('depthwise_conv', depthwise_convolved, (image, wide, (1, 2), pad))
        cases += _both_formats('depthwise_conv', depthwise_convolved,
                               (image, Reshaped(batch, (2, 5, 2, 2)), None, pad, (2, 2)))
        cases += _both_formats('depthwise_conv', depthwise_convolved,
                               (image, Reshaped(batch, (2, 5, 2, 2)), (2, 1), pad, (1, 3)))
        cases += _both_formats('conv_transpose', transposed_convolved, (series, line), strides=(3,), pad=pad)
        cases += _both_formats('conv_transpose', transposed_convolved, (image, square, (2, 3), pad))
        cases += _both_formats('conv_transpose', transposed_convolved, (image, wide), pad=pad)
        cases += _both_formats('conv_transpose', transposed_convolved, (volume, block, (2, 1, 2), pad))
    return cases


def _others() -> List[Case]:
    cases: List[Case] = []
    for mode in ('max', 'avg'):
        for pad in ('valid', 'same'):
            cases += _both_formats('pool', pooled, (series, (2,), mode), pad=pad)
            cases += _both_formats('pool', pooled, (image, (3, 2), mode, (2, 1), pad))
            cases += _both_formats('pool', pooled, (image, (2, 2), mode, (2, 3), pad))
            cases += _both_formats('pool', pooled, (volume, (2, 1, 2), mode, (1, 2, 2), pad))
    for operand, bias in ((series, Reshaped(other, (3, 4))), (image, Reshaped(vector, (2, 2)))):
        values = Case('add_bias', (operand, bias), {}, lambda x, b: x + b[:, 0].reshape(-1, *(1,) * (x.ndim - 2)),
                      kinds='f',
                      call=lambda B, x, b: B.add_bias(x, b[:, 0]), text=f'{operand} and a vector')
        last = Case('add_bias', (operand, bias), {}, lambda x, b: np.moveaxis(x, 1, -1) + b[:, 0], kinds='f',
                    text=f'{operand}, channels last',
                    call=lambda B, x, b: B.add_bias(B.transpose(x, (0, *range(2, B.ndim(x)), 1)), b[:, 0],
                                                    'channels_last'))
        cases += [values, last]

    def padded(x: Any, padding: Any, value: float = 0.) -> Any:
        return np.pad(x, padding, constant_values=value)
    around = ((0, 0), (2, 0), (1, 3))
    cases += [Case('pad', (cube, around), {}, padded, kinds='fib'),
              Case('pad', (cube, around), {'value': -2.}, padded, kinds='fi'),
              Case('pad', (vector, ((1, 0),)), {'value': -np.inf}, padded, kinds='f', smooth=False)]
    return cases


#: What may follow a convolution, here and in NumPy.
FOLLOWING: Tuple[Tuple[Callable, Callable], ...] = (
    (lambda B, h: B.flatten(h, 2), lambda h: h.reshape(2, -1)),
    (lambda B, h: B.mean(h, (0, -2, 3), keepdims=True), lambda h: h.mean((0, 2, 3), keepdims=True)),
    (lambda B, h: B.sum(h), lambda h: h.sum()),
    (lambda B, h: B.sum(h, 1), lambda h: h.sum(1)),
    (lambda B, h: B.sum(h, (2, 0)), lambda h: h.sum((0, 2))),
    (lambda B, h: B.sum(h, [-1, 2]), lambda h: h.sum((2, 3))),
    (lambda B, h: B.var(h, (0, 1, 2)), lambda h: h.var((0, 1, 2))),
    (lambda B, h: B.multiply(h[1, 0], B.subtract(h, h[0, 0])), lambda h: (h - h[0, 0]) * h[1, 0]),
    (lambda B, h: B.add(2., y=B.multiply(B.expand_dims(h[:, 0], 1), h)), lambda h: h * h[:, :1] + 2.),
    (lambda B, h: B.where(B.greater(h, 0.), x=h, y=B.expand_dims(h[0], 0)), lambda h: np.where(h > 0., h, h[:1])),
    (lambda B, h: B.concatenate([h[:, :2], h, h], 1), lambda h: np.concatenate([h[:, :2], h, h], 1)),
    (lambda B, h: B.pad(B.repeat(h, 2, -2), [(0, 0), (1, 0), (0, 2), (0, 0)]),
     lambda h: np.pad(h.repeat(2, 2), [(0, 0), (1, 0), (0, 2), (0, 0)])),
    (lambda B, h: B.cumsum(B.flip(h, 1), 3), lambda h: h[:, ::-1].cumsum(3)),
    (lambda B, h: B.require(h, B.greater(B.shape(h)[2], 1), 'too short'), lambda h: h),
    (lambda B, h: B.softmax(h, 1), lambda h: np.exp(h) / np.exp(h).sum(1, keepdims=True)),
    (lambda B, h: B.reshape(h, [-1, B.shape(B.tanh(h))[2]]), lambda h: h.reshape(-1, h.shape[2])),
    (lambda B, h: B.scan(lambda x, states, constants: [B.add(states[0], constants[0])], [h[:, 0, 0]], [B.zeros_like(h)],
                         [h])[1][0],
     lambda h: 2. * h),
)


def _followed() -> List[Case]:
    """Make cases of operations on the result of a convolution, whose layout may differ from what it seems."""
    cases: List[Case] = []
    for number, (call, expected) in enumerate(FOLLOWING):
        for data_format in DATA_FORMATS:
            def convolve(B: Any, x: Any, kernels: Any, call: Callable = call, data_format: str = data_format) -> Any:
                x = B.transpose(x, (0, 2, 3, 1)) if data_format == 'channels_last' else x
                return call(B, B.conv(x, kernels, data_format=data_format))

            def in_numpy(x: Any, kernels: Any, expected: Callable = expected, data_format: str = data_format) -> Any:
                return expected(_moved(convolved(x, kernels), 'channels_first', data_format))
            cases.append(Case('conv', (image, Reshaped(other, (2, 6, 1, 1))), {}, in_numpy, kinds='f', call=convolve,
                              fixed=False,
                              text=f'and operation {number} on its result, {data_format}'))
    without = Case('without_layouts', (image, Reshaped(other, (2, 6, 1, 1))), {}, lambda *args: 2. * convolved(*args),
                   kinds='f', fixed=False,
                   call=lambda B, *args: B.multiply(B.without_layouts([B.conv(*args)])[0], 2.))
    return [*cases, without]


def _chains() -> List[Case]:
    """Make cases of chains of operations, in which a backend may change the layout."""
    def chain(B: Any, x: Any, kernels: Any, bias: Any) -> Any:
        h = B.relu(B.add_bias(B.conv(x, kernels, pad='same'), bias))
        return B.add(B.tanh(B.conv(h, kernels, pad='same')), B.multiply(h, 0.5))

    def expected(x: Any, kernels: Any, bias: Any) -> Any:
        h = np.maximum(convolved(x, kernels, pad='same') + bias[:, None, None], 0.)
        return np.tanh(convolved(h, kernels, pad='same')) + h * 0.5
    kernels, bias = Reshaped(matrix, (2, 2, 5, 1)), Reshaped(pair, (2,))
    return [Case('conv', (image, kernels, bias), {}, expected, kinds='f', call=chain,
                 text='a chain that ends with the channels first'),
            Case('conv', (image, kernels, bias), {}, lambda *args: expected(*args).reshape(2, -1), kinds='f',
                 call=lambda B, *args: B.flatten(chain(B, *args), 2), text='a chain that ends with vectors')]


#: Every case.
CASES: Tuple[Case, ...] = (*_convolutions(), *_others(), *_chains(), *_followed())
