"""Learn to read the 70,000 handwritten digits of MNIST with a convolutional network.

The data are downloaded once (11 MB); ``--path mnist.npz`` takes a file that is there already. An epoch takes minutes on two cores.
"""
import sys

from _other_backend import run

from keraflow import backend as B
from keraflow.datasets import mnist
from keraflow.layers import Convolution2D, Dense, Dropout, Flatten, Input, Pooling2D
from keraflow.models import Model


def make_model():
    """Two convolutions, a pooling, and a classifier."""
    image = Input((1, 28, 28), name='image')
    x = Convolution2D(32, 3, 3, activation='relu')(image)
    x = Convolution2D(32, 3, 3, activation='relu')(x)
    x = Dropout(0.25)(Pooling2D('max')(x))
    x = Dense(128, activation='relu')(Flatten()(x))
    digit = Dense(10, activation='softmax', name='digit')(Dropout(0.5)(x))
    return Model(inputs=image, outputs=digit)


def train(nb_epoch, path):
    """A trained model, some images that it has not seen, and its accuracy on all of them."""
    (x_train, y_train), (x_test, y_test) = mnist.load_data(path)
    x_train, x_test = (images[:, None] / 255 for images in (x_train, x_test))
    model = make_model()
    model.summary()
    model.compile('adam', 'sparse_categorical_crossentropy', metrics=['acc'])
    model.fit(x_train, y_train, batch_size=128, nb_epoch=nb_epoch)
    accuracy = model.evaluate(x_test, y_test, batch_size=128)['acc']
    print(f'Test accuracy on {B.name()}: {accuracy:.4f}')
    return model, x_test[:256], accuracy


def main(argv=None):
    """Train, save, load under the other backend, and compare; the exit status is 0 if all went well."""
    return run(train, nb_epoch=3, at_least=0.98, argv=argv, path='a file mnist.npz (default: it is downloaded once)')


if __name__ == '__main__':
    sys.exit(main())
