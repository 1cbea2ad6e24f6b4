"""What counts in a loss and in metrics: steps with a mask, weights of steps and of outputs, labels that are ignored."""
import numpy as np
import pytest

from keraflow import backend as B
from keraflow.errors import ArgumentError, ArgumentTypeError, DataError, ShapeError
from keraflow.layers import Activation, Convolution2D, Dense, Input, TimeDistributed
from keraflow.metrics import TopKAccuracy
from keraflow.models import Model
from keraflow.optimizers import SGD

DRAW = np.random.default_rng(5)
NAN = float('nan')


def passing(shape, loss, metrics=None, mask_value=None, **kwargs):
    """A model that gives what it is given."""
    x = Input(shape, mask_value=mask_value, name='x')
    model = Model(x, Activation('linear', name='y')(x), name='m')
    model.compile('sgd', loss, metrics=metrics, **kwargs)
    return model


def chances(*shape):
    found = DRAW.uniform(0.1, 1., shape)
    return found / found.sum(-1, keepdims=True)


def of_class(p, y):
    return -np.log(np.take_along_axis(p, y[..., None], -1)[..., 0])


# -- samples without a part that counts ----------------------------------------------------------------------------------

@pytest.mark.parametrize('batch_size', [8, 3, 1])
def test_a_sample_without_a_step_counts_nowhere(batch_size):
    model = passing((3, 2), 'mae', [TopKAccuracy(1)], mask_value=0)
    full, truth = np.tile([0.9, 0.1], (4, 3, 1)), np.tile([1., 0.], (8, 3, 1))
    full[1, 1:] = 0
    mixed = np.concatenate([full, full * 0])[[0, 4, 5, 1, 6, 2, 7, 3]]
    for x in (mixed, np.concatenate([full, full * 0]), full):
        found = model.evaluate(x, truth[:len(x)], batch_size=batch_size)
        assert found == pytest.approx({'loss': 0.1, 'top_k_accuracy': 1.}, rel=1e-6)
    weights = np.array([2., 1, 1, 1, 5, 1, 1, 1])
    found = model.evaluate(np.concatenate([full, full * 0]), truth, sample_weights=weights, batch_size=batch_size)
    assert found['loss'] == pytest.approx(0.1 * 5 / 4, rel=1e-6)


def test_its_gradient_is_none():
    def trained(nb_empty):
        x = Input((2, 3), mask_value=0)
        model = Model(x, TimeDistributed(Dense(1, init='one', name='d'))(x))
        model.compile(SGD(lr=0.1), 'mse')
        given = np.concatenate([np.arange(1., 13.).reshape(2, 2, 3) / 12, np.zeros((nb_empty, 2, 3))])
        [logs] = model.fit(given, np.ones((2 + nb_empty, 2, 1)), nb_epoch=1, batch_size=9, verbose=0, shuffle=False)
        return [logs['loss'], *model.get_weights().values()]
    for one, other in zip(trained(0), trained(6)):
        np.testing.assert_allclose(other, one, rtol=1e-5)


def test_outputs_count_their_own_samples():
    a, b = Input((2, 1), mask_value=0, name='a'), Input(1, name='b')
    model = Model([a, b], [Activation('linear', name='ya')(a), Activation('linear', name='yb')(b)])
    model.compile('sgd', ['mae', 'mae'])
    xa, xb = np.array([[[2.], [4.]], [[0.], [0.]], [[6.], [0.]]]), np.array([[1.], [2.], [6.]])
    for batch_size in (3, 2, 1):
        found = model.evaluate([xa, xb], [xa * 0, xb * 0], batch_size=batch_size)
        assert found['loss'] == pytest.approx((3 + 6) / 2 + (1 + 2 + 6) / 3, rel=1e-6)


# -- targets where nothing counts ----------------------------------------------------------------------------------------

