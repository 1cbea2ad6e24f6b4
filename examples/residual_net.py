"""Learn to read handwritten digits with a residual network: blocks that add something to their input.

A function of tensors becomes a class of layers (``layer_register``): what it calls is embedded in the block, and
operators work on tensors. The block is saved under its name, with its two arguments. After K. He, X. Zhang, S. Ren and
J. Sun, "Deep residual learning for image recognition", CVPR, 2016.
"""
import math
import sys

from _other_backend import run

from keraflow import backend as B
from keraflow.datasets import digits
from keraflow.layers import Activation, BatchNormalization, Convolution2D, Dense, GlobalPooling2D, Input, layer_register
from keraflow.models import Model
from keraflow.optimizers import Adam
from keraflow.schedules import CosineDecay
from keraflow.schema import PositiveInt

BATCH_SIZE = 32


@layer_register()
def ResidualBlock(x, nb_kernel: PositiveInt, strides: PositiveInt = 1):
    """Add two convolutions to the input; with `strides` of 2 the image is halved, and the input cropped to match."""
    h = Convolution2D(nb_kernel, 3, 3, strides=strides, pad='same', bias=False, init='he_normal')(x)
    h = BatchNormalization()(h)
    h = Activation('relu')(h)
    h = Convolution2D(nb_kernel, 3, 3, pad='same', bias=False, init='he_normal')(h)
    h = BatchNormalization()(h)
    if strides > 1:
        x = Convolution2D(nb_kernel, 1, 1, strides=strides, bias=False, init='he_normal')(x)
    return B.relu(h + x)


def read_data():
    """Return images ``(samples, 1, 8, 8)`` of numbers from 0 to 1, and their digits."""
    return [(images[:, None] / 16, answers) for images, answers in digits.load_data()]


def make_model():
    """Build a convolution, four blocks that go from 8 x 8 to 2 x 2 pixels, and a classifier of the mean of each channel."""
    image = Input((1, 8, 8), name='image')
    x = Convolution2D(16, 3, 3, pad='same', activation='relu', init='he_normal')(image)
    x = ResidualBlock('block1', x, 16)
    x = ResidualBlock('block2', x, 32, strides=2)
    x = ResidualBlock('block3', x, 32)
    x = ResidualBlock('block4', x, 64, strides=2)
    digit = Dense(10, activation='softmax', name='digit')(GlobalPooling2D('avg')(x))
    return Model(inputs=image, outputs=digit)


def train(nb_epoch):
    """Train a model; return it, the unseen images, and its accuracy on them."""
    (x_train, y_train), (x_test, y_test) = read_data()
    model = make_model()
    model.summary()
    nb_step = nb_epoch * math.ceil(len(x_train) / BATCH_SIZE)
    model.compile(Adam(lr=CosineDecay(0.003, nb_step)), 'sparse_categorical_crossentropy', metrics=['acc'])
    model.fit(x_train, y_train, batch_size=BATCH_SIZE, nb_epoch=nb_epoch)
    accuracy = model.evaluate(x_test, y_test)['acc']
    print(f'Test accuracy on {B.name()}: {accuracy:.3f}')
    return model, x_test, accuracy


def main(argv=None):
    """Train, save, load in other processes, under each backend, and compare; return 0 if all went well."""
    return run(train, nb_epoch=15, at_least=0.97, argv=argv)


if __name__ == '__main__':
    sys.exit(main())
