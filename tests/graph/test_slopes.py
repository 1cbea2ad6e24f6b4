"""The rules of gradients: first and second ones against central differences in float64, or the refusal."""
import numpy as np
import pytest

from keraflow import backend as B
from keraflow.backend.graph import gradients, slopes
from keraflow.backend.graph.nodes import OPERATIONS, apply
from keraflow.backend.graph.operations import GIVEN
from keraflow.errors import BackendError
from keraflow.testing import assert_close
from keraflow.testing.numerics import numerical_gradient, using_floatx


def reals(*shape, low=-1., high=1.):
    """Numbers of which no two are near each other, in any order."""
    size = int(np.prod(shape))
    return np.random.default_rng(size).permutation(np.linspace(low, high, size + 2)[1:-1] + 0.01 / (size + 1)).reshape(shape)


def positive(*shape):
    return reals(*shape, low=0.3, high=2.)


X, INDICES, FLAGS = reals(3, 4), np.array([[2, 0], [2, 1]]), np.array([[True], [False], [True]])
IMAGE, KERNELS, DEPTHWISE = reals(2, 5, 6, 2), reals(2, 3, 3, 2), reals(2, 2, 2, 3)
WINDOWS = {'strides': (2, 1), 'pad': 'same', 'dilation': (1, 2)}
POOL = {'size': (2, 3), 'strides': (1, 2), 'pad': 'same'}

#: An operation, its operands, and its static arguments. The gradients of real operands are computed.
CASES = [
    *((name, [X], {}) for name in 'negative abs square exp expm1 sin cos tanh erf sigmoid relu softplus identity'.split()),
    *((name, [positive(3, 4)], {}) for name in ('sqrt', 'log', 'log1p')),
    ('leaky_relu', [X], {'alpha': 0.3}),
    ('cast', [X], {'dtype': 'float64'}),
    *((name, operands, {}) for name in ('add', 'subtract', 'multiply', 'maximum', 'minimum') for operands in (
        [X, reals(3, 4)[::-1] + 0.05], [X, reals(4)], [reals(2, 1, 4), reals(3, 1)])),
    *((name, operands, {}) for name in ('divide', 'power') for operands in (
        [positive(3, 4), positive(4)], [positive(3, 1), positive(2, 1, 4)])),
    ('mod', [positive(3, 4), np.array([0.7, 0.9, 1.1, -0.6])], {}),
    ('where', [FLAGS, X, reals(4)], {}), ('where', [FLAGS, reals(1, 4), reals(3, 1)], {}),
    ('require', [X, FLAGS | True], {'message': 'never'}),
    *((name, [reals(2, 3, 4)], {'axis': axis, 'keepdims': keepdims}) for name in ('sum', 'mean', 'max', 'min', 'prod')
      for axis in (None, (1,), (0, 2)) for keepdims in (False, True)),
    ('prod', [np.array([[0., 2., 3.], [0., 0., 4.], [2., 3., 4.]])], {'axis': (1,), 'keepdims': False}),
    ('cumsum', [X], {'axis': 1}), ('softmax', [X], {'axis': 0}), ('log_softmax', [X], {'axis': 1}),
    ('histogram', [X, reals(4, 3)], {'edges': (-0.5, 0.1, 0.3)}),
    ('reshape', [X], {'shape': (2, -1)}), ('flatten', [reals(2, 3, 4)], {'nb_axis': 2}),
    ('expand_dims', [X], {'axis': 1}), ('squeeze', [reals(3, 1, 4)], {'axis': 1}),
    ('transpose', [reals(2, 3, 4)], {'axes': (1, 2, 0)}), ('flip', [X], {'axis': 0}),
    ('reshape_like', [X, np.zeros((2, 6))], {}), ('broadcast_like', [reals(3, 1), np.zeros((2, 3, 4))], {}),
    ('broadcast_to', [reals(3, 1)], {'shape': (2, 3, 4)}), ('sum_to_like', [reals(2, 3, 4), np.zeros((3, 1))], {}),
    ('repeat', [X], {'repeats': 2, 'axis': 1}), ('tile', [X], {'reps': (2, 3)}),
    ('pad', [X, np.array(0.3)], {'padding': ((1, 0), (2, 1))}),
    ('concatenate', [X, reals(3, 2), reals(3, 1)], {'axis': 1}), ('stack', [X, X[::-1], X * 2], {'axis': 1}),
    *(('getitem', [X, *given], {'key': key}) for key, *given in (
        ((slice(None), slice(1, 3)),), ((1,),), ((Ellipsis, None, slice(None, None, 2)),), ((0, -1),),
        ((GIVEN,), np.array([2, 0, 2])), ((GIVEN, GIVEN), np.array([2, 0, 2]), np.array([1, 1, 1])),
        ((slice(GIVEN, None), GIVEN), np.array(1), np.array(2)))),
    *(('dot', operands, {}) for operands in (
        [X, reals(4, 2)], [reals(2, 3, 4), reals(4, 2)], [reals(2, 3, 4), reals(4)], [reals(4), reals(4, 2)],
        [reals(4), reals(4)])),
    *(('matmul', operands, {}) for operands in (
        [X, reals(4, 2)], [reals(2, 3, 4), reals(4, 2)], [reals(5, 1, 3, 4), reals(2, 4, 2)], [reals(3, 4), reals(2, 4, 2)],
        [reals(4), reals(2, 4, 3)], [reals(2, 3, 4), reals(4)], [reals(4), reals(4)])),
    ('transposed_dot', [reals(2, 3, 4), reals(2, 3, 2)], {}),
    ('take', [X, INDICES], {'axis': 0}), ('take', [X, INDICES], {'axis': 1}),
    *(('conv', [IMAGE, KERNELS], {**WINDOWS, **more}) for more in (
        {}, {'pad': 'valid'}, {'strides': (1, 1), 'dilation': (1, 1)})),
    ('conv', [reals(2, 4, 2), reals(2, 3, 1)], {'strides': (1,), 'pad': 'valid', 'dilation': (1,)}),
    ('conv', [reals(1, 3, 4, 3, 2), reals(2, 1, 2, 2, 2)], {'strides': (1, 2, 1), 'pad': 'same', 'dilation': (1, 1, 1)}),
    *(('depthwise_conv', [IMAGE, DEPTHWISE], {**WINDOWS, **more}) for more in ({}, {'pad': 'valid'})),
    *(('conv_transpose', [reals(2, 3, 2, 2), KERNELS], {'strides': (2, 3), 'pad': pad}) for pad in ('same', 'valid')),
    *((name, [IMAGE], {**POOL, **more}) for name in ('max_pool', 'mean_pool') for more in ({}, {'pad': 'valid'})),
]


