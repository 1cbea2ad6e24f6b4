"""What one backend made and the other one meets: files are read, layers and models are refused."""
import numpy as np
import pytest

from keraflow import backend as B
from keraflow.errors import BackendError
from keraflow.layers import Concatenate, Dense, Input
from keraflow.models import Model, Sequential

X = np.random.default_rng(6).normal(size=(4, 3)).astype('float32')
BOTH_WAYS = pytest.mark.parametrize('first, second', [('theano', 'tensorflow'), ('tensorflow', 'theano')])


@BOTH_WAYS
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


@BOTH_WAYS
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
