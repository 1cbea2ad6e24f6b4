"""Training on real data is the same as on NumPy in float64, step by step, with every optimizer."""
import numpy as np
import pytest
from sklearn.datasets import load_digits

from keraflow import backend as B
from keraflow import optimizers, registry
from keraflow.callbacks import Callback
from keraflow.layers import Concatenate, Convolution2D, Dense, Flatten, GlobalPooling2D, Input, Pooling2D
from keraflow.models import Model

BATCH_SIZE, NB_BATCH, NB_EPOCH = 32, 50, 2
#: Beside every optimizer of the registry with its own defaults.
VARIANTS = [
    ('SGD', {'lr': 0.1, 'momentum': 0.9}), ('SGD', {'lr': 0.1, 'momentum': 0.9, 'nesterov': True}),
    ('SGD', {'lr': 0.1, 'decay': 0.01}), ('SGD', {'lr': 0.1, 'clipnorm': 0.5}), ('SGD', {'lr': 0.1, 'clipvalue': 0.01}),
]
REGISTERED = [(entry.id, {}) for entry in registry.entries() if entry.kind == 'optimizer' and entry.builtin]


@pytest.fixture(scope='module')
def digits():
    """Images as rows, and answers as rows with a 1 for the right digit: as many as fill the batches."""
    data = load_digits()
    assert data.data.shape == (1797, 64)
    nb_sample = BATCH_SIZE * NB_BATCH
    return data.data[:nb_sample] / 16, np.eye(10)[data.target[:nb_sample]]


class Losses(Callback):
    """The loss of each batch."""

    def __init__(self):
        self.found = []

    def on_batch_end(self, batch, logs):
        self.found.append(logs['loss'])


def train(name, floatx, optimizer, digits):
    """The initial weights on a backend, and the loss of each batch."""
    B.use(name)
    B.set_floatx(floatx)
    B.seed(1)
    image = Input(64)
    model = Model(image, Dense(10, activation='softmax')(Dense(16, activation='tanh')(image)))
    weights, losses = model.get_weights(), Losses()
    model.compile(optimizer, 'categorical_crossentropy')
    model.fit(*digits, batch_size=BATCH_SIZE, nb_epoch=NB_EPOCH, verbose=0, callbacks=[losses])
    return weights, np.array(losses.found)


def test_each_step_of_a_network_with_pooling_has_the_same_loss(digits, other):
    pictures, answers = digits[0][:320].reshape(-1, 1, 8, 8), digits[1][:320]
    found = []
    for name in ('numpy', other):
        B.use(name)
        B.set_floatx('float64')
        B.seed(1)
        image, losses = Input((1, 8, 8)), Losses()
        kernels = Convolution2D(4, 3, 3, activation='relu', pad='same')(image)      # whole windows of what they give are 0
        pooled = GlobalPooling2D('max')(Pooling2D('max', 3, strides=2, pad='same')(kernels))
        model = Model(image, Dense(10, activation='softmax')(Concatenate()([pooled, Flatten()(Pooling2D('max')(kernels))])))
        model.compile(optimizers.SGD(lr=0.5), 'categorical_crossentropy')
        model.fit(pictures, answers, batch_size=BATCH_SIZE, nb_epoch=2, verbose=0, callbacks=[losses])
        found.append(losses.found)
    np.testing.assert_allclose(found[1], found[0], rtol=1e-9)
    assert found[0][-1] < found[0][0]


@pytest.mark.parametrize('floatx, rtol', [('float64', 1e-9), ('float32', 1e-4)], ids=['float64', 'float32'])
@pytest.mark.parametrize('optimizer, args', [*REGISTERED, *VARIANTS],
                         ids=lambda it: it if isinstance(it, str) else '-'.join(list(it)[1:]) or 'defaults')
def test_each_step_has_the_same_loss_with(optimizer, args, floatx, rtol, digits, other):
    weights, losses = train(other, floatx, getattr(optimizers, optimizer)(**args), digits)
    expected_weights, expected = train('numpy', 'float64', getattr(optimizers, optimizer)(**args), digits)
    assert list(weights) == list(expected_weights) and len(weights) == 4
    for name, array in weights.items():
        assert array.dtype == floatx
        np.testing.assert_array_equal(array, expected_weights[name].astype(floatx))
    assert losses.shape == (NB_BATCH * NB_EPOCH,)
    np.testing.assert_allclose(losses, expected, rtol=rtol)
    # An untrained network gives each of the ten digits about the same chance; from there the loss falls.
    assert 0.9 * np.log(10) < losses[0] < 1.5 * np.log(10)
    assert losses[-10:].mean() < losses[:10].mean()


def test_another_seed_gives_other_weights_and_every_optimizer_is_here(digits):
    B.use('numpy')
    weights = []
    for seed in (1, 1, 2):
        B.seed(seed)
        x = Input(64)
        weights.append(Model(x, Dense(16, name='d')(x)).get_weights()['d/W'])
    assert np.array_equal(weights[0], weights[1]) and not np.array_equal(weights[0], weights[2])
    assert {'SGD', 'RMSprop', 'Adagrad', 'Adadelta', 'Adam', 'Adamax', 'AdamW', 'Nadam', 'Ftrl'} <= {name for name, _ in REGISTERED}
