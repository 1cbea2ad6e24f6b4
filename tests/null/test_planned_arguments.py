"""Arguments in a file that no operation and no layer takes are refused by the plan, with the place and what was expected."""
import pytest

import keraflow
from keraflow.errors import SerializationError


def operation(name, *args, **kwargs):
    return {'class': 'Operation', 'args': {'operation': name, 'args': [{'input': 0}, *args], 'kwargs': kwargs}}


def layer(cls, **args):
    return {'class': cls, 'args': args}


def model(one):
    return layer('Model', name='m', layers={'x': layer('Input', shape=[3, 2]), 'l': one}, path=[[['x'], 'l', 'l_0']], inputs=['x'],
                 outputs=['l_0'])


def timed(include_batch_dim):
    return layer('TimeDistributed', layer=layer('Sequential', layers=[
        layer('Flatten', include_batch_dim=include_batch_dim), layer('Dense', output_dim=3)]))


AXES = 'expected None or an integer or a list (an integer each)'
CASES = [
    (operation('sum', axis='a'), operation('sum', axis=1), f"layers.l: sum: axis: {AXES}, received 'a'."),
    (operation('sum', 1.5), operation('sum', [1]), f'layers.l: sum: axis: {AXES}, received 1.5.'),
    (operation('sum', axis={'input': 0}), operation('sum', axis=-1), f'layers.l: sum: axis: {AXES}, received a tensor.'),
    (operation('sum', axis=5), operation('sum', axis=2),
     "l: axis: expected an axis from -3 to 2, received 5: sum({'input': 0}, axis=5) cannot be applied to inputs of shapes (None, 3, 2)."),
    (operation('sum', keepdims=1), operation('sum', keepdims=True), 'layers.l: sum: keepdims: expected True or False, received 1.'),
    (operation('cumsum', axis=True), operation('cumsum', axis=1), 'layers.l: cumsum: axis: expected an integer, received True.'),
    (operation('relu', alpha='a'), operation('relu', alpha=0.1), "layers.l: relu: alpha: expected a number, received 'a'."),
    (operation('clip', 'a', 1.), operation('clip', 0., 1.),
     "layers.l: clip: min_value: expected a tensor, an array or a number, received 'a'."),
    (operation('clip', [None], 1.), operation('clip', None, 1.),
     'layers.l: clip: min_value: expected a tensor, an array or a number, received None.'),
    (layer('LayerNormalization', axis=[]), layer('LayerNormalization', axis=[0]),
     'layers.l: LayerNormalization: axis: expected an integer or a list of at least one integer or None, received [].'),
    (layer('Repeat', repeats=2, axis=0.), layer('Repeat', repeats=2, axis=0), 'layers.l: Repeat: axis: expected an integer, received 0.0.'),
    (timed(True), timed(False), 'dense1: expected a 2-D input (batch, input_dim), received shape (None,). Put a Flatten() before it, or run '
     'it on each step with TimeDistributed(...).')]


@pytest.mark.parametrize('wrong, right, text', CASES, ids=[str(number) for number in range(len(CASES))])
def test_values_of_other_kinds(wrong, right, text):
    with pytest.raises(SerializationError) as caught:
        keraflow.plan(model(wrong))
    assert str(caught.value) == text
    assert keraflow.plan(model(right)).layers[-1].name == 'l'


@pytest.mark.parametrize('value', [0., False, 0j])
def test_what_equals_a_default_is_not_a_default_of_another_type(value):
    from keraflow.layers import Repeat
    with pytest.raises(keraflow.errors.ArgumentTypeError, match='Repeat: axis: expected an integer, received'):
        Repeat(2, axis=value)
    assert Repeat(2, axis=0).axis == 0


def test_rows_in_rows_are_planned_in_linear_time():
    inner = layer('Dense', output_dim=2)
    for _ in range(20):         # 2 ** 20 steps would take minutes
        inner = layer('Sequential', layers=[inner])
    assert keraflow.plan(model(layer('TimeDistributed', layer=inner))).nb_parameter == 6