@pytest.mark.parametrize('nothing', [-1, 255, 2 ** 31 - 1, NAN])
def test_labels_at_masked_steps_do_not_matter(nothing):
    p = chances(3, 4, 2)
    mask = np.array([[1, 1, 0, 0], [0, 1, 1, 1], [1, 1, 1, 1]], bool)
    y = DRAW.integers(0, 2, (3, 4))
    model = passing((4, 2), 'sparse_categorical_crossentropy', ['acc', TopKAccuracy(1)], mask_value=0)
    told = np.where(mask, y, nothing)
    told = told if np.isnan(nothing) else told.astype('int64')
    expected = np.mean(np.sum(of_class(p, y) * mask, 1) / mask.sum(1))
    found = model.evaluate(p * mask[..., None], told)
    assert found == pytest.approx(model.evaluate(p * mask[..., None], np.where(mask, y, 0)), rel=1e-6)
    assert found['loss'] == pytest.approx(expected, rel=1e-5)
    assert model.evaluate(p * mask[..., None], told[..., None]) == found


@pytest.mark.parametrize('loss', ['mse', 'categorical_crossentropy', 'binary_crossentropy', 'huber'])
def test_nan_at_masked_steps_does_not_matter(loss):
    x = Input((4, 2), mask_value=0)
    model = Model(x, TimeDistributed(Dense(2, activation='softmax'))(x))
    start = model.get_weights()
    given, mask = DRAW.normal(size=(3, 4, 2)), np.array([[1, 1, 0, 0], [0, 1, 1, 1], [1, 1, 1, 1]], bool)[..., None]
    y, ends = np.eye(2)[DRAW.integers(0, 2, (3, 4))], []
    for nothing in (NAN, 0., 7.):
        model.set_weights(start)
        model.compile(SGD(lr=0.5), loss, metrics=['acc', 'mae'])
        [logs] = model.fit(given * mask, np.where(mask, y, nothing), nb_epoch=1, verbose=0, shuffle=False)
        ends.append([*logs.values(), *model.get_weights().values()])
    for one, *others in zip(*ends):
        assert np.all(np.isfinite(one))
        for other in others:
            np.testing.assert_allclose(other, one, rtol=1e-6)


def test_what_is_wrong_at_steps_that_count_is_refused():
    x = np.array([[[0.5, 0.5], [0.5, 0.5], [0., 0.]]])
    sparse, dense = passing((3, 2), 'sparse_categorical_crossentropy', mask_value=0), passing((3, 2), 'mse', mask_value=0)
    for label in (-1, 2):
        with pytest.raises(DataError) as caught:
            sparse.evaluate(x, np.array([[0, label, 9]]))
        assert str(caught.value) == 'm: y: expected class indices from 0 to 1 at steps that count, received another one.'
    y = np.ones((1, 3, 2))
    y[0, 1, 1] = y[0, 2] = NAN
    with pytest.raises(DataError) as caught:
        dense.evaluate(x, y)
    assert str(caught.value) == ('m: y: there is a NaN or an infinite value in the target of a step that counts. Replace such values '
                                 'first, or mask the step.')
    y[0, 1, 1] = 0.5
    assert dense.evaluate(x, y)['loss'] == pytest.approx(3 * 0.25 / 4)


# -- labels that are ignored ---------------------------------------------------------------------------------------------

SPARSE = 'sparse_categorical_crossentropy'


@pytest.mark.parametrize('label', [-1, 255, 1])
@pytest.mark.parametrize('batch_size', [6, 4, 1])
def test_a_label_of_samples(label, batch_size):
    p, y = chances(6, 3), np.array([0, 1, 2, 0, 2, 1])
    seen = y != label if label == 1 else np.array([1, 0, 1, 1, 0, 0], bool)
    told = np.where(seen, y, label)
    model = passing(3, SPARSE, ['acc', TopKAccuracy(1)], ignore_label=label)
    found = model.evaluate(p, told, batch_size=batch_size)
    assert found['loss'] == pytest.approx(of_class(p, y)[seen].mean(), rel=1e-5)
    assert found['top_k_accuracy'] == pytest.approx(np.mean((p.argmax(-1) == y)[seen]))
    weights = np.array([1., 2., 3., 0., 5., 1.])
    found = model.evaluate(p, told[:, None], sample_weights=weights, batch_size=batch_size)
    assert found['loss'] == pytest.approx((of_class(p, y) * weights)[seen].sum() / np.count_nonzero(weights[seen]), rel=1e-5)