@pytest.fixture(autouse=True)
def in_float64():
    with using_floatx('float64'):
        yield


def placeholders(arrays, is_known):
    return [B.placeholder(array.shape if is_known else (None,) * array.ndim, array.dtype.name) for array in arrays]


def weighted_square(x):
    """A scalar whose gradient with respect to `x` depends on `x`."""
    return B.sum(B.square(x) * B.cast(B.reshape(B.arange(B.prod(B.shape(x))), B.shape(x)) + 1, 'float64'))


def gradient_graph(name, arrays, static, order, is_known=True):
    """The placeholders, and the gradients of a scalar behind an operation with respect to the real ones."""
    inputs = placeholders(arrays, is_known)
    real = [x for x, array in zip(inputs, arrays) if array.dtype.kind == 'f']

    def build(*inputs):
        loss = weighted_square(apply(name, inputs, **static))
        for number in range(order - 1):
            loss = sum(weighted_square(one) for one in B.gradients(loss, real))
        return loss, B.gradients(loss, real)
    return inputs, B.symbolic(build, inputs)


def check(name, arrays, static, order, is_known):
    inputs, (loss, found) = gradient_graph(name, arrays, static, order, is_known)
    if B.name() == 'jax' and GIVEN in str(static.get('key', ())) and not all(array.ndim for array in arrays):
        with pytest.raises(BackendError, match='getitem: expected lengths, and bounds of slices, that follow from shapes, received one '
                                               'that only the data have: JAX compiles for lengths. Use another backend, or a mask '
                                               'instead of fewer cells.'):
            B.function(inputs, [loss])(*arrays)
        return
    run, real = B.function(inputs, [loss]), [array for array in arrays if array.dtype.kind == 'f']

    def value(*given):
        rest = iter(given)
        return float(run(*[next(rest) if array.dtype.kind == 'f' else array for array in arrays])[0])
    for number, (one, expected) in enumerate(zip(B.function(inputs, found)(*arrays), numerical_gradient(value, real))):
        assert_close(f'gradient {order} of {name}({static}), operand {number}', one, expected, 1e-6 * max(1., np.abs(expected).max()))


IDS = [f'{name}-{number}' for number, (name, _, _) in enumerate(CASES)]


@pytest.mark.parametrize('name, arrays, static', CASES, ids=IDS)
def test_gradients_are_central_differences(name, arrays, static):
    check(name, arrays, static, 1, True)


