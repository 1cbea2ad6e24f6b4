"""What programs compose: layers made of functions, of chains, of models, by surgery, with losses and updates of their own."""
import copy
from typing import Any, Dict, List

import numpy as np

from keraflow import LinearWrap, add_weight
from keraflow import backend as B
from keraflow import layer_register, register
from keraflow.layers import Activation, Dense, Dropout, ElementWiseSum, Foreign, Input, Layer, MultiInputLayer
from keraflow.models import Model, Sequential

from .composing import make_affine
from .samples import Sample, affine, sample

# -- functions as layers --------------------------------------------------------------------------------------------------


@layer_register(id='catalogue-scaled')
def Scaled(x: Any, factor: float = 2.) -> Any:
    """Without parameters."""
    return x * factor


@layer_register(id='catalogue-affined')
def Affined(x: Any, output_dim: int, activation: Any = None) -> Any:
    """With parameters of its own, one of which is a state."""
    W = add_weight('W', (B.static_shape(x)[-1], output_dim), regularizer='l2')
    h = B.dot(x, W) + add_weight('b', (output_dim,), init='zero') + add_weight('state', (), init='one', trainable=False)
    return h if activation is None else Activation(activation)(h)


@layer_register(id='catalogue-embedding')
def Embedding(x: Any, output_dim: int) -> Any:
    """With embedded layers, one of keraflow's own, one a function, and a chain of both."""
    h = Dropout(0.5)(Dense(output_dim, activation='tanh')(x))
    return LinearWrap(Affined(output_dim)(h)).apply(Scaled()).Dense(output_dim, bias=False)()


@layer_register(id='catalogue-crossed')
def Crossed(tensors: list) -> list:
    """Of several inputs, with several outputs."""
    one, other = tensors
    return [one + other, one * other]


@layer_register(id='catalogue-total')
def Total(tensors: list) -> Any:
    """Of any number of inputs, one too."""
    return sum(tensors[1:], tensors[0])


@layer_register(id='catalogue-both')
def Both(x: Any, output_dim: int = 3) -> Any:
    """Functions of several inputs and outputs in a function."""
    return Crossed()([Dense(output_dim)(x), Affined(output_dim)(x)])


def affined(w: dict, x: Any, place: str = '') -> Any:
    return x @ w[f'{place}W'] + w[f'{place}b'] + w[f'{place}state']


def embedding(w: dict, x: Any) -> Any:
    return 2 * affined(w, np.tanh(affine(w, x, '0')), '2/') @ w['4/W']


def both(w: dict, x: Any) -> list:
    one, other = affine(w, x, '0'), affined(w, x, '1/')
    return [one + other, one * other]


# -- classes --------------------------------------------------------------------------------------------------------------

@register(id='catalogue-reporting')
class Reporting(Layer):
    """Adds losses and updates."""

    def init_param(self, input_shape: Any) -> None:
        self.set_trainable_params('W', np.ones(input_shape[-1]))
        self.set_state_params('count', np.zeros(()))

    def output(self, x: Any) -> Any:
        self.add_loss(B.mean(B.square(x)), inputs=x)
        self.add_loss(B.sum(self.W))
        self.add_update(self.count, self.latest(self.count) + 1., inputs=x)
        return x * self.W


@register(id='catalogue-adding')
class Adding(MultiInputLayer):
    """Makes its parameters where it uses them."""

    def output(self, inputs: List[Any]) -> Any:
        width = B.static_shape(inputs[0])[-1]
        return [it * self.add_weight(f'scale{number}', (width,), init='one') for number, it in enumerate(inputs)]

    def output_shape(self, input_shape: Any) -> Any:
        return input_shape


# -- models ---------------------------------------------------------------------------------------------------------------

def chain() -> Model:
    x = Input(3, name='x')
    return Model(x, LinearWrap(x).Dense('fc0', 4, activation='tanh').apply(Affined(3, name='own')).B.square()())