@pytest.mark.parametrize('masked', [False, True])
def test_a_label_of_steps(masked):
    p, y = chances(4, 5, 3), DRAW.integers(0, 3, (4, 5))
    seen = np.array([[1, 1, 0, 0, 1], [1, 1, 1, 1, 1], [0, 0, 0, 0, 0], [0, 1, 0, 1, 1]], bool)
    counted = seen.copy()
    if masked:
        p[1, 2:] = 0
        counted[1, 2:] = False
    model = passing((5, 3), SPARSE, [TopKAccuracy(1)], mask_value=0 if masked else None, ignore_label=-1)
    found = model.evaluate(p, np.where(seen, y, -1), batch_size=3)
    values = np.where(counted, of_class(np.maximum(p, 1e-7), y), 0).sum(1)[[0, 1, 3]] / counted.sum(1)[[0, 1, 3]]
    assert found['loss'] == pytest.approx(values.mean(), rel=1e-5)
    assert found['top_k_accuracy'] == pytest.approx(np.mean((p.argmax(-1) == y)[counted]))


@pytest.mark.parametrize('channels', ['first', 'last'])
def test_a_label_of_places_in_images(channels):
    x = Input((2, 4, 5) if channels == 'first' else (4, 5, 2))
    layer = Convolution2D(3, 1, 1, activation='softmax', data_format=f'channels_{channels}')
    model = Model(x, layer(x))
    model.compile(SGD(lr=0.5), SPARSE, ignore_label=255)
    given, y = DRAW.normal(size=(3, *x.shape[1:])), DRAW.integers(0, 3, (3, 4, 5))
    seen = DRAW.uniform(size=(3, 4, 5)) < 0.6
    seen[2] = False
    p = model.predict(given)
    p = np.moveaxis(p, 1, -1) if channels == 'first' else p
    expected = np.mean([of_class(p[at], y[at])[seen[at]].mean() for at in (0, 1)])
    ends = []
    for told in (np.where(seen, y, 255)[..., None], np.where(seen, y, 255)):
        assert model.evaluate(given, told)['loss'] == pytest.approx(expected, rel=1e-5)
        before = model.get_weights()
        model.fit(given, told, nb_epoch=1, batch_size=3, verbose=0)
        ends.append(list(model.get_weights().values()))
        assert all(np.all(np.isfinite(one)) for one in ends[-1])
        model.set_weights(before)
    for one, other in zip(*ends):
        np.testing.assert_allclose(other, one, rtol=1e-5, atol=1e-7)


def test_labels_of_several_outputs():
    x = Input(3)
    outputs = [Activation('linear', name=name)(x) for name in ('a', 'b', 'c')]
    model = Model(x, outputs, name='m')
    p, y = chances(4, 3), np.array([0, 1, 2, 1])
    one, two, three = np.array([0, -1, 2, -1]), np.array([7, 1, 2, 1]), p
    for given in ({'a': -1, 'b': 7}, [-1, 7]):
        model.compile('sgd', [SPARSE, SPARSE, 'mse'], ignore_label=given)
        expected = of_class(p, y)[[0, 2]].mean() + of_class(p, y)[1:].mean()
        assert model.evaluate(p, [one, two, three])['loss'] == pytest.approx(expected, rel=1e-5)
    with pytest.raises(DataError) as caught:
        model.evaluate(p, [one, one, three])
    assert str(caught.value) == ('m: evaluate: y: b: expected class indices from 0 to 2, or 7, which is ignored, received -1 in sample 1. '
                                 'Pass ignore_label=-1 to compile if it marks samples to ignore.')
    model.compile('sgd', [SPARSE, SPARSE, 'mse'], ignore_label=-1)
    assert model.evaluate(p, [one, one, three])['loss'] == pytest.approx(2 * of_class(p, y)[[0, 2]].mean(), rel=1e-5)
    for given, kind, text in (({'c': 1}, ArgumentError, "m: ignore_label: there is no 'c'. Choose one of a, b."),
                              ('one', ArgumentTypeError, "m: ignore_label: expected an integer, received 'one'."),
                              (0.5, ArgumentTypeError, 'm: ignore_label: expected an integer, received 0.5.')):
        with pytest.raises(kind) as caught:
            model.compile('sgd', [SPARSE, SPARSE, 'mse'], ignore_label=given)
        assert str(caught.value) == text
    with pytest.raises(ArgumentError) as caught:
        model.compile('sgd', ['mse', 'mse', 'mse'], ignore_label=-1)
    assert str(caught.value) == ("m: ignore_label: expected a loss that takes class indices, such as 'sparse_categorical_crossentropy', "
                                 'received none.')


