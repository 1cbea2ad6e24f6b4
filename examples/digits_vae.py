"""Learn what handwritten digits are made of: a variational autoencoder encodes each image as a few numbers, and draws it from them.

A custom layer draws the code of an image at random around its mean (while the model trains), and adds the divergence of
the codes from a standard normal distribution (``add_loss``). Together with the error of the drawing this bounds the
likelihood of the image; both terms are reported. After D. P. Kingma and M. Welling, "Auto-encoding variational Bayes",
ICLR, 2014.
"""
import sys

import numpy as np
from _other_backend import run
from _pictures import show

import keraflow
from keraflow import backend as B
from keraflow import objectives
from keraflow.datasets import digits
from keraflow.layers import Dense, Input, MultiInputLayer
from keraflow.models import Model, Sequential
from keraflow.optimizers import Adam

BATCH_SIZE, NB_CODE = 64, 8
NB_DOT = 16       # each of the 8 x 8 pixels says how many dots of a square of 4 x 4 are dark


@keraflow.register
class NormalCode(MultiInputLayer):
    """Draw from normal distributions, given by mean and log variance; in the test phase return the means.

    It adds the Kullback-Leibler divergence of the distributions from the standard normal one, averaged over the
    samples.
    """

    def output(self, inputs):
        mean, log_variance = inputs
        divergence = 0.5 * B.sum(B.exp(log_variance) + B.square(mean) - 1. - log_variance, axis=1)
        self.add_loss(B.mean(divergence), inputs=inputs)
        return B.in_train_phase(lambda: mean + B.exp(0.5 * log_variance) * B.random_normal(B.shape(mean), 0., 1., B.dtype(mean)), mean)

    def output_shape(self, input_shape):
        return input_shape[0]


def make_models():
    """Build the autoencoder, its decoder alone, and a model of the codes."""
    picture = Input(64, name='picture')
    h = Dense(256, activation='relu')(picture)
    code = NormalCode(name='code')([Dense(NB_CODE, name='mean')(h), Dense(NB_CODE, name='log_variance')(h)])
    decoder = Sequential([Input(NB_CODE), Dense(256, activation='relu'), Dense(64, activation='sigmoid')], name='drawing')
    return Model(picture, decoder(code)), decoder


def surprise(y_pred, y_true):
    """Compute the negative log-likelihood of an image in nats: its dots are dark with the predicted probabilities."""
    return NB_DOT * B.sum(objectives.binary_crossentropy(y_pred, y_true), axis=1)


def train(nb_epoch):
    """Train an autoencoder; return it, the unseen images, and the bound of their likelihood."""
    (x_train, _), (x_test, _) = digits.load_data()
    x_train, x_test = x_train.reshape(-1, 64) / NB_DOT, x_test.reshape(-1, 64) / NB_DOT
    model, decoder = make_models()
    model.compile(Adam(lr=0.002), surprise, report_terms=True)
    model.fit(x_train, x_train, batch_size=BATCH_SIZE, nb_epoch=nb_epoch)
    terms = model.evaluate(x_test, x_test)
    print('Digits that it has not seen, and what it draws from their codes:')
    show(x_test[:6])
    show(model.predict(x_test[:6]))
    print('Drawn from codes at random:')
    show(decoder.predict(np.random.default_rng(2).normal(size=(6, NB_CODE))))
    drawing, code = terms['loss(drawing)'], terms['code/loss']
    print(f'Test on {B.name()}: drawing {drawing:.2f} nats, code {code:.2f} nats, together {terms["loss"]:.2f}')
    return model, x_test, -terms['loss']


def main(argv=None):
    """Train, save, load in other processes, under each backend, and compare; return 0 if all went well."""
    return run(train, nb_epoch=50, at_least=-300., argv=argv)


if __name__ == '__main__':
    sys.exit(main())
