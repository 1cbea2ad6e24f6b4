"""The laws of dtypes that every plugin obeys: the dtype of a result, from functions and from Python's operators."""
import operator
from typing import Any, Callable, Dict, List, Tuple

import numpy as np

from keraflow.backend.contract import DTYPES, FLOATS
from keraflow.testing.expectations import expect
from keraflow.testing.numerics import assert_close, using_floatx

__all__ = ['DTYPE_LAWS']

_VALUES = np.array([[1., 2., 3.], [3., 1., 2.]])
#: Numbers, lists and real arrays, and the dtypes of their sums with tensors of the dtypes of keraflow, in order.
_REALS, _INTEGERS = ('floatx', 'floatx', 'floatx', 'float32', 'float64'), ('int64', 'int32', 'int64', 'float32',
                                                                           'float64')
_OTHERS: Tuple[Tuple[Any, tuple], ...] = (
    (0.7, _REALS), ([0.5, 1., 1.5], _REALS), ((1.5, 0.5, 2.), _REALS), (np.linspace(0.5, 1., 3), _REALS),
    (np.float64(0.7), _REALS),
    (np.float32(0.5), _REALS), (np.ones(3, 'float16'), _REALS), (np.array(0.7), _REALS), (2, _INTEGERS),
    ([1, 2, 3], _INTEGERS),
    (np.array([1, 2, 3], 'int64'), ('int64', 'int64', 'int64', 'float32', 'float64')))
_FUNCTIONS: Dict[str, Callable] = {'add': np.add, 'subtract': np.subtract, 'multiply': np.multiply,
                                   'maximum': np.maximum, 'divide': np.true_divide,
                                   'less': np.less}
_OPERATORS: Dict[str, Callable] = {'+': operator.add, '-': operator.sub, '*': operator.mul, '/': operator.truediv,
                                   '//': operator.floordiv,
                                   '%': operator.mod, '**': operator.pow, '<': operator.lt, '>=': operator.ge}


def _joins_dtypes(backend: Any) -> None:
    """Numbers, lists and real arrays take the dtype of the tensors that they meet, and two dtypes are promoted."""
    for name, function in _FUNCTIONS.items():
        _check_pairs(backend, name, getattr(backend, name), function)


def _joins_dtypes_of_several(backend: Any) -> None:
    """The same holds for more than two operands, and for functions made of others."""
    image, kernels = np.ones((1, 2, 3, 2)), np.ones((2, 1, 2, 2))
    calls: Dict[str, Callable[[Any], Any]] = {
        'where': lambda x: backend.where(backend.greater(x, 1.5), x, np.ones(3)),
        'clip': lambda x: backend.clip(x, np.zeros(3), [2., 2., 2.]),
        'concatenate': lambda x: backend.concatenate([np.ones((1, 3)), x, np.ones((1, 3), 'float16')], 0),
        'stack': lambda x: backend.stack([np.ones((2, 3)), x]), 'dot': lambda x: backend.dot(x, np.ones((3, 2))),
        'gather': lambda x: backend.gather(np.ones(5), backend.cast(x, 'int32')),
        'matmul': lambda x: backend.matmul(backend.expand_dims(x, 0), np.ones((1, 3, 2))),
        'conv': lambda x: backend.conv(backend.cast(image, backend.dtype(x)), kernels),
        'add_bias': lambda x: backend.add_bias(backend.cast(image, backend.dtype(x)), np.ones(2)),
        'a layout': lambda x: backend.add(backend.conv(backend.cast(image.transpose(0, 2, 3, 1), backend.dtype(x)),
                                                       kernels, None, 'same', None,
                                                       'channels_last'), np.ones((3, 2, 1))),
        'a list in a layout': lambda x: backend.multiply(backend.pool(backend.cast(image.transpose(0, 2, 3, 1),
                                                                                   backend.dtype(x)), (1, 1),
                                                                      data_format='channels_last'), [1., 2.]),
        'scan': lambda x: backend.scan(lambda x, state, _: [backend.add(x[0], state[0])], [x], [np.zeros(3)])[0]}
    with using_floatx('float32', backend):
        made = {name: [call(backend.constant(_VALUES, dtype)) for dtype in ('int32', 'float32')] for name,
                call in calls.items()}
        for name, results in made.items():
            found = [backend.dtype(one) for one in results]
            expect(found == ['float32', 'float32'], f'float32 from {name} of integers, and of float32', found)
        # The channels are last, where one of the layouts has its columns.
        assert_close('a list in a layout', backend.eval(made['a list in a layout'][1])[0, 0, 0], [1., 2.], 0)


def _has_operators(backend: Any) -> None:
    """Python's operators return what the functions return, in what a backend runs."""
    for name, function in _OPERATORS.items():
        _check_pairs(backend, f'x {name} y', function, function)
    product = backend.no_autograph(lambda x, y: [x @ y, y @ np.ones((2, 3)), np.ones((2, 2)) @ x])
    ints, reals = backend.constant(_VALUES, 'int32'), backend.constant(np.ones((3, 2)), 'float64')
    for found, expected in zip(backend.eval(product(ints, reals)),
                               (_VALUES @ np.ones((3, 2)), 2 * np.ones((3, 3)), np.ones((2, 2)) @ _VALUES)):
        assert_close('x @ y', found, expected, 1e-12)


def _check_pairs(backend: Any, name: str, function: Callable, expected: Callable) -> None:
    """Raise unless dtype and value are right for every dtype of a tensor and of its partner, in both orders."""
    with using_floatx('float32', backend):
        tensors = {dtype: backend.constant(_VALUES, dtype) for dtype in DTYPES}
        pairs: List[tuple] = [(tensors[one], tensors[other], one, other, max(one, other, key=DTYPES.index))
                              for one in DTYPES for other in DTYPES
                              if one != other]
        for other, dtypes in _OTHERS:
            for one, dtype in zip(DTYPES, dtypes):
                pairs += [(tensors[one], other, one, other, dtype), (other, tensors[one], other, one, dtype)]
        run = backend.no_autograph(lambda: [function(x, y) for x, y, *_ in pairs])
        made = run()
        for tensor, value, (*_, one, other, dtype) in zip(made, backend.eval(made), pairs):
            where = f'{name} of {one!r} and {other!r}'
            wanted = expected(*(np.asarray(_VALUES.astype(it) if isinstance(it, str) else it).astype('float64')
                                for it in (one, other)))
            dtype = 'float32' if dtype == 'floatx' or name in ('divide', 'x / y') and dtype not in FLOATS else dtype
            dtype = 'bool' if wanted.dtype == 'bool' else dtype
            expect(backend.dtype(tensor) == dtype, f'{dtype} from {where}', backend.dtype(tensor))
            assert_close(where, value, wanted.astype(dtype) if dtype not in FLOATS else wanted,
                         0 if dtype not in FLOATS else 1e-5)


DTYPE_LAWS = (_joins_dtypes, _joins_dtypes_of_several, _has_operators)
