"""Learn to draw handwritten digits: a generator tries to fool a discriminator, which learns to tell its drawings from real digits.

There are two custom training steps (``TrainStep``), written once for every backend. A classifier then says which digits
it sees in the drawings. After I. Goodfellow et al., "Generative adversarial nets", NIPS, 2014.
"""
import functools
import sys

import numpy as np
from _other_backend import run
from _pictures import show

from keraflow import TrainStep, activations
from keraflow import backend as B
from keraflow import objectives
from keraflow.datasets import digits
from keraflow.layers import Dense, Dropout, Input
from keraflow.models import Sequential
from keraflow.optimizers import Adam

BATCH_SIZE, NB_NOISE = 64, 16


def make_generator():
    """Build the generator, from random numbers to images of 8 x 8 numbers from 0 to 1."""
    return Sequential([Input(NB_NOISE), Dense(128, activation='relu'), Dense(128, activation='relu'), Dense(64, activation='sigmoid')])


def make_discriminator():
    """Build the discriminator, from images to the probability that they are real."""
    leaky = functools.partial(activations.leaky_relu, alpha=0.2)
    return Sequential([Input(64), Dense(128, activation=leaky), Dropout(0.3), Dense(64, activation=leaky), Dropout(0.3),
                       Dense(1, activation='sigmoid')])


def make_steps(generator, discriminator):
    """Make the training step of each of the two, which leaves the other one unchanged."""
    def detection(real, noise):
        says_real, says_drawn = discriminator(real), discriminator(generator(noise))
        losses = [objectives.binary_crossentropy(says_real, 0.9 * B.ones_like(says_real)),
                  objectives.binary_crossentropy(says_drawn, B.zeros_like(says_drawn))]
        return [B.mean(losses[0]) + B.mean(losses[1]), B.mean(says_real), B.mean(says_drawn)]

    def deception(noise):
        says_drawn = discriminator(generator(noise))
        return B.mean(objectives.binary_crossentropy(says_drawn, B.ones_like(says_drawn)))
    return (TrainStep(detection, [Input(64, name='real'), Input(NB_NOISE, name='noise')], discriminator, Adam(lr=0.0005, beta_1=0.5)),
            TrainStep(deception, Input(NB_NOISE, name='noise'), generator, Adam(lr=0.001, beta_1=0.5)))


def make_classifier(images, answers):
    """Train a classifier of real digits."""
    model = Sequential([Input(64), Dense(64, activation='relu'), Dense(10, activation='softmax')])
    model.compile('adam', 'sparse_categorical_crossentropy')
    model.fit(images, answers, nb_epoch=30, verbose=0)
    return model


def train(nb_epoch):
    """Train a generator; return it, random numbers, and how many of the ten digits it draws."""
    (images, answers), _ = digits.load_data()
    images = images.reshape(-1, 64) / 16
    generator, discriminator = make_generator(), make_discriminator()
    detect, deceive = make_steps(generator, discriminator)
    rng = np.random.default_rng(1)
    for epoch in range(nb_epoch):
        order = rng.permutation(len(images))
        for start in range(0, len(images) - BATCH_SIZE + 1, BATCH_SIZE):
            detection = detect(images[order[start:start + BATCH_SIZE]], rng.normal(size=(BATCH_SIZE, NB_NOISE)))
            deception = deceive(rng.normal(size=(BATCH_SIZE, NB_NOISE)))
        if (epoch + 1) % 20 == 0:
            print(f'Epoch {epoch + 1}: takes real digits for real with {detection[1]:.2f}, drawings with {detection[2]:.2f}; '
                  f'losses {detection[0]:.3f} and {deception:.3f}')
    noise = rng.normal(size=(1000, NB_NOISE))
    drawings = generator.predict(noise)
    seen = make_classifier(images, answers).predict(drawings)
    shares = np.bincount(seen.argmax(1), minlength=10) / len(drawings)
    nb_digit = int(np.sum(shares >= 0.02))
    show(drawings[:6])
    print('Share of each digit among 1,000 drawings: ' + ', '.join(f'{digit}: {share:.2f}' for digit, share in enumerate(shares)))
    print(f'Digits drawn on {B.name()}: {nb_digit} (the classifier is sure by {seen.max(1).mean():.2f} in the mean)')
    return generator, noise[:100], nb_digit


def main(argv=None):
    """Train, save the generator, load it in other processes, under each backend, and compare; return 0 if all went well."""
    return run(train, nb_epoch=200, at_least=7, argv=argv)


if __name__ == '__main__':
    sys.exit(main())
