"""Batches of new lengths compile nothing where each sample is computed by itself, and their numbers are their own."""
import numpy as np
import pytest

from keraflow import backend as B
from keraflow.layers import BatchNormalization, Convolution2D, Dense, Embedding, Flatten, Input
from keraflow.models import Sequential
from keraflow_backends.jax_backend.execution import Jitted

MODELS = {
    'mlp': lambda: Sequential([Input(4), Dense(5, activation='relu'), BatchNormalization(), Dense(3, activation='softmax')]),
    'cnn': lambda: Sequential([Input((2, 4, 4)), Convolution2D(3, 2, 2, activation='tanh'), Flatten(), Dense(2)]),
    'words': lambda: Sequential([Input(4, dtype='int32'), Embedding(7, 3), Flatten(), Dense(1)])}


@pytest.fixture
def compiled(monkeypatch):
    """How long the batches were that functions were traced for."""
    lengths, traced = [], Jitted._traced

    def noting(self, before, kept, starts, given):
        lengths.append(given[0].shape[0] if given else 0)
        return traced(self, before, kept, starts, given)
    monkeypatch.setattr(Jitted, '_traced', noting)
    return lengths


@pytest.mark.parametrize('name', list(MODELS))
def test_new_lengths_of_the_last_batch_compile_nothing(name, compiled):
    model = MODELS[name]()
    model.compile('sgd', 'mse')
    X = np.random.default_rng(0).integers(0, 7, (40, *model.inputs[0].shape[1:])).astype(model.inputs[0].dtype)
    whole = model.predict(X, batch_size=8)
    assert compiled == [8]
    compiled.clear()
    for nb_sample in (40, 19, 23, 8, 35):
        found = model.predict(X[:nb_sample], batch_size=8)
        np.testing.assert_allclose(found, whole[:nb_sample], rtol=1e-5, atol=1e-6)
    assert compiled == []
    for _ in range(20):         # what comes often is compiled
        model.predict(X[:3])
    assert compiled == [3]


@pytest.mark.parametrize('mix', [lambda x: x - B.mean(x, 0), lambda x: B.flip(x, 0), lambda x: B.cumsum(x, 0),
                                 lambda x: B.softmax(x, 0), lambda x: x * B.cast(B.shape(x)[0], 'float32'),
                                 lambda x: x + B.transpose(B.dot(x, B.transpose(x)))[:1, :1]])
def test_samples_that_depend_on_others_are_not_padded(mix):
    x = B.placeholder((None, 2))
    run = B.function([x], [B.symbolic(mix, [x])])
    array = np.arange(10, dtype='float32').reshape(5, 2)
    run(np.ones((7, 2)))
    expected = B.eval(B.symbolic(lambda: mix(B.constant(array)), []))
    np.testing.assert_allclose(run(array)[0], expected, rtol=1e-6)
