"""Learn which syllable of an English word or name is stressed, letter by letter.

The letters become vectors (Embedding), which an LSTM reads in both directions. Words have different lengths: the 0 in
front of shorter ones is masked, so that the LSTM ignores it.
"""
import math
import sys

from _other_backend import run
from _words import LETTERS, SYLLABLES, encode, load_data, report

from keraflow.layers import LSTM, Bidirectional, Dense, Dropout, Embedding, Input
from keraflow.models import Model
from keraflow.optimizers import Adam
from keraflow.schedules import CosineDecay

BATCH_SIZE = 128


def make_model():
    """Build a network from the numbers of a word's letters to a probability for each syllable."""
    word = Input((None,), dtype='int32', mask_value=0, name='word')
    letters = Embedding(len(LETTERS) + 1, 32, init='normal')(word)
    summary = Bidirectional(LSTM(64))(letters)
    syllable = Dense(len(SYLLABLES), activation='softmax', name='syllable')(Dropout(0.2)(summary))
    return Model(inputs=word, outputs=syllable)


def train(nb_epoch):
    """Train a model; return it, the unseen words, and by how much its accuracy on them exceeds that of a linear classifier."""
    (words, y_train), (test_words, y_test) = load_data()
    print(f'{len(words):,} words to learn from, such as {", ".join(words[:6])}.')
    model = make_model()
    model.summary()
    nb_step = nb_epoch * math.ceil(len(words) / BATCH_SIZE)
    model.compile(Adam(lr=CosineDecay(0.01, nb_step)), 'sparse_categorical_crossentropy', metrics=['acc'])
    model.fit(encode(words), y_train, batch_size=BATCH_SIZE, nb_epoch=nb_epoch)
    return model, encode(test_words), report(model, (words, y_train), (test_words, y_test))


def main(argv=None):
    """Train, save, load in other processes, under each backend, and compare; return 0 if all went well."""
    return run(train, nb_epoch=8, at_least=0., argv=argv)


if __name__ == '__main__':
    sys.exit(main())