def test_a_label_beside_weights_of_classes():
    p, y = chances(4, 3), np.array([0, 255, 2, 1])
    x = Input(3)
    model = Model(x, Dense(3, init='identity')(x))
    model.compile(SGD(lr=1e-30), SPARSE, ignore_label=255)
    [logs] = model.fit(lambda: iter([(p, y)]), nb_epoch=1, verbose=0, class_weight={0: 3., 2: 2.}, validation_data=(p, y))
    values = of_class(p, np.array([0, 0, 2, 1]))
    assert logs['loss'] == pytest.approx((3 * values[0] + 2 * values[2] + values[3]) / 3, rel=1e-5)
    assert logs['val_loss'] == pytest.approx(values[[0, 2, 3]].mean(), rel=1e-5)


# -- weights ---------------------------------------------------------------------------------------------------------------

STEPS = np.array([[1., 0., 2.], [0., 0., 0.], [3., 1., 1.]])


@pytest.mark.parametrize('masked', [False, True])
@pytest.mark.parametrize('batch_size', [3, 2, 1])
def test_weights_of_steps(masked, batch_size):
    x, y = DRAW.uniform(0.1, 0.9, (3, 3, 2)), DRAW.integers(0, 2, (3, 3, 2)).astype('float64')
    counted = STEPS != 0
    if masked:
        x[2, 1:] = 0
        counted[2, 1:] = False
    model = passing((3, 2), 'mse', ['precision'], mask_value=0 if masked else None)
    found = model.evaluate(x, y, sample_weights=STEPS, batch_size=batch_size)
    squares = np.mean((x - y) ** 2, -1) * STEPS * counted
    assert found['loss'] == pytest.approx(np.mean((squares.sum(1) / np.maximum(counted.sum(1), 1))[[0, 2]]), rel=1e-5)
    positive, each = x > 0.5, (STEPS * counted)[..., None]
    assert found['precision'] == pytest.approx(np.sum(positive * y * each) / np.sum(positive * each), rel=1e-5)


def test_weights_of_steps_are_part_of_the_gradient():
    x = Input((3, 2))
    model = Model(x, TimeDistributed(Dense(1, init='one', bias=False))(x))
    model.compile(SGD(lr=1.), 'mse')
    given, y = DRAW.normal(size=(3, 3, 2)), DRAW.normal(size=(3, 3, 1))
    W = np.ones((2, 1))
    counts = np.maximum(np.count_nonzero(STEPS, axis=1), 1)
    slopes = 2 * (given @ W - y) * given * STEPS[..., None] / counts[:, None, None] / 2
    for data in ((given, y, STEPS), ([given], {model.output_names()[0]: y}, {model.output_names()[0]: STEPS.astype('float32')})):
        model.set_weights([W])
        model.fit(*data[:2], sample_weights=data[2], nb_epoch=1, batch_size=3, verbose=0)
        np.testing.assert_allclose(model.get_weights().popitem()[1], W - slopes.sum((0, 1))[:, None], rtol=1e-4, atol=1e-5)
    model.set_weights([W])
    model.fit(lambda: iter([(given, y, STEPS)]), nb_epoch=1, verbose=0)
    np.testing.assert_allclose(model.get_weights().popitem()[1], W - slopes.sum((0, 1))[:, None], rtol=1e-4, atol=1e-5)


def test_weights_of_0_and_1_are_a_mask():
    x, y = DRAW.uniform(0.1, 0.9, (4, 3, 2)), DRAW.normal(size=(4, 3, 2))
    mask = np.array([[1, 1, 1], [1, 0, 0], [0, 0, 0], [0, 1, 1]])
    weighted = passing((3, 2), 'mse').evaluate(x, y, sample_weights=mask)
    assert weighted == pytest.approx(passing((3, 2), 'mse', mask_value=0).evaluate(x * mask[..., None], y), rel=1e-6)


