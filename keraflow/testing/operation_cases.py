"""The table of operations, with their results in NumPy for operands from a pool.

A case names the operation, its arguments (an operand of the pool represents a tensor), the NumPy function that takes
the same arguments, and the rule for the dtype of the result. Cases of one group are computed by one compiled function.
"""
from typing import Any, Callable, Dict, List, NamedTuple, Optional, Tuple

import numpy as np

from keraflow.testing import numpy_functions as nf
from keraflow.testing.operands import Operand, Reshaped

__all__ = ['CASES', 'Case', 'UNTABLED']


class Case(NamedTuple):
    """One call of one operation.

    Attributes
    ----------
    operation : str
        The name of the method; ``'operator'`` for Python's operators on tensors.
    args, kwargs : tuple, dict
        The arguments of the call; operands represent tensors, even inside lists.
    expected : function
        The same in NumPy, with the same arguments.
    rule : str
        The dtype of the result: ``'same'`` as the common one of the operands, ``'real'``: the same, but floatx for
        integers and bools, ``'count'``: the same, but int64 for bools, ``'floatx'``, or the dtype itself.
    kinds : str
        The kinds of operands (``f``, ``i``, ``b``) that it applies to.
    call : function, optional
        ``call(backend, *args, **kwargs)`` if the operation is not a method.
    smooth : bool
        Whether its gradient can be compared with central differences in NumPy.
    fixed : bool
        Whether the static shape is known if those of the operands are.
    text : str
        A label, if operation and arguments do not say enough.
    """

    operation: str
    args: tuple
    kwargs: dict
    expected: Callable
    rule: str = 'same'
    kinds: str = 'fi'
    call: Optional[Callable] = None
    smooth: bool = True
    fixed: bool = True
    text: str = ''

    @property
    def label(self) -> str:
        """The name in messages."""
        if self.text:
            return f'{self.operation}: {self.text}'
        words = [_text(it) for it in self.args] + [f'{name}={_text(value)}' for name, value in self.kwargs.items()]
        return f'{self.operation}({", ".join(words)})'


def _text(value: Any) -> str:
    if isinstance(value, Operand):
        return str(value)
    if isinstance(value, list):
        return f'[{", ".join(map(_text, value))}]'
    return getattr(value, '__name__', repr(value))


# -- operands ---------------------------------------------------------------------------------------------------------

x, y, positive, row, one, scalar, matrix, other, vector, batch = map(
    Operand, ('x', 'y', 'positive', 'row', 'one', 'scalar', 'matrix', 'other', 'vector', 'batch'))
edges, far, far_out, strange, halves, tied, flags = map(
    Operand, ('edges', 'far', 'far_out', 'strange', 'halves', 'tied', 'flags'))
condition, of_samples, index, wide_index = map(Operand, ('condition', 'of_samples', 'index', 'wide_index'))
int32, int64, float32, float64, boolean = map(Operand, ('int32', 'int64', 'float32', 'float64', 'boolean'))


# -- the table --------------------------------------------------------------------------------------------------------

def _of(operation: str, expected: Callable, *several: tuple, **options: Any) -> List[Case]:
    """Make cases of one operation; the last element of `several` may be a dict of keyword arguments."""
    return [Case(operation, args[:-1] if isinstance(args[-1], dict) else args,
                 args[-1] if isinstance(args[-1], dict) else {},
                 expected, **options) for args in several]


