"""The first version of the file format: what its goldens in ``tests/data/format1`` hold, and the program that they belong to."""
from pathlib import Path
from typing import Any

import numpy as np

from keraflow import backend as B
from keraflow.layers import Dense, Dropout, GaussianNoise, Layer, add_weight, layer_register
from keraflow.regularizers import Regularizer

FOLDER = Path(__file__).parent / 'data' / 'format1'
#: Models, each with an architecture as YAML and as JSON, weights, and the arrays `x/INPUT` and `y/OUTPUT`.
MODELS = ('composed', 'graph', 'layers', 'operations', 'pictures', 'series', 'words')


class Shifted(Layer):
    """Keeps a tuple and an array as they are given; the format wrote both as lists."""

    def __init__(self, shift: Any, scale: Any = 1, notes: Any = None, **kwargs):
        super().__init__(**kwargs)
        self.shift = shift
        self.scale = scale
        self.notes = notes

    def output(self, x):
        return x * self.scale + np.asarray(self.shift, 'float32')


class Tower(Layer):
    """Embeds layers in ``output`` and one that it keeps."""

    def __init__(self, output_dim, **kwargs):
        super().__init__(**kwargs)
        self.output_dim = output_dim
        self.last = Dense(output_dim)

    def output(self, x):
        h = self.embed(Dense(4, activation='tanh', regularizers=['l2']))(x)
        return self.embed(self.last)(h + self.embed(Dense(4))(x))

    def output_shape(self, input_shape):
        return (input_shape[0], self.output_dim)


class Noisy(Layer):
    """Embeds a layer of which the program changed an argument."""

    def output(self, x):
        return self.embed(GaussianNoise(0.5))(x)


class Cubic(Regularizer):
    """The sum of cubes."""

    def __init__(self, l3=0.1):
        self.l3 = l3

    def __call__(self, param):
        return B.sum(B.abs(param * param * param)) * self.l3


def halved(x, by=2.):
    """For a Lambda and an activation."""
    return x / by


def small(shape, scale=0.5):
    """For the initial values of a layer."""
    return np.full(shape, scale)


@layer_register(id='BlockOfFormat1')
def Block(x, output_dim, rate=0.5):
    """A function as a class of layers."""
    h = Dropout(rate)(Dense(output_dim, activation='relu')(x))
    return h * add_weight('scale', (output_dim,), init='one')


#: What the files may name beside keraflow's own and what is registered.
PROGRAM = [Shifted, Tower, Noisy, Cubic, halved, small]
