"""Learn which syllable of an English word is stressed, like ``names_lstm.py``, with a transformer.

A convolution makes a vector of each group of three letters: without it attention would have to discover such groups,
which takes more words. Then each group attends to all others at once (MultiHeadAttention); learned vectors encode the
positions. The 0 in front of a word is not masked here: the convolution learns from it where the word begins. After A.
Vaswani et al., "Attention is all you need", NIPS, 2017.
"""
import math
import sys

from _other_backend import run
from _words import LETTERS, LONGEST, SYLLABLES, encode, load_data, report

import keraflow
from keraflow.layers import (Convolution1D, Dense, Dropout, Embedding, GlobalPooling1D, Input, Layer,
                             LayerNormalization, MultiHeadAttention, ParameterSpec, TimeDistributed)
from keraflow.models import Model
from keraflow.optimizers import Adam
from keraflow.schedules import CosineDecay

BATCH_SIZE = 64


@keraflow.register
class AddPositions(Layer):
    """Add a learned vector at each position: ``x + W``."""

    def param_specs(self, input_shape):
        return {'W': ParameterSpec(input_shape[1:], 'normal')}

    def output(self, x):
        return x + self.W


def encoder(x, nb_head, head_dim, drop_rate):
    """Let each step attend to the others, then transform it alone; each result is added to the step."""
    dim = x.shape[-1]
    h = MultiHeadAttention(nb_head, head_dim)(LayerNormalization()(x))
    x = x + Dropout(drop_rate)(h)
    h = TimeDistributed(Dense(2 * dim, activation='relu'))(LayerNormalization()(x))
    return x + Dropout(drop_rate)(TimeDistributed(Dense(dim))(h))


def make_model():
    """Build a network from the numbers of letters to a probability for each syllable."""
    word = Input(LONGEST, dtype='int32', name='word')
    letters = Embedding(len(LETTERS) + 1, 64, init='normal')(word)
    x = AddPositions()(Convolution1D(64, 3, pad='same', activation='relu')(letters))
    for _ in range(2):
        x = encoder(x, nb_head=4, head_dim=16, drop_rate=0.2)
    summary = GlobalPooling1D('max')(LayerNormalization()(x))
    syllable = Dense(len(SYLLABLES), activation='softmax', name='syllable')(Dropout(0.3)(summary))
    return Model(inputs=word, outputs=syllable)


def train(nb_epoch):
    """Train a model; return it, the unseen words, and by how much its accuracy on them exceeds that of a linear classifier."""
    (words, y_train), (test_words, y_test) = load_data()
    model = make_model()
    model.summary()
    nb_step = nb_epoch * math.ceil(len(words) / BATCH_SIZE)
    model.compile(Adam(lr=CosineDecay(0.002, nb_step, nb_warmup=100)), 'sparse_categorical_crossentropy', metrics=['acc'])
    model.fit(encode(words), y_train, batch_size=BATCH_SIZE, nb_epoch=nb_epoch)
    return model, encode(test_words), report(model, (words, y_train), (test_words, y_test))


def main(argv=None):
    """Train, save, load in other processes, under each backend, and compare; return 0 if all went well."""
    return run(train, nb_epoch=8, at_least=0., argv=argv)


if __name__ == '__main__':
    sys.exit(main())
