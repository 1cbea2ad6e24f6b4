"""The Python program that ``to_python`` writes builds the same model."""
import functools
import os
import subprocess
import sys

import numpy as np
import pytest

import keraflow
from keraflow import activations
from keraflow import backend as B
from keraflow.errors import ArgumentTypeError, SerializationError
from keraflow.layers import Concatenate, Dense, Dropout, ElementWiseSum, Input, Lambda
from keraflow.models import Model, Sequential
from keraflow.models.to_python import to_python
from keraflow.regularizers import L1L2


@keraflow.register(id='doubled-in-test-source')
def doubled(x):
    return x * 2


def shared_and_nested():
    x, y = Input(4, name='x'), Input((2, 4), mask_value=0.)
    shared = Dense(4, activation=functools.partial(activations.relu, alpha=0.1), regularizers={'W': 'l1'}, trainable=False)
    inside = Input(4)
    inner = Model(inside, Dense(2, bias=False)(inside), name='inner')
    tail = Sequential([Dense(4, 'he_normal'), Dropout(0.5)])
    z = ElementWiseSum()([shared(x), shared(B.sum(y[:, ::-1], axis=1)), tail(x)])
    return Model([x, y], [inner(z) * 2, inner(shared(z) @ np.eye(4)), B.concatenate([z, x], axis=-1)], name='model', trainable=False)


def long_sequential():
    block = Sequential([Dense(3, activation='relu', regularizers=[L1L2(0.5, 0.25), None]), Dense(3)])
    return Sequential([Input(3), block, Sequential([block, Dense(4, constraints={'b': 'nonneg'})], name='second'), Dense(5)])


def with_functions():
    x = Input(3)
    return Model(x, Lambda(doubled, arguments=None)(Dense(3, activation=doubled)(x)))


@pytest.mark.filterwarnings('ignore:.*mask of its input is lost')
@pytest.mark.parametrize('make', [shared_and_nested, long_sequential, with_functions])
def test_the_program_builds_the_same_model(make):
    model = make()
    names = {}
    exec(model.to_python(), names)
    again = names['model']
    assert keraflow.serialize(again) == keraflow.serialize(model)
    assert again.to_python() == model.to_python()


def test_the_program_is_written_for_people():
    x = Input(4, name='x')
    h = Dense(8, activation='relu')(x)
    model = Model(x, Concatenate()([Dense(2, name='out')(h), h[:, :3] / 2]))
    assert model.to_python() == '''\
from keraflow import backend as B
from keraflow.layers import Concatenate, Dense, Input
from keraflow.models import Model

x = Input(4, name='x')
dense1 = Dense(8, activation='relu')(x)
out = Dense(2, name='out')(dense1)
operation1 = dense1[:, :3]
operation2 = B.divide(operation1, 2)
concatenate1 = Concatenate()([out, operation2])
model = Model(x, concatenate1)
'''


def test_a_long_list_of_layers_has_a_line_for_each():
    assert long_sequential().to_python() == '''\
from keraflow.layers import Dense, Input
from keraflow.models import Sequential
from keraflow.regularizers import L1L2

sequential = Sequential([Dense(3, activation='relu', regularizers=[L1L2(l1=0.5, l2=0.25), None]), Dense(3)])
model = Sequential([
    Input(3),
    sequential,
    Sequential([sequential, Dense(4, constraints={'b': 'nonneg'})], name='second'),
    Dense(5),
])
'''


def test_the_program_runs_by_itself(tmp_path, backend_name):
    program = tmp_path / 'program.py'
    program.write_text(long_sequential().to_python() + "print(model.outputs[0].shape)\n")
    done = subprocess.run([sys.executable, program], capture_output=True, text=True,
                          env={**os.environ, 'KERAFLOW_BACKEND': backend_name})
    assert done.stdout == '(None, 5)\n', done.stderr


def test_names_of_layers_hide_no_class_and_numbers_may_be_infinite():
    x, z = Input(3, name='Dense'), Input(3, name='Input')
    model = Model([x, z], Dense(2, name='Model')(B.minimum(x, float('inf')) + z * np.array([np.inf, 1., 2.])))
    found = {}
    exec(model.to_python(), found)
    assert found['model'].path == model.path
    assert found['model'].input_names() == ['Dense', 'Input']


def test_what_cannot_be_written():
    with pytest.raises(SerializationError) as caught:
        Sequential([Input(3), Lambda(lambda x: x)]).to_python()
    assert str(caught.value) == ('a lambda cannot be saved. Write it as a function with def and put '
                                 '@keraflow.register above it.')
    with pytest.raises(ArgumentTypeError) as caught:
        to_python(Dense)
    assert str(caught.value) == 'to_python: expected a Model or a Sequential, received class Dense.'
