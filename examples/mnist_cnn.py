"""Learn to read the 70,000 handwritten digits of MNIST with a convolutional network.

The network is that of Keras's example of the same name, which reaches 0.9925 after 12 epochs (F. Chollet et al.,
"Keras", https://keras.io, 2015). The data are downloaded once (11 MB); ``--path mnist.npz`` uses an existing file. An
epoch takes minutes on two cores.
"""
import sys

import numpy as np
from _other_backend import run

from keraflow import backend as B
from keraflow.datasets import mnist
from keraflow.layers import Convolution2D, Dense, Dropout, Flatten, Input, Pooling2D
from keraflow.models import Model


def make_model():
    """Build two convolutions, a pooling, and a classifier."""
    image = Input((1, 28, 28), name='image')
    x = Convolution2D(32, 3, 3, activation='relu')(image)
    x = Convolution2D(64, 3, 3, activation='relu')(x)
    x = Dropout(0.25)(Pooling2D('max')(x))
    x = Dense(128, activation='relu')(Flatten()(x))
    digit = Dense(10, activation='softmax', name='digit')(Dropout(0.5)(x))
    return Model(inputs=image, outputs=digit)


def train(nb_epoch, path):
    """Train a model; return it, some unseen images, and its accuracy on all of them."""
    (x_train, y_train), (x_test, y_test) = mnist.load_data(path)
    x_train, x_test = (images[:, None] / np.float32(255) for images in (x_train, x_test))
    model = make_model()
    model.summary()
    model.compile('adam', 'sparse_categorical_crossentropy', metrics=['acc'])
    model.fit(x_train, y_train, batch_size=128, nb_epoch=nb_epoch)
    accuracy = model.evaluate(x_test, y_test, batch_size=128)['acc']
    print(f'Test accuracy on {B.name()}: {accuracy:.4f} after {nb_epoch} epochs (Keras: 0.9925 after 12)')
    return model, x_test[:256], accuracy


def main(argv=None):
    """Train, save, load in other processes, under each backend, and compare; return 0 if all went well."""
    return run(train, nb_epoch=12, argv=argv, file='mnist.npz')


if __name__ == '__main__':
    sys.exit(main())