def _elementwise() -> List[Case]:
    real: Dict[str, Any] = {'rule': 'real', 'kinds': 'fib'}
    flat: Dict[str, Any] = {'smooth': False}
    return [
        *_of('abs', np.abs, (x,)), *_of('negative', np.negative, (x,), (scalar,)), *_of('sign', np.sign, (x,), **flat),
        *_of('square', np.square, (x,)), *_of('sqrt', np.sqrt, (positive,), **real),
        *_of('sqrt', np.sqrt, (strange,), kinds='f', **flat),
        *_of('exp', np.exp, (x,), (row,), **real), *_of('expm1', np.expm1, (x,), **real),
        *_of('log', np.log, (positive,), **real),
        *_of('log', np.log, (strange,), kinds='f', **flat), *_of('log1p', np.log1p, (positive,), **real),
        *_of('sin', np.sin, (x,), **real), *_of('cos', np.cos, (x,), **real), *_of('tanh', np.tanh, (x,), **real),
        *_of('tanh', np.tanh, (edges,), kinds='f'), *_of('erf', nf.erf, (x,), **real),
        *_of('erf', nf.erf, (edges,), kinds='f'),
        *_of('floor', nf.if_real(np.floor), (x,), **flat), *_of('floor', np.floor, (halves,), kinds='f', **flat),
        *_of('ceil', nf.if_real(np.ceil), (x,), **flat), *_of('ceil', np.ceil, (halves,), kinds='f', **flat),
        *_of('round', nf.if_real(np.round), (x,), **flat), *_of('round', np.round, (halves,), kinds='f', **flat),
        *_of('isnan', np.isnan, (x,), rule='bool', kinds='fib', **flat),
        *_of('isnan', np.isnan, (strange,), rule='bool', kinds='f', **flat),
        *_of('isfinite', np.isfinite, (x,), rule='bool', kinds='fib', **flat),
        *_of('isfinite', np.isfinite, (strange,), rule='bool', kinds='f', **flat),
        *_of('logical_not', np.logical_not, (flags,), rule='bool', kinds='fib', **flat),
        *_of('identity', np.array, (x,), (scalar,), kinds='fib'),
        *_of('stop_gradient', np.array, (x,), kinds='fib', **flat),
    ]


def _pairs() -> List[Case]:
    function: Any
    both = ((x, y), (x, row), (row, x), (x, one), (one, x), (x, scalar), (x, 2), (2, x))
    mixed = ((int32, int64), (int64, float32), (float32, float64), (boolean, int32), (boolean, float64),
             (int32, float64))
    cases = []
    for name, function in (('add', np.add), ('subtract', np.subtract), ('multiply', np.multiply),
                           ('maximum', np.maximum),
                           ('minimum', np.minimum)):
        cases += _of(name, function, *both) + _of(name, function, *mixed, kinds='f') + _of(name, function, (x, 0.5),
                                                                                           (0.5, x), rule='real')
    for name, function in (('equal', np.equal), ('not_equal', np.not_equal), ('less', np.less),
                           ('less_equal', np.less_equal),
                           ('greater', np.greater), ('greater_equal', np.greater_equal)):
        cases += _of(name, function, (x, x), (x, one), (x, 1), (1, x), (x, 0.5), rule='bool', smooth=False)
        cases += _of(name, function, (x, y), rule='bool', kinds='fib' if name in ('equal', 'not_equal') else 'fi',
                     smooth=False)
        cases += _of(name, function, (int32, int64), (float32, int64), (strange, 0.), (strange, strange), rule='bool',
                     kinds='f', smooth=False)
    for name, function in (('logical_and', np.logical_and), ('logical_or', np.logical_or)):
        cases += _of(name, function, (x, condition), (condition, one), (flags, flags), rule='bool', kinds='fib',
                     smooth=False)
    return [
        *cases, *_of('divide', np.true_divide, (x, y), (x, 4), (3, y), (one, y), (x, scalar), rule='real'),
        *_of('divide', np.true_divide, (int32, int64), rule='floatx', kinds='f', smooth=False),
        *_of('divide', np.true_divide, (int64, float32), (float64, int32), kinds='f'),
        *_of('floor_divide', np.floor_divide, (x, y), (x, 2), (x, -2), smooth=False),
        *_of('mod', np.mod, (x, y), (x, 2), (x, -2), smooth=False),
        *_of('power', np.power, (x, 2)), *_of('power', np.power, (positive, row), (2., x), kinds='f'),
        *_of('power', np.power, (positive, 0.5), rule='real'),
        *_of('where', np.where, (condition, x, y), (condition, one, x), (condition, x, row), (of_samples, x, y),
             kinds='fib'),
        *_of('where', np.where, (condition, x, 0), (condition, 1, x)),
        *_of('where', np.where, (condition, x, 0.5), rule='real'),
        *_of('where', np.where, (boolean, int32, float64), kinds='f'), *_of('where', np.where, (x, y, x), kinds='i'),
        *_of('maximum', np.maximum, (strange, 0.), (0., strange), kinds='f', smooth=False),
        *_of('minimum', np.minimum, (strange, 0.), (0., strange), kinds='f', smooth=False),
        *_of('clip', nf.clip, (strange, -1., 1.), kinds='f', smooth=False),
        *_of('clip', nf.clip, (x, -1, 2), (x, None, 1), (x, 0, None), (x, None, None)),
        *_of('clip', nf.clip, (x, -0.6, 0.6), rule='real'),
    ]


