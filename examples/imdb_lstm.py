"""Learn whether film reviews are positive, with an LSTM that reads their last 80 words.

A linear classifier that counts all words of a review reaches 0.878 (A. L. Maas et al., "Learning word vectors for
sentiment analysis", ACL, 2011). The data are downloaded once (17 MB); ``--path imdb.npz`` uses an existing file. An
epoch takes minutes on two cores.
"""
import sys

from _other_backend import run

from keraflow import backend as B
from keraflow.datasets import imdb
from keraflow.layers import LSTM, Dense, Dropout, Embedding, Input
from keraflow.models import Model
from keraflow.preprocessing.sequence import pad_sequences

NB_WORD = 10000
NB_STEP = 80


def make_model():
    """Build a network from word indices, 0 for padding, to a probability."""
    review = Input((NB_STEP,), dtype='int32', mask_value=0, name='review')
    words = Embedding(NB_WORD, 64)(review)
    summary = LSTM(64, drop_rate_W=0.2, drop_rate_U=0.2)(words)
    positive = Dense(1, activation='sigmoid', name='positive')(Dropout(0.3)(summary))
    return Model(inputs=review, outputs=positive)


def train(nb_epoch, path):
    """Train a model; return it, some unseen reviews, and its accuracy on all of them."""
    (x_train, y_train), (x_test, y_test) = imdb.load_data(path, vocabulary_size=NB_WORD)
    x_train, x_test = pad_sequences(x_train, NB_STEP), pad_sequences(x_test, NB_STEP)
    model = make_model()
    model.summary()
    model.compile('adam', 'binary_crossentropy', metrics=['acc', 'auc'])
    model.fit(x_train, y_train[:, None], batch_size=64, nb_epoch=nb_epoch)
    result = model.evaluate(x_test, y_test[:, None], batch_size=64)
    print(f'Test accuracy on {B.name()}: {result["acc"]:.3f}; area under the ROC curve: {result["auc"]:.3f}')
    return model, x_test[:256], result['acc']


def main(argv=None):
    """Train, save, load in other processes, under each backend, and compare; return 0 if all went well."""
    return run(train, nb_epoch=3, argv=argv, file='imdb.npz')


if __name__ == '__main__':
    sys.exit(main())
