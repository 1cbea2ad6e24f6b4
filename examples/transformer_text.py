"""Learn which language a name is from, as ``names_lstm.py`` does, with a transformer.

Each character looks at all others at once (MultiHeadAttention); vectors for the positions say where they stand. The steps behind the
end of a name are masked: nobody looks at them, and they are not in the mean that the classifier gets. After A. Vaswani and others,
2017: Attention is all you need.
"""
import sys

from _names import LANGUAGES, LONGEST, encode, read_names, show_predictions, split
from _other_backend import run

import keraflow
from keraflow import backend as B
from keraflow import initializations
from keraflow.layers import (Dense, Dropout, Embedding, Input, Layer, LayerNormalization, MultiHeadAttention,
                             TimeDistributed)
from keraflow.models import Model
from keraflow.optimizers import Adam
from keraflow.schedules import CosineDecay

BATCH_SIZE = 32


@keraflow.register
class AddPositions(Layer):
    """The input, with a vector added at each position that is learned: ``x + W``."""

    def init_param(self, input_shape):
        self.set_trainable_params('W', initializations.get('normal')(input_shape[1:]))

    def output(self, x):
        return x + self.W

    def support_mask(self):
        return True


@keraflow.register
class MeanStep(Layer):
    """The mean of the steps that are not masked."""

    def output(self, x):
        counts = B.expand_dims(B.cast(self.get_tensor_mask(x), B.dtype(x)), -1)
        return B.sum(x * counts, 1) / B.sum(counts, 1)

    def output_shape(self, input_shape):
        return (input_shape[0], input_shape[2])


def encoder(x, nb_head, head_dim, drop_rate):
    """Each step looks at the others, then thinks for itself; what comes of it is added to the step, as it is before."""
    dim = x.shape[-1]
    h = MultiHeadAttention(nb_head, head_dim, drop_rate=drop_rate)(LayerNormalization()(x))
    x = x + Dropout(drop_rate)(h)
    h = TimeDistributed(Dense(2 * dim, activation='relu'))(LayerNormalization()(x))
    return x + Dropout(drop_rate)(TimeDistributed(Dense(dim))(h))


def make_model(nb_character):
    """From the numbers of characters to a probability for each language."""
    name = Input(LONGEST, dtype='int32', mask_value=0, name='name')
    x = AddPositions()(Embedding(nb_character + 1, 64, init='normal')(name))
    for _ in range(2):
        x = encoder(Dropout(0.1)(x), nb_head=4, head_dim=16, drop_rate=0.2)
    summary = MeanStep()(LayerNormalization()(x))
    language = Dense(len(LANGUAGES), activation='softmax', name='language')(Dropout(0.3)(summary))
    return Model(inputs=name, outputs=language)


def train(nb_epoch):
    """A trained model, the names that it has not seen, and its accuracy on them."""
    (names, y_train), (test_names, y_test) = split(*read_names())
    characters = sorted(set(''.join(names)))
    x_train, x_test = encode(names, characters), encode(test_names, characters)
    model = make_model(len(characters))
    model.summary()
    nb_step = max(1, nb_epoch) * -(-len(x_train) // BATCH_SIZE)
    model.compile(Adam(lr=CosineDecay(0.002, nb_step, nb_warmup=50)), 'sparse_categorical_crossentropy', metrics=['acc'])
    model.fit(x_train, y_train, batch_size=BATCH_SIZE, nb_epoch=nb_epoch)
    accuracy = model.evaluate(x_test, y_test)['acc']
    show_predictions(model, x_test, test_names, y_test)
    print(f'Test accuracy on {B.name()}: {accuracy:.3f} (of {len(LANGUAGES)} languages)')
    return model, x_test, accuracy


def main(argv=None):
    """Train, save, load under the other backend, and compare; the exit status is 0 if all went well."""
    return run(train, nb_epoch=10, at_least=0.65, argv=argv)


if __name__ == '__main__':
    sys.exit(main())