def _reductions() -> List[Case]:
    function: Any
    axes = ((x,), (x, -1), (x, 0), (x, [0, -1]), (x, 1, True), (x, {'axis': [1, 2], 'keepdims': True}),
            (x, {'keepdims': True}), (scalar,))
    cases = []
    for name, function in (('sum', np.sum), ('prod', np.prod)):
        cases += _of(name, nf.reducing(function), *axes, rule='count', kinds='fib')
    for name, function in (('mean', np.mean), ('var', np.var)):
        cases += _of(name, nf.reducing(function), *axes, rule='real', kinds='fib')
    for name, function in (('max', np.max), ('min', np.min)):
        cases += _of(name, nf.reducing(function), *axes) + _of(name, nf.reducing(function), (strange,),
                                                               (strange, 0, True), kinds='f', smooth=False)
    for name, function in (('any', np.any), ('all', np.all)):
        cases += _of(name, nf.reducing(function), *axes, (flags, 1), (flags, {'axis': 0, 'keepdims': True}),
                     rule='bool',
                     kinds='fib', smooth=False)
    for name, function in (('argmax', np.argmax), ('argmin', np.argmin)):
        cases += _of(name, function, (x, -1), (x, 0), (x, 1), (tied, -1), (tied, 0), (flags, {'axis': 1}), rule='int64',
                     smooth=False)
    return [
        *cases, *_of('std', nf.reducing(np.std), (x,), (x, -1), (x, [0, 2], True), rule='real', kinds='fi'),
        *_of('norm', nf.reducing(nf.norm), (x,), (x, -1), (x, [0, 2], True), (positive, {'axis': 1, 'keepdims': True}),
             rule='real', kinds='fib'),
        *_of('cumsum', np.cumsum, (x, -1), (x, 0), (x, 1), rule='count', kinds='fib'),
        *_of('histogram', nf.histogram, (x, [-0.5, 0., 1.], positive), (x, [0.], x), (tied, [0., 1., 1., 2.], tied),
             rule='real', smooth=False),
        Case('histogram', (strange,), {}, lambda x: np.array([2, 0, 1, 3]), kinds='f', smooth=False,
             text='NaN is behind all edges',
             call=lambda B, x: B.histogram(x, [0., 0., 1.], B.ones_like(x))),
        *_of('logsumexp', nf.logsumexp, (x,), (x, -1), (x, [0, 1]), (x, 1, True), rule='real', kinds='fi'),
        *_of('logsumexp', nf.logsumexp, (far, -1), (far,), (edges,), kinds='f'),
        Case('logsumexp', (x,), {}, lambda x: np.log(np.sum(np.maximum(x, 0), -1)), kinds='f', smooth=False,
             text='-inf adds nothing',
             call=lambda B, x: B.logsumexp(B.log(B.maximum(x, 0.)), -1)),
    ]


def _products() -> List[Case]:
    return [
        *_of('dot', np.dot, (other, matrix), (x, matrix), (other, vector), (x, vector), (vector, matrix),
             (vector, row)),
        *_of('dot', np.dot, (float32, matrix), kinds='f'),
        *_of('matmul', np.matmul, (x, batch), (x, matrix), (x, vector), (other, matrix), (other, vector),
             (vector, matrix), (vector, row), (vector, batch)),
        *_of('matmul', np.matmul, (Reshaped(x, (2, 1, 3, 4)), Reshaped(batch, (2, 1, 4, 5))), (other, batch)),
        *_of('matmul', np.matmul, (Reshaped(x, (2, 1, 3, 4)), Reshaped(batch, (1, 2, 4, 5))),
             (Reshaped(x, (2, 1, 3, 4)), batch)),
        *_of('gather', lambda x, indices, axis=0: np.take(x, indices, axis), (x, index, 1), (x, wide_index, -2),
             (matrix, index, 0),
             (other, index), (other, wide_index, {'axis': 0}), kinds='fib'),
        *_of('one_hot', nf.one_hot, (index, 3), (wide_index, 4), rule='floatx', kinds='f', smooth=False),
        *_of('one_hot', nf.one_hot, (index, 3, 'int32'), rule='int32', kinds='f', smooth=False),
    ]


