"""What one backend made and another one meets: files are read, layers and models are refused."""
import numpy as np
import pytest

import keraflow
from keraflow import backend as B
from keraflow.errors import BackendError
from keraflow.layers import LSTM, Concatenate, Dense, Embedding, Input
from keraflow.models import Model, Sequential

X = np.random.default_rng(6).normal(size=(4, 3)).astype('float32')


@pytest.fixture(params=['from numpy', 'to numpy'])
def first(request, other):
    return 'numpy' if request.param == 'from numpy' else other


@pytest.fixture
def second(first, other):
    return other if first == 'numpy' else 'numpy'


def test_what_one_backend_wrote_the_other_one_reads(tmp_path, first, second):
    B.use(first)
    a, b = Input(3), Input(3)
    shared = Sequential([Dense(4, activation='relu'), Dense(3, activation='softmax')])
    model = Model([a, b], Concatenate()([shared(a), shared(b)]))
    expected = model.predict([X, -X])
    model.save_to_file(tmp_path / 'a.yaml', tmp_path / 'w.safetensors')
    B.use(second)
    again = Model.load_from_file(tmp_path / 'a.yaml', tmp_path / 'w.safetensors')
    assert np.max(np.abs(again.predict([X, -X]) - expected)) < 1e-5
    again.save_to_file(tmp_path / 'b.yaml', tmp_path / 'v.safetensors')
    assert (tmp_path / 'a.yaml').read_text() == (tmp_path / 'b.yaml').read_text()
    assert (tmp_path / 'w.safetensors').read_bytes() == (tmp_path / 'v.safetensors').read_bytes()


def test_a_layer_of_another_backend_is_refused(first, second):
    B.use(first)
    x = Input(3, name='x')
    layer = Dense(2, name='d')
    model = Model(x, layer(x), name='m')
    B.use(second)
    for make, where in ((lambda: layer(Input(3)), 'd: was'), (lambda: Dense(2, name='e')(x), 'e: the Kensor x was'),
                        (lambda: model.predict(X), 'm: was'), (lambda: model.compile('sgd', 'mse'), 'm: was'),
                        (model.get_weights, 'm: was')):
        with pytest.raises(BackendError) as caught:
            make()
        assert str(caught.value) == (f"{where} made on the backend '{first}', the current one is '{second}'. "
                                     f"Call keraflow.backend.use('{first}') first.")
    B.use(first)
    assert model.predict(X).shape == (4, 2)


def test_a_whole_model_is_verified_and_goes_on_training_on_another_one(tmp_path, first, second):
    B.use(first)
    B.seed(2)
    x = Input((None,), dtype='int32', mask_value=0, name='x')
    model = Model(x, Dense(2, activation='softmax', name='y')(LSTM(4)(Embedding(9, 3, drop_rate=0.2)(x))), name='m')
    model.compile('adam', 'sparse_categorical_crossentropy')
    words, labels = np.arange(40).reshape(8, 5) % 9, np.arange(8).reshape(8, 1) % 2
    model.fit(words, labels, batch_size=4, nb_epoch=1, verbose=0)
    model.save(tmp_path / 'm.keraflow', probes=True)
    expected = model.fit(words, labels, batch_size=4, nb_epoch=2, verbose=0)
    B.use(second)
    again = keraflow.load(tmp_path / 'm.keraflow', verify=True)
    found = again.fit(words, labels, batch_size=4, nb_epoch=2, verbose=0)
    np.testing.assert_allclose(found.column('loss'), expected.column('loss'), rtol=1e-5)
