"""Learn to read handwritten digits with a convolutional network.

Kernels of 3 x 3 pixels slide over the images of ``digits_mlp.py``, so that a stroke is recognized wherever it is.
"""
import math
import sys

from _other_backend import run

from keraflow import backend as B
from keraflow.datasets import digits
from keraflow.layers import BatchNormalization, Convolution2D, Dense, Dropout, Flatten, Input, Pooling2D
from keraflow.models import Model
from keraflow.optimizers import Adam
from keraflow.schedules import CosineDecay

BATCH_SIZE = 32


def read_data():
    """Return images ``(samples, 1, 8, 8)`` of numbers from 0 to 1, with one channel because they are grey; and their digits."""
    return [(images[:, None] / 16, answers) for images, answers in digits.load_data()]


def make_model():
    """Build a network: twice, convolutions and a pooling that halves rows and columns; then a classifier."""
    image = x = Input((1, 8, 8), name='image')
    for nb_kernel in 32, 64:
        x = BatchNormalization(momentum=0.9)(Convolution2D(nb_kernel, 3, 3, pad='same', activation='relu')(x))
        x = BatchNormalization(momentum=0.9)(Convolution2D(nb_kernel, 3, 3, pad='same', activation='relu')(x))
        x = Dropout(0.25)(Pooling2D('max')(x))
    x = Dense(128, activation='relu')(Flatten()(x))
    digit = Dense(10, activation='softmax', name='digit')(Dropout(0.5)(x))
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
    wrong = (model.predict(x_test).argmax(1) != y_test).sum()
    print(f'Test accuracy on {B.name()}: {accuracy:.3f} ({wrong} of {len(y_test)} images are misread)')
    return model, x_test, accuracy


def main(argv=None):
    """Train, save, load in other processes, under each backend, and compare; return 0 if all went well."""
    return run(train, nb_epoch=20, at_least=0.98, argv=argv)


if __name__ == '__main__':
    sys.exit(main())