def _shapes() -> List[Case]:
    every: Dict[str, Any] = {'kinds': 'fib'}
    return [
        *_of('reshape', np.reshape, (x, (3, 8)), (x, (-1, 4)), (x, [2, -1, 2]), (x, (24,)), (scalar, (1, 1)), **every),
        *_of('flatten', nf.flatten, (x,), (x, 2), (x, 3), **every),
        *_of('transpose', np.transpose, (x,), (x, (0, 2, 1)), (x, [2, 0, 1]), (x, (-1, 0, 1)), (other,), **every),
        *_of('expand_dims', np.expand_dims, (x, 0), (x, -1), (x, 1), (x, -2), (scalar, 0), **every),
        *_of('squeeze', np.squeeze, (one, 1), (one, -2), **every),
        *_of('squeeze_axes', nf.squeeze_axes, (one, [1]), (one, -2), **every),
        *_of('concatenate', np.concatenate, ([x, y], -1), ([x, one], 1), ([x, y, x], 0), **every),
        *_of('concatenate', np.concatenate, ([int32, float32], 0), ([boolean, int64], 1), kinds='f'),
        *_of('stack', np.stack, ([x, y], 0), ([x, y], -1), ([x, y], 1), ([scalar, scalar],), **every),
        *_of('repeat', np.repeat, (x, 2, 0), (x, 3, -1), (one, 2, 1), **every),
        *_of('tile', np.tile, (x, (1, 2, 1)), (other, [2, 3]), **every),
        *[Case('split', (x, (1, 2), 1), {}, lambda x, lengths, axis, part=part: np.split(x, [1], axis)[part], 'same',
               'fib', _one_part(part),
               text=f'part {part}') for part in (0, 1)],
        Case('split', (x, [3, 1]), {}, lambda x, lengths: x[..., 3:], 'same', 'fib', _one_part(1),
             text='along the last axis'),
        *_of('flip', np.flip, (x, 0), (x, -1), (x, 1), **every),
    ]


def _one_part(part: int) -> Callable:
    return lambda backend, *args: backend.split(*args)[part]


def _activations() -> List[Case]:
    real: Dict[str, Any] = {'rule': 'real'}
    return [
        *_of('sigmoid', nf.logistic, (x,), **real), *_of('sigmoid', nf.logistic, (edges,), kinds='f'),
        *_of('hard_sigmoid', lambda x: np.clip(0.2 * x + 0.5, 0, 1), (x,), **real),
        *_of('hard_sigmoid', lambda x: np.clip(0.2 * x + 0.5, 0, 1), (edges,), kinds='f'),
        *_of('relu', lambda x, alpha=0., max_value=np.inf: np.minimum(np.where(x < 0, x * alpha if alpha else 0., x),
                                                                      max_value), (strange,), (strange, 0.1, 2.),
             kinds='f', smooth=False),
        *_of('relu', nf.relu, (x,), (x, 0.1), (x, {'alpha': 0.2, 'max_value': 1.1}), (x, {'max_value': 1.1}), **real),
        *_of('softplus', lambda x: np.logaddexp(x, 0), (x,), **real),
        *_of('softplus', lambda x: np.logaddexp(x, 0), (edges,), kinds='f'),
        *_of('softplus', lambda x: np.logaddexp(x, 0), (strange,), kinds='f', smooth=False),
        *_of('softsign', lambda x: x / (1 + np.abs(x)), (x,), **real),
        *_of('softmax', nf.softmax, (x,), (x, 0), (x, 1), (other,), (vector,), **real),
        *_of('softmax', nf.softmax, (far,), (far, 0), (edges,), kinds='f'),
        *_of('log_softmax', nf.log_softmax, (x,), (x, 0), (x, -2), (other,), **real),
        *_of('log_softmax', nf.log_softmax, (far,), (far, 0), (edges,), kinds='f'),
    ]