@pytest.mark.parametrize('name, arrays, static', CASES, ids=IDS)
def test_gradients_are_right_if_no_length_is_known_before_the_run(name, arrays, static):
    if name not in ('conv', 'depthwise_conv', 'conv_transpose', 'squeeze', 'tile'):     # these need some
        check(name, arrays, static, 1, False)


@pytest.mark.parametrize('name, arrays, static', CASES, ids=IDS)
def test_gradients_of_gradients_are_central_differences(name, arrays, static):
    check(name, arrays, static, 2, True)


def test_the_third_gradient_of_a_product():
    x = B.placeholder((None, 4))

    def build(x):
        loss = B.sum(B.prod(x, 1))
        for _ in range(2):
            [loss] = B.gradients(B.sum(loss) if loss.ndim else loss, [x])
        return B.gradients(B.sum(loss), [x])
    values = [2., 3., 0., 5.]
    # The first gradient adds up to the products of three, the second to those of two, twice each.
    expected = [2 * (sum(values) - one) for one in values]
    np.testing.assert_allclose(B.function([x], B.symbolic(build, [x]))([values])[0], [expected])


#: What JAX puts into a graph whose gradients are computed already.
OF_FINISHED_GRAPHS = {'counted_mean', 'counted_shape', 'only_counted', 'sure_of_rows'}


def test_each_operation_has_a_rule_or_is_listed_as_constant():
    ruled = {*slopes.SLOPES, *slopes.SLOPES_OF_MANY, *slopes.SLOPES_OF_LISTS}
    assert not ruled & slopes.CONSTANT
    assert set(OPERATIONS) - ruled - slopes.CONSTANT - OF_FINISHED_GRAPHS == {'constant', 'item'}
    assert not OF_FINISHED_GRAPHS & (ruled | slopes.CONSTANT)


def test_each_rule_is_in_a_case(monkeypatch):
    """Those of what other rules make are, if the second gradients use them."""
    used, rule = set(), gradients.slope_of_operand

    def noting(node, number, g):
        used.add(node.operation.name)
        return rule(node, number, g)
    monkeypatch.setattr(gradients, 'slope_of_operand', noting)
    for name, arrays, static in CASES:
        for is_known in (True, False):
            if is_known or name == 'concatenate':
                gradient_graph(name, arrays, static, {'max_pool': 3}.get(name, 2), is_known)
    assert used == {*slopes.SLOPES, *slopes.SLOPES_OF_MANY}


def test_an_operation_without_a_rule_is_refused(monkeypatch):
    x = B.placeholder((2,))
    monkeypatch.delitem(slopes.SLOPES, 'tanh')
    with pytest.raises(BackendError, match="gradients: expected operations with gradients, received 'tanh', which has none. Write "
                                           'B.stop_gradient around it if it is constant, or use another backend'):
        B.symbolic(lambda x: B.gradients(B.sum(B.tanh(x)), [x]), [x])


@pytest.mark.parametrize('count', [1, 2, 7])
def test_items_of_one_tensor_are_put_into_one_array(count):
    """Not each into an array of its own, which would take time as the square of their number."""
    x = B.placeholder((7, 3))
    loss = B.symbolic(lambda x: sum(B.sum(B.square(x[n])) for n in range(count)), [x])
    [g] = B.gradients(loss, [x])
    expected = np.zeros((7, 3))
    expected[:count] = 2
    assert_close('gradient', B.function([x], [g])(np.ones((7, 3)))[0], expected, 0)
    assert g.operation.name == 'place' and len(g.static['keys']) == count


def test_parts_that_are_all_of_a_tensor_are_joined():
    x = B.placeholder((None, 7))
    loss = B.symbolic(lambda x: sum(B.sum(B.square(one) * (n + 1.)) for n, one in enumerate(B.split(x, (2, 4, 1)))), [x])
    [g] = B.gradients(loss, [x])
    assert_close('gradient', B.function([x], [g])(np.ones((2, 7)))[0], [[2., 2., 4., 4., 4., 4., 6.]] * 2, 0)
    assert g.operation.name == 'concatenate'


def test_products_with_one_matrix_have_one_product_for_its_gradient():
    x, w = B.placeholder((4, 3, 2)), B.variable(reals(2, 2))
    loss = B.symbolic(lambda x: sum(B.sum(B.square(B.dot(x[n], w))) for n in range(4)), [x])
    [g] = B.gradients(loss, [w])
    array = reals(4, 3, 2)
    assert_close('gradient', B.function([x], [g])(array)[0],
                 numerical_gradient(lambda w: np.sum((array @ w) ** 2), [reals(2, 2)])[0], 1e-8)
    assert g.operation.name == 'transposed_dot'
