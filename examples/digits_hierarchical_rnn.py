"""Learn to read handwritten digits row by row, with one LSTM for the pixels of a row and another for the rows.

The first one is the same for each row (TimeDistributed), and encodes it as a vector. The second one reads these
vectors. After J. Li, M.-T. Luong and D. Jurafsky, "A hierarchical neural autoencoder for paragraphs and documents",
ACL, 2015.
"""
import sys

from _other_backend import run

from keraflow import backend as B
from keraflow.datasets import digits
from keraflow.layers import LSTM, Dense, Input, TimeDistributed
from keraflow.models import Model
from keraflow.optimizers import Adam


def read_data():
    """Return images ``(samples, rows, pixels, 1)`` of numbers from 0 to 1, and their digits."""
    return [(images[..., None] / 16, answers) for images, answers in digits.load_data()]


def make_model():
    """Build a network with the shapes (8, 8, 1) of an image, (8, 32) of its rows as vectors, (64,) of all rows, (10,) of the classes."""
    image = Input((8, 8, 1), name='image')
    rows = TimeDistributed(LSTM(32))(image)
    summary = LSTM(64)(rows)
    digit = Dense(10, activation='softmax', name='digit')(summary)
    return Model(inputs=image, outputs=digit)


def train(nb_epoch):
    """Train a model; return it, the unseen images, and its accuracy on them."""
    (x_train, y_train), (x_test, y_test) = read_data()
    model = make_model()
    model.summary()
    model.compile(Adam(lr=0.005), 'sparse_categorical_crossentropy', metrics=['acc'])
    model.fit(x_train, y_train, batch_size=32, nb_epoch=nb_epoch)
    accuracy = model.evaluate(x_test, y_test)['acc']
    print(f'Test accuracy on {B.name()}: {accuracy:.3f}')
    return model, x_test, accuracy


def main(argv=None):
    """Train, save, load in other processes, under each backend, and compare; return 0 if all went well."""
    return run(train, nb_epoch=20, at_least=0.93, argv=argv)


if __name__ == '__main__':
    sys.exit(main())
