"""Weights of a file for a model that differs from the one that was saved."""
import numpy as np
import pytest

from keraflow.errors import ModelFileError
from keraflow.layers import Dense, Dropout, Input
from keraflow.models import Model


def rated(activation='tanh', **arguments):
    x = Input(3, name='x')
    h = Dense(4, activation=activation, name='h', init=arguments.get('init', 'glorot_uniform'), activity_regularizer=arguments.get('penalty'))(x)
    return Model(x, Dense(2, name='y')(Dropout(arguments.get('rate', 0.5), name='d')(h)), name=arguments.get('name', 'm'))


@pytest.mark.parametrize('other', [{'name': 'student'}, {'init': 'he_normal'}, {'rate': 0.3}, {'penalty': 'l2'}])
def test_weights_fit_where_only_training_differs(tmp_path, other):
    rated().save_weights(tmp_path / 'w.safetensors')
    model = rated(**other)
    model.load_weights(tmp_path / 'w.safetensors')
    right = rated()
    right.load_weights(tmp_path / 'w.safetensors')
    np.testing.assert_array_equal(model.get_weights()['h/W'], right.get_weights()['h/W'])
    with pytest.raises(ModelFileError, match='another architecture, which predicts differently'):
        rated('relu', **other).load_weights(tmp_path / 'w.safetensors')
