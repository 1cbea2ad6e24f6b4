"""MultiHeadAttention with masks: against a shorter sequence, and against NumPy; what causal and dropout do."""
import numpy as np
import pytest

from keraflow import backend as B
from keraflow.errors import GraphError, ShapeError
from keraflow.layers import Input, Masking, MultiHeadAttention
from keraflow.models import Model

RNG = np.random.default_rng(8)
QUERY, KEY = RNG.normal(size=(2, 3, 4)), RNG.normal(size=(2, 5, 4))


@pytest.fixture(autouse=True)
def float64(backend_name):
    B.set_floatx('float64')


def attention(w, query, key, value, nb_head, seen):
    """`seen` says, for each sample and query step, which key steps are looked at."""
    q, k, v = (np.stack(np.split(x @ w[f'W_{role}'] + w[f'b_{role}'], nb_head, axis=2), 1)
               for role, x in (('q', query), ('k', key), ('v', value)))
    scores = np.einsum('bhqd,bhkd->bhqk', q, k) / np.sqrt(q.shape[3])
    powers = np.where(seen[:, None], np.exp(scores), 0.)
    total = powers.sum(-1, keepdims=True)
    heads = np.einsum('bhqk,bhkd->bqhd', powers / np.where(total == 0, 1., total), v)
    return heads.reshape(*query.shape[:2], -1) @ w['W_o'] + w['b_o']


def with_biases(layer):
    """Random values for what starts at zero."""
    layer.set_weights({name: RNG.normal(size=array.shape) for name, array in layer.get_weights().items() if name.startswith('b')})
    return layer.get_weights()


def test_a_masked_sequence_is_a_shorter_one():
    key = KEY.copy()
    key[:, 3:] = 7.
    query, masked, short = Input((3, 4)), Input((5, 4), mask_value=7.), Input((3, 4))
    layer = MultiHeadAttention(2, 3)
    outputs = [layer([query, short]), layer([query, masked]), layer([query, masked, masked]),
               layer([query, masked, Masking(None)(masked)]), layer([query, Masking(None)(masked), masked])]
    with_biases(layer)
    expected, *others = Model([query, masked, short], outputs).predict([QUERY, key, KEY[:, :3]])
    for one in others:
        np.testing.assert_allclose(one, expected, rtol=1e-12, atol=1e-13)


def test_causal_where_steps_are_masked_too():
    x = KEY.copy()
    counts = np.array([[0, 0, 1, 1, 0], [1, 0, 1, 1, 1]], bool)
    x[~counts] = 0.
    inputs, layer = Input((None, 4), mask_value=0.), MultiHeadAttention(2, 2, causal=True)
    y = layer(inputs)
    assert (y.shape, y.mask_shape) == ((None, None, 4), (None, None))
    weights = with_biases(layer)
    seen = np.tril(np.ones((5, 5), bool)) & counts[:, None, :]
    found = Model(inputs, y).predict(x)
    np.testing.assert_allclose(found, attention(weights, x, x, x, 2, seen), rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(found[0, :2], np.tile(weights['b_o'], (2, 1)), rtol=1e-14)

    def loss():
        tensor = B.constant(x)
        return B.sum(layer.run([layer.set_tensor_mask(tensor, B.constant(counts))])[0]), None
    gradients = B.compile(lambda: (B.value_and_gradients(loss, [layer.W_q, layer.W_k, layer.W_v])[2], []), [])()
    assert all(np.all(np.isfinite(one)) and np.any(np.asarray(one) != 0) for one in gradients)


def test_a_step_does_not_depend_on_later_ones():
    inputs = Input((5, 4))
    model = Model(inputs, MultiHeadAttention(2, 3, causal=True)(inputs))
    other = KEY.copy()
    other[:, 3:] = 9.
    one, two = model.predict(KEY), model.predict(other)
    np.testing.assert_array_equal(one[:, :3], two[:, :3])
    assert np.all(np.any(one[:, 3:] != two[:, 3:], -1))


def test_large_scores_are_exact():
    inputs = Input((5, 4))
    layer = MultiHeadAttention(1, 4, bias=False)
    model = Model(inputs, layer(inputs))
    layer.set_weights({'W_q': 1e4 * np.eye(4), 'W_k': np.eye(4), 'W_v': np.eye(4), 'W_o': np.eye(4)})
    best = np.argmax(np.einsum('bqd,bkd->bqk', KEY, KEY), -1)
    np.testing.assert_allclose(model.predict(KEY), np.stack([x[rows] for x, rows in zip(KEY, best)]), rtol=1e-12)


def test_dropout_is_of_weights():
    query, key = Input((50, 2)), Input((1, 2))
    layer = MultiHeadAttention(2, 1, drop_rate=0.25)
    model = Model([query, key], layer([query, key]))
    layer.set_weights({'W_v': np.zeros((2, 2)), 'b_v': np.ones(2), 'W_o': np.eye(2)})
    data = [np.ones((20, 50, 2)), np.ones((20, 1, 2))]
    np.testing.assert_array_equal(model.predict(data), np.ones((20, 50, 2)))
    found = model.predict(data, train_mode=True)
    np.testing.assert_allclose(found[found != 0], 4 / 3, rtol=1e-6)
    assert abs(np.mean(found == 0) - 0.25) < 0.05       # five standard errors of 2000 draws


MISTAKES = [
    ([(3, 4)] * 4, GraphError, 'a: expected one to three inputs, received 4. Pass [query, key, value].'),
    ([(3, 4), 4], ShapeError, 'a: expected a 3-D input (batch, time, input_dim), received shape (None, 4).'),
    ([(3, None)], ShapeError, 'a: expected an input (batch, time, input_dim) whose axis input_dim has a known length, received shape '
     '(None, 3, None). Give the Input that length.'),
    ([(3, 4), (5, 4), (4, 4)], ShapeError, 'a: expected key and value of one time, received (None, 5, 4) and (None, 4, 4).'),
]


@pytest.mark.parametrize('shapes, kind, text', MISTAKES, ids=range(len(MISTAKES)))
def test_mistakes(shapes, kind, text):
    with pytest.raises(kind) as caught:
        MultiHeadAttention(2, 3, name='a')([Input(shape) for shape in shapes])
    assert str(caught.value) == text


def test_other_inputs_than_before():
    layer = MultiHeadAttention(2, 3, name='a')
    layer([Input((3, 4)), Input((None, 2))])
    with pytest.raises(ShapeError) as caught:
        layer(Input((3, 4)))
    assert str(caught.value) == ('a: expected query, key and value with input_dim (4, 2, 2), received (4, 4, 4). The layer was built for '
                                 'those; make another layer for these.')