def _creation() -> List[Case]:
    fixed: Dict[str, Any] = {'kinds': 'f', 'smooth': False}
    cases: List[Case] = []
    for dtype in ('bool', 'int32', 'int64', 'float32', 'float64'):
        cases += _of('cast', _cast_like, (x, dtype), (flags, dtype), rule=dtype, kinds='fib', smooth=dtype == 'float64')
    return [
        *cases, *_of('cast', _saturated, (strange, 'int32'), rule='int32', kinds='f', smooth=False),
        *_of('cast', _saturated, (far_out, 'int32'), rule='int32', kinds='f', smooth=False),
        *_of('cast', _saturated, (far_out, 'int64'), rule='int64', kinds='f', smooth=False),
        *_of('as_real', np.array, (x,), (flags,), rule='real', kinds='fib'),
        *_of('zeros_like', lambda x, dtype=None: np.zeros_like(x), (x,), kinds='fib', smooth=False),
        *_of('zeros_like', lambda x, dtype=None: np.zeros_like(x), (x, 'int32'), rule='int32', **fixed),
        *_of('ones_like', lambda x, dtype=None: np.ones_like(x), (x,), kinds='fib', smooth=False),
        *_of('ones_like', lambda x, dtype=None: np.ones_like(x), (x, 'bool'), rule='bool', **fixed),
        *_of('zeros', lambda shape, dtype=None: np.zeros(shape), ((2, 3),), ((),), rule='floatx', **fixed),
        *_of('zeros', lambda shape, dtype=None: np.zeros(shape), ((2,), 'int64'), rule='int64', **fixed),
        *_of('ones', lambda shape, dtype=None: np.ones(shape), ((2, 1),), rule='floatx', **fixed),
        *_of('ones', lambda shape, dtype=None: np.ones(shape), ((2, 1), 'bool'), rule='bool', **fixed),
        *_of('full', lambda shape, value, dtype=None: np.full(shape, value), ((2, 2), 0.5), ((3,), 2), rule='floatx',
             **fixed),
        *_of('full', lambda shape, value, dtype=None: np.full(shape, value), ((2, 2), 3, 'int32'), rule='int32',
             **fixed),
        *_of('eye', lambda size, dtype=None: np.eye(size), (3,), rule='floatx', **fixed),
        *_of('eye', lambda size, dtype=None: np.eye(size), (2, 'int64'), rule='int64', **fixed),
        *_of('arange', lambda stop, dtype='int64': np.arange(stop), (4,), rule='int64', **fixed),
        *_of('arange', lambda stop, dtype='int64': np.arange(stop), (3, 'float64'), rule='float64', **fixed),
        *_of('constant', lambda value, dtype=None: np.array(value), (2.5,), ([0.5, 1.5],), rule='floatx', **fixed),
        *_of('constant', lambda value, dtype=None: np.array(value), ([1, 2], 'int32'), rule='int32', **fixed),
        *_of('shape', lambda x: np.array(np.shape(x), 'int64'), (x,), (scalar,), (matrix,), rule='int64', kinds='fib',
             smooth=False),
        *_of_tensor_lengths(),
    ]


