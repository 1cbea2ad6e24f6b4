"""A dtype may be given as an object wherever its name is taken."""
import numpy as np
import pytest

from keraflow import backend as B
from keraflow import serialize
from keraflow.errors import ArgumentError, ArgumentTypeError
from keraflow.layers import Dense, Input, Layer
from keraflow.models import Model
from keraflow.preprocessing.sequence import pad_sequences
from keraflow.schema.argument_scopes import argscope


class FromTensorFlow:
    """As a dtype of TensorFlow is."""

    as_numpy_dtype = np.float64


@pytest.mark.parametrize('given', [np.float64, np.dtype('float64'), FromTensorFlow(), 'float64'])
def test_layers_keep_the_name(given):
    layer, x = Dense(2, dtype=given), Input(3, dtype=given)
    assert (layer.dtype, x.dtype, layer(x).dtype) == ('float64',) * 3
    assert serialize(layer)['args']['dtype'] == 'float64' and serialize(x)['args']['dtype'] == 'float64'
    with argscope(Dense, dtype=given):
        assert Dense(2).dtype == 'float64'


@pytest.mark.parametrize('given', [np.int32, np.dtype('int32'), 'int32'])
def test_weights_and_functions(given):
    class Counts(Layer):
        def init_param(self, input_shape):
            self.add_weight('n', (2,), given, init='one', trainable=False)

        def output(self, x):
            return x * B.cast(self.add_weight('n', (2,), dtype=given, trainable=False), 'float32')[0]
    layer = Counts()
    layer(Input(3))
    assert layer.get_weights()['n'].dtype == 'int32'
    assert pad_sequences([[1, 2]], 3, dtype=given).dtype == 'int32'


@pytest.mark.parametrize('given, name', [(np.int32, 'int32'), (np.dtype('float64'), 'float64'), (np.float32, 'float32')])
def test_functions_of_the_backend(given, name):
    x = B.ones((2,))
    made = [B.cast(x, given), B.cast(x, dtype=given), B.ones((2,), given), B.zeros((2,), dtype=given), B.full((2,), 1, given),
            B.eye(2, given), B.zeros_like(x, given), B.ones_like(x, given), B.arange(3, given), B.constant([1], given),
            B.variable([1], given), B.placeholder((2,), given), B.one_hot(B.constant([1]), 3, given)]
    assert [B.dtype(one) for one in made] == [name] * len(made)
    z = Input(3)
    model = Model(z, B.cast(z, given))
    assert model.outputs[0].dtype == name and model.predict(np.ones((1, 3))).dtype == name
    assert serialize(model)['args']['layers'] and name in str(serialize(model))


def test_floatx():
    B.set_floatx(np.float64)
    assert B.floatx() == 'float64' and B.dtype(B.ones((1,))) == 'float64'


def test_others_are_refused():
    for given in (np.float16, np.floating, np.complex64):
        with pytest.raises((ArgumentError, ArgumentTypeError)) as caught:
            Dense(2, dtype=given)
        assert str(caught.value) == ("Dense: dtype: expected one of 'bool', 'int32', 'int64', 'float32', 'float64' or None, received "
                                     f"'{given.__name__}'.")
    with pytest.raises(ArgumentError, match="^cast: expected one of bool, int32, int64, float32, float64, received 'float16'.$"):
        B.cast(B.ones((1,)), np.float16)
