"""Learn to read handwritten digits, save what was learned, and use it in another process and under other backends.

Run it with ``python examples/digits_mlp.py``; put ``KERAFLOW_BACKEND=numpy`` or ``KERAFLOW_BACKEND=tensorflow`` before
it to choose the backend that learns. The digits come with keraflow: 1,797 images of 8 x 8 pixels.
"""
import sys

from _other_backend import run

from keraflow import backend as B
from keraflow.datasets import digits
from keraflow.layers import Dense, Dropout, Input
from keraflow.models import Model
from keraflow.utils import to_categorical


def read_data():
    """Return images as rows of 64 numbers from 0 to 1, and one-hot digits."""
    return [(images.reshape(-1, 64) / 16, to_categorical(answers)) for images, answers in digits.load_data()]


def make_model():
    """Build a network of three layers with parameters. Each layer takes a Kensor and returns a Kensor."""
    image = Input(64, name='image')
    hidden = Dense(128, activation='relu')(image)
    hidden = Dropout(0.2)(hidden)
    hidden = Dense(64, activation='relu')(hidden)
    digit = Dense(10, activation='softmax', name='digit')(hidden)
    return Model(inputs=image, outputs=digit)


def train(nb_epoch):
    """Train a model; return it, the unseen images, and its accuracy on them."""
    (x_train, y_train), (x_test, y_test) = read_data()
    model = make_model()
    model.summary()
    model.compile(optimizer='adam', loss='categorical_crossentropy', metrics=['acc'])
    model.fit(x_train, y_train, batch_size=32, nb_epoch=nb_epoch)
    accuracy = model.evaluate(x_test, y_test)['acc']
    print(f'Test accuracy on {B.name()}: {accuracy:.3f}')
    return model, x_test, accuracy


def main(argv=None):
    """Train, save, load in other processes, under each backend, and compare; return 0 if all went well."""
    return run(train, nb_epoch=30, at_least=0.95, argv=argv)


if __name__ == '__main__':
    sys.exit(main())
