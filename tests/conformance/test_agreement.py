"""What must be the same on every backend, to the last bit: initial weights, the order of samples, public names."""
import ast
import inspect
from pathlib import Path

import numpy as np
import pytest
from catalogue import LAYERS

import keraflow.layers
from keraflow import backend as B
from keraflow import initializations, random
from keraflow.callbacks import Callback
from keraflow.layers import Dense, Highway, Input, Layer
from keraflow.models import Model, Sequential
from keraflow.testing import using_floatx


def initial_weights(sample):
    B.seed(11)
    layer = sample.make()
    shapes = sample.input_shapes if isinstance(sample.input_shapes, list) else [sample.input_shapes]
    inputs = [Input(shape) for shape in shapes]
    layer(inputs if layer.multi_input else inputs[0])
    return layer.get_weights()


WITH_WEIGHTS = [(name, number) for name in ('Dense', 'Highway', 'Sequential', 'Model') for number in range(len(LAYERS[name]))]


@pytest.mark.parametrize('floatx', ['float32', 'float64'])
def test_the_same_initial_weights_on_all_backends(backend_name, floatx):
    found = {}
    try:
        for name in sorted({backend_name, *B.available()}):
            B.use(name)
            with using_floatx(floatx):
                found[name] = [initial_weights(LAYERS[kind][number]) for kind, number in WITH_WEIGHTS]
    finally:
        B.use(backend_name)
    for others in found.values():
        for weights, expected in zip(others, found[backend_name]):
            assert list(weights) == list(expected) and expected
            for name, array in weights.items():
                assert array.dtype == expected[name].dtype == floatx
                np.testing.assert_array_equal(array, expected[name])


def test_initial_weights_are_those_of_numpy():
    B.seed(11)
    model = Sequential([Input(4), Dense(3, init='glorot_uniform'), Highway(init='normal')])
    random.seed(11)
    first, second, third = initializations.glorot_uniform((4, 3)), initializations.normal((3, 3)), initializations.normal((3, 3))
    draw = np.random.default_rng(11)
    limit = np.sqrt(6. / 7.)
    np.testing.assert_array_equal(first, draw.uniform(-limit, limit, (4, 3)))
    weights = model.get_weights()
    for name, expected in (('dense1/W', first), ('highway1/W', second), ('highway1/W_carry', third)):
        np.testing.assert_array_equal(weights[name], expected.astype('float32'))


class Losses(Callback):
    """The loss of each batch of one sample, which says which sample it was."""

    def __init__(self):
        super().__init__()
        self.losses = []

    def on_batch_end(self, batch, logs=None):
        self.losses.append(logs['loss'])


def test_the_order_of_samples_is_that_of_numpy():
    x = np.arange(20.)[:, None]
    inputs = Input(1)
    model = Model(inputs, Dense(1, init='one', bias=False)(inputs))
    model.compile(keraflow.optimizers.SGD(lr=1e-30), 'ae')
    losses = Losses()
    B.seed(9)
    model.fit(x, np.zeros_like(x), batch_size=1, nb_epoch=2, verbose=0, callbacks=[losses])
    assert losses.losses == [*np.random.default_rng(9).permutation(20), *np.random.default_rng([9, 0, 1]).permutation(20)]


# -- public names -----------------------------------------------------------------------------------------------------

def test_public_names_of_layers():
    names = keraflow.layers.__all__
    assert names == sorted(names)
    shipped = set(LAYERS) - {'Model', 'Sequential'} | {'Input'}
    assert shipped | {'FunctionLayer', 'InputSpec', 'Layer', 'MultiInputLayer', 'Parameter', 'ParameterSpec', 'add_weight', 'layer_register'} == set(names)
    found = {name for name, value in vars(keraflow.layers).items() if inspect.isclass(value) and issubclass(value, Layer)}
    assert found - {'FunctionLayer', 'Layer', 'MultiInputLayer'} == shipped


@pytest.mark.parametrize('path', sorted(Path(keraflow.layers.__file__).parent.glob('*.py')), ids=lambda path: path.stem)
def test_all_is_what_a_module_defines(path):
    module = getattr(__import__(f'keraflow.layers.{path.stem}', fromlist=['_']), '__dict__') if path.stem != '__init__' else vars(keraflow.layers)
    defined = {node.name for node in ast.parse(path.read_text()).body if isinstance(node, (ast.ClassDef, ast.FunctionDef))}
    public = {name for name in defined if not name.startswith('_')}
    assert public <= set(module['__all__']) and all(name in module for name in module['__all__'])


def test_public_names_of_testing():
    assert all(hasattr(keraflow.testing, name) for name in keraflow.testing.__all__)