def operators() -> Model:
    x, y = Input((3, 4), name='x'), Input((3, 4), name='y')
    one, other = B.split(x * [1., 2., 3., 4.] - y, [1, 3], 2)
    return Model([x, y], [B.concatenate([other, one], axis=-1)[:, 1:], B.where(x > y, x, y) @ np.eye(4)[:, :2]])


def operators_reference(w: dict, x: Any, y: Any) -> list:
    h = x * [1, 2, 3, 4] - y
    return [np.concatenate([h[..., 1:], h[..., :1]], -1)[:, 1:], np.maximum(x, y)[..., :2]]


def twins() -> Model:
    """A model and its copy in a third one."""
    x, z = Input(3, name='x'), Input(3, name='z')
    inner = Model(x, Dense(3, activation='tanh', name='d')(x))
    return Model(z, inner(copy.deepcopy(inner)(z) * 2.))


def twins_reference(w: dict, x: Any) -> Any:
    return np.tanh(affine(w, np.tanh(affine(w, x, 'model1/d')) * 2, 'model2/d'))


def operated() -> Model:
    """A model after surgery of each kind."""
    x = Input(3, name='x')
    h = Dense(4, name='a')(Activation('relu', name='gone')(x))
    model = Model(x, Dense(2, name='c')(Activation('relu', name='t')(h)))
    return model.remove('gone').replace('t', Activation('tanh', name='s')).insert_after('a', Scaled(3., name='scaled')).sub_model('x', 'c')


def several_outputs() -> Model:
    x = Input(3, name='x')
    one, other = Both(3, name='both')(x)
    return Model(x, [ElementWiseSum()([one, other]), other])


def several_outputs_reference(w: dict, x: Any) -> list:
    inner = {name[5:]: value for name, value in w.items()}
    one, other = both(inner, x)
    return [one + other, other]


COMPOSED: Dict[str, List[Sample]] = {
    'function': [sample(lambda: Scaled(), 4, lambda w, x: 2 * x), sample(lambda: Scaled(0.5), (None, 2), lambda w, x: x / 2)],
    'function with parameters': [
        sample(lambda: Affined(2), 3, affined), sample(lambda: Affined(2, 'tanh', constraints={'b': 'nonneg'}), (None, 3),
                                                       lambda w, x: np.tanh(affined(w, x)))],
    'function with embedded layers': [sample(lambda: Embedding(4), 3, embedding)],
    'function of several inputs and outputs': [
        sample(lambda: Crossed(), [3, 3], lambda w, x, y: [x + y, x * y]), sample(lambda: Total(), [(None, 2)] * 3, lambda w, *x: sum(x)),
        sample(lambda: Total(), [4], lambda w, x: x), sample(lambda: Both(3), 4, both)],
    'losses and updates': [
        sample(lambda: Reporting(), 3, lambda w, x: x * w['W']),
        sample(lambda: Adding(), [3, 3], lambda w, x, y: [x * w['scale0'], y * w['scale1']])],
    'activity regularizer': [
        sample(lambda: Dense(2, activity_regularizer='l2'), 3, lambda w, x: x @ w['W'] + w['b']),
        sample(lambda: Sequential([Dense(2, activity_regularizer='l1')], activity_regularizer='l2'), 3, lambda w, x: affine(w, x, '0'))],
    'foreign in a model': [
        sample(lambda: Sequential([Foreign(make_affine, {'output_dim': 3}), Scaled(), Dense(2)]), 3,
               lambda w, x: affine(w, 2 * (x @ w['0/W'] + w['0/b']), '2'))],
    'chain': [sample(chain, 3, lambda w, x: affined(w, np.tanh(affine(w, x, 'fc0')), 'own/') ** 2)],
    'operators': [sample(operators, [(3, 4), (3, 4)], operators_reference)],
    'copies': [sample(twins, 3, twins_reference)],
    'surgery': [sample(operated, 3, lambda w, x: affine(w, np.tanh(3 * affine(w, x, 'a')), 'c'))],
    'several outputs': [sample(several_outputs, 3, several_outputs_reference)],
}