@pytest.mark.parametrize('form', [lambda a, b: {'a': a, 'b': b}, lambda a, b: [a, b], lambda a, b: (a, b)])
def test_weights_for_each_output(form):
    x = Input(2, name='x')
    model = Model(x, [Dense(1, name='a', init='one')(x), Dense(1, name='b', init='one')(x)], name='m')
    model.compile(SGD(lr=1e-30), ['mse', 'mae'], metrics=[['acc'], ['acc']], report_terms=True)
    given, y = DRAW.normal(size=(4, 2)), DRAW.normal(size=(4, 1))
    of_a, of_b = np.array([1., 0., 2., 1.]), np.array([0., 0., 0., 3.])
    error = (given.sum(1) - y[:, 0])
    a, b = np.sum(error ** 2 * of_a) / 3, np.abs(error[3]) * 3
    plain = np.mean(np.abs(error))
    for batch_size in (4, 3, 1):
        found = model.evaluate(given, [y, y], sample_weights=form(of_a, of_b), batch_size=batch_size)
        assert (found['loss'], found['loss(a)'], found['loss(b)']) == pytest.approx((a + b, a, b), rel=1e-5)
        found = model.evaluate(given, [y, y], sample_weights=form(of_a, None), batch_size=batch_size)
        assert found['loss'] == pytest.approx(a + plain, rel=1e-5)
        [logs] = model.fit(given, [y, y], sample_weights=form(None, of_b), batch_size=batch_size, nb_epoch=1, verbose=0)
        assert logs['loss'] == pytest.approx(np.mean(error ** 2) + b, rel=1e-5)
    found = model.evaluate(lambda: iter([(given, [y, y], form(of_a, of_b))]))
    assert found['loss'] == pytest.approx(a + b, rel=1e-5)
    shared = model.evaluate(given, [y, y], sample_weights=of_a)
    assert shared['loss'] == pytest.approx(a + np.sum(np.abs(error) * of_a) / 3, rel=1e-5)


def test_one_output_of_two_is_switched_off():
    x = Input(2)
    model = Model(x, [Dense(1, name='a')(x), Dense(1, name='b')(x)])
    model.compile(SGD(lr=0.5), ['mse', 'mse'])
    before = model.get_weights()
    model.fit(np.ones((2, 2)), [np.ones((2, 1)) * 9] * 2, nb_epoch=1, verbose=0, sample_weights={'a': np.ones(2), 'b': np.zeros(2)})
    after = model.get_weights()
    assert np.all(after['a/W'] != before['a/W']) and np.all(after['b/W'] == before['b/W'])


def test_weights_that_do_not_fit():
    steps, flat = passing((3, 2), 'mse'), passing(3, 'mse')
    x, y = np.ones((4, 3, 2)), np.ones((4, 3, 2))
    for act, kind, text in (
            (lambda: steps.evaluate(x, y, sample_weights=np.ones((4, 2))), DataError,
             'm: evaluate: sample_weights: expected an array of shape (4, 3), received (4, 2).'),
            (lambda: flat.evaluate(np.ones((4, 3)), np.ones((4, 3)), sample_weights=np.ones((4, 3))), DataError,
             'm: evaluate: sample_weights: expected an array of shape (4,), received (4, 3).'),
            (lambda: steps.evaluate(x, y, sample_weights={'z': np.ones(4)}), ArgumentError,
             "m: evaluate: sample_weights: there is no 'z'. Choose one of y."),
            (lambda: steps.evaluate(x, y, sample_weights={'y': np.ones(3)}), DataError,
             'm: evaluate: sample_weights: y: expected an array of shape (4,), received (3,).')):
        with pytest.raises(kind) as caught:
            act()
        assert str(caught.value) == text

    def whole(y_pred, y_true):
        return B.sum(B.square(y_pred - y_true), [1, 2])
    with pytest.raises(ShapeError) as caught:
        passing((3, 2), whole).evaluate(x, y, sample_weights=np.ones((4, 3)))
    assert str(caught.value) == ('whole: expected a value for each part of a sample that has a weight, received (None,). Pass a weight for '
                                 'each sample.')