def _of_tensor_lengths() -> List[Case]:
    def case(operation: str, call: Callable, expected: Callable, rule: str, text: str) -> Case:
        return Case(operation, (x,), {}, expected, rule, 'f', call, False, False, text)
    return [
        case('zeros', lambda B, x: B.zeros((B.shape(x)[0], 3)), lambda x: np.zeros((2, 3)), 'floatx',
             'a length that is a tensor'),
        case('full', lambda B, x: B.full([B.shape(x)[i] for i in range(3)], 2), lambda x: np.full((2, 3, 4), 2),
             'floatx', 'lengths that are tensors'),
        case('arange', lambda B, x: B.arange(B.shape(x)[1]), lambda x: np.arange(3), 'int64',
             'a length that is a tensor'),
        case('reshape', lambda B, x: B.reshape(x, [B.shape(x)[0], -1]), lambda x: x.reshape(2, 12), 'same',
             'a length that is a tensor'),
        Case('with_static_shape', (x,), {}, np.array, kinds='fib', call=lambda B, x: B.with_static_shape(x, (2, 3, 4))),
        Case('with_static_shape', (x, one), {}, np.add, text='a length of 1 that is said broadcasts',
             call=lambda B, x, one: B.add(x, B.with_static_shape(B.reshape(one, [B.shape(one)[0], B.shape(one)[1], 4]),
                                                                 (2, 1, 4)))),
    ]


def _saturated(x: Any, dtype: str) -> Any:
    held = [0 if one != one else min(max(one, np.iinfo(dtype).min), np.iinfo(dtype).max) for one in x.tolist()]
    return np.array([int(one) for one in held], dtype)


def _cast_like(x: Any, dtype: str) -> Any:
    return (x != 0) if dtype == 'bool' else np.asarray(x).astype(dtype)


def _operators() -> List[Case]:
    """Make cases of operators in layers: on tensors of one dtype, and Python numbers; and slices."""
    def case(text: str, function: Callable, *args: Operand, rule: str = 'same', kinds: str = 'f',
             smooth: bool = True) -> Case:
        return Case('operator', args, {}, function, rule, kinds, lambda B, *tensors: function(*tensors), smooth, True,
                    text)
    return [
        case('x + y', lambda x, y: x + y, x, y), case('x - y', lambda x, y: x - y, x, y),
        case('x * y', lambda x, y: x * y, x, y),
        case('x / y', lambda x, y: x / y, x, y), case('x + one', lambda x, y: x + y, x, one),
        case('one * x', lambda x, y: x * y, one, x),
        case('row - x', lambda x, y: x - y, row, x), case('x * 2', lambda x: x * 2, x, kinds='fi'),
        case('1 - x', lambda x: 1 - x, x, kinds='fi'),
        case('0.5 * x', lambda x: 0.5 * x, x), case('1. / x', lambda x: 1. / x, positive),
        case('x ** 2', lambda x: x ** 2, x),
        case('-x', lambda x: -x, x, kinds='fi'),
        case('x < y', lambda x, y: x < y, x, y, rule='bool', kinds='fi', smooth=False),
        case('x >= y', lambda x, y: x >= y, x, y, rule='bool', kinds='fi', smooth=False),
        case('x > 0.5', lambda x: x > 0.5, x, rule='bool', smooth=False), case('x[0]', lambda x: x[0], x, kinds='fib'),
        case('x[:, -1]', lambda x: x[:, -1], x, kinds='fib'),
        case('x[..., 1:3]', lambda x: x[..., 1:3], x, kinds='fib'),
        case('x[:, ::-1, ::2]', lambda x: x[:, ::-1, ::2], x, kinds='fib'),
        case('x[:, None, 0]', lambda x: x[:, None, 0], x, kinds='fib'),
    ]


#: Every case of this table.
CASES: Tuple[Case, ...] = (*_elementwise(), *_pairs(), *_reductions(), *_products(), *_shapes(), *_activations(),
                           *_creation(), *_operators())

#: Methods of the contract that are not operations on values; other checks cover them.
UNTABLED = ('floatx', 'set_floatx', 'version', 'devices', 'nb_thread', 'device', 'outside_graph', 'variable',
            'is_variable', 'get_value', 'set_value', 'is_tensor', 'placeholder', 'eval', 'dtype', 'ndim',
            'static_shape', 'trace', 'symbolic', 'function', 'compile', 'batch_loop', 'value_and_gradients',
            'value_and_row_gradients', 'gradients', 'variables_used', 'require', 'no_autograph', 'seed', 'new_stream',
            'current_stream', 'next_draw', 'lone_draw', 'draw_reals', 'draw_hits', 'draw_normals', 'random_uniform',
            'random_normal', 'random_bernoulli', 'dropout', 'adopt', 'plain', 'call', 'adopt_function')
