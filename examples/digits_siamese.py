"""Learn whether two images show the same digit: one encoder reads both, and their codes are pulled together or pushed apart.

The encoder is a model that is called as a layer, twice, with the same weights. A custom layer adds the loss
(``add_loss``), so that the output needs no target. The nearest neighbours of a code then tell which digit an image
shows. After R. Hadsell, S. Chopra and Y. LeCun, "Dimensionality reduction by learning an invariant mapping", CVPR,
2006.
"""
import sys

import numpy as np
from _other_backend import run

import keraflow
from keraflow import backend as B
from keraflow.datasets import digits
from keraflow.layers import Dense, Input, MultiInputLayer
from keraflow.models import Model, Sequential
from keraflow.optimizers import Adam
from keraflow.schema import PositiveFloat

BATCH_SIZE, NB_BATCH, MARGIN = 64, 45, 1.


@keraflow.register
class Contrast(MultiInputLayer):
    """Return its input distances; those of equal digits should be 0, the others at least `margin`.

    Its inputs are the distance of two codes, and 1 if both are of the same digit, else 0.
    """

    def __init__(self, margin: PositiveFloat = 1., **kwargs):
        super().__init__(**kwargs)
        self.margin = margin

    def output(self, inputs):
        distance, same = inputs
        missing = B.maximum(self.margin - distance, 0.)
        self.add_loss(B.mean(same * B.square(distance) + (1. - same) * B.square(missing)) / 2., inputs=inputs)
        return distance


def make_models():
    """Build a model from an image to its code, one from two images to the distance of their codes, and one that learns."""
    encoder = Sequential([Input(64), Dense(128, activation='relu'), Dense(128, activation='relu'), Dense(8)], name='encoder')
    pair, same = Input((2, 64), name='pair'), Input(1, name='same')
    difference = encoder(pair[:, 0]) - encoder(pair[:, 1])
    distance = B.sqrt(B.sum(B.square(difference), axis=1, keepdims=True) + 1e-6)    # the slope of a square root is infinite at 0
    return encoder, Model(pair, distance), Model([pair, same], Contrast(MARGIN, name='contrast')([distance, same]))


def make_pairs(images, answers, rng):
    """Return a pair for each image, half of them of equal digits; and 1 for these, 0 for the others."""
    same = rng.permutation(np.arange(len(images)) % 2)
    alike = answers[:, None] == answers
    partner = np.array([rng.choice(np.flatnonzero(row if is_same else ~row)) for row, is_same in zip(alike, same)])
    return np.stack([images, images[partner]], axis=1), same[:, None]


def neighbours(codes, answers, others, nb_neighbour=5):
    """Return for each of the others the digit of most of the nearest codes."""
    distances = np.sum((others[:, None] - codes) ** 2, axis=2)
    nearest = answers[np.argsort(distances, axis=1)[:, :nb_neighbour]]
    return np.array([np.bincount(row, minlength=10).argmax() for row in nearest])


def train(nb_epoch):
    """Train a model of distances; return it, unseen pairs of images, and its accuracy on them."""
    (x_train, y_train), (x_test, y_test) = [(images.reshape(-1, 64) / 16, answers) for images, answers in digits.load_data()]
    encoder, distances, learner = make_models()
    learner.compile(Adam(lr=0.001), loss=None)
    rng = np.random.default_rng(1)

    def batches():
        pairs, same = make_pairs(x_train, y_train, rng)
        order = rng.permutation(len(pairs))
        for start in range(0, len(pairs), BATCH_SIZE):
            part = order[start:start + BATCH_SIZE]
            yield [pairs[part], same[part]]
    learner.fit(batches, nb_epoch=nb_epoch, nb_batch=NB_BATCH)
    pairs, same = make_pairs(x_test, y_test, rng)
    found = distances.predict(pairs)
    accuracy = np.mean((found < MARGIN / 2) == same)
    print(f'Mean distance of two pictures of one digit: {found[same == 1].mean():.2f}, of two digits: {found[same == 0].mean():.2f}')
    print(f'Pairs told right on {B.name()}: {accuracy:.3f}')
    right = np.mean(neighbours(encoder.predict(x_train), y_train, encoder.predict(x_test)) == y_test)
    print(f'Digits told right by the five nearest codes: {right:.3f}')
    return distances, pairs, accuracy


def main(argv=None):
    """Train, save the model of distances, load it in other processes, under each backend, and compare; return 0 if all went well."""
    return run(train, nb_epoch=20, at_least=0.95, argv=argv)


if __name__ == '__main__':
    sys.exit(main())
