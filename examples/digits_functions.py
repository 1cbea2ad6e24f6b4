"""Learn to read handwritten digits with a network of functions, each made a layer by the line above it (``layer_register``).

There is no class here, and no layer of keraflow except the Input. The functions have parameters (``add_weight``) or
none, take and return one tensor or two, and call each other. The file of the network names the functions and their
arguments, and no module: a program that registers functions with these names can load it. The gates are those of Y.
Dauphin et al., "Language modeling with gated convolutional networks", ICML, 2017.
"""
import math
import sys

from _other_backend import run

from keraflow import LinearWrap
from keraflow import backend as B
from keraflow.datasets import digits
from keraflow.layers import Input, add_weight, layer_register
from keraflow.models import Model
from keraflow.optimizers import Adam
from keraflow.schedules import CosineDecay
from keraflow.schema import Initialization, NonNegative, PositiveInt

BATCH_SIZE = 32


@layer_register()
def Noisy(x, sigma: NonNegative):
    """Return the input, with noise while the network trains."""
    return B.in_train_phase(lambda: x + sigma * B.random_normal(B.shape(x), 0., 1., B.dtype(x)), x)


@layer_register()
def Affine(x, output_dim: PositiveInt, init: Initialization = 'glorot_uniform'):
    """Compute what a ``Dense`` layer computes."""
    W = add_weight('W', (B.static_shape(x)[-1], output_dim), init=init)
    return B.dot(x, W) + add_weight('b', (output_dim,), init='zero')


@layer_register()
def Standardized(x):
    """Normalize the features of each sample to mean 0 and variance 1."""
    x = x - B.mean(x, axis=-1, keepdims=True)
    return x / B.sqrt(B.mean(B.square(x), axis=-1, keepdims=True) + 1e-5)


@layer_register()
def Halves(x):
    """Return the first half of the features, and the second one."""
    middle = B.static_shape(x)[-1] // 2
    return [x[:, :middle], x[:, middle:]]


@layer_register()
def Gated(tensors):
    """Let the first tensor pass as far as the second one allows."""
    x, gate = tensors
    return x * B.sigmoid(gate)


@layer_register()
def Mixed(x, nb_hidden: PositiveInt):
    """Make a residual block of the functions above."""
    h = Affine(2 * nb_hidden, init='he_normal')(Standardized()(x))
    return x + Affine(B.static_shape(x)[-1])(Gated()(Halves()(h)))


@layer_register()
def Classified(x, nb_class: PositiveInt):
    """Return the probabilities of the classes."""
    return B.softmax(Affine(nb_class)(x))


def make_model():
    """Gate the upper half of an image by the lower one; then apply two blocks and the classifier."""
    picture = Input(64, name='picture')
    upper, lower = Halves('halves', LinearWrap(picture).Noisy('noise', 0.1)())
    upper, lower = Affine('upper', upper, 64), Affine('lower', lower, 64)
    both = Gated('gated', [upper, lower])
    digit = LinearWrap(both).Mixed('block0', 128).Mixed('block1', 128).Classified('digit', 10)()
    return Model(picture, digit)


def train(nb_epoch):
    """Train a model; return it, the unseen images, and its accuracy on them."""
    (x_train, y_train), (x_test, y_test) = [(images.reshape(-1, 64) / 16, answers) for images, answers in digits.load_data()]
    model = make_model()
    model.summary()
    nb_step = max(1, nb_epoch) * math.ceil(len(x_train) / BATCH_SIZE)
    model.compile(Adam(lr=CosineDecay(0.002, nb_step)), 'sparse_categorical_crossentropy', metrics=['acc'])
    model.fit(x_train, y_train, batch_size=BATCH_SIZE, nb_epoch=nb_epoch)
    accuracy = model.evaluate(x_test, y_test)['acc']
    print(f'Test accuracy on {B.name()}: {accuracy:.3f}')
    return model, x_test, accuracy


def main(argv=None):
    """Train, save, load in other processes, under each backend, and compare; return 0 if all went well."""
    return run(train, nb_epoch=20, at_least=0.96, argv=argv)


if __name__ == '__main__':
    sys.exit(main())
