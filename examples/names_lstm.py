"""Learn which language a name of a country or a language is from, one character after the other.

The characters become vectors (Embedding), which an LSTM reads in both directions. Names have different lengths: the 0 behind the
shorter ones is masked, so that the LSTM does not read it.
"""
import sys

from _names import LANGUAGES, encode, read_names, show_predictions, split
from _other_backend import run

from keraflow import backend as B
from keraflow.layers import LSTM, Bidirectional, Dense, Dropout, Embedding, Input
from keraflow.models import Model
from keraflow.optimizers import Adam
from keraflow.schedules import CosineDecay

BATCH_SIZE = 64


def make_model(nb_character):
    """From the numbers of characters, as many as the name has, to a probability for each language."""
    name = Input((None,), dtype='int32', mask_value=0, name='name')
    vectors = Embedding(nb_character + 1, 32, init='normal')(name)
    summary = Bidirectional(LSTM(64))(Dropout(0.2)(vectors))
    language = Dense(len(LANGUAGES), activation='softmax', name='language')(Dropout(0.5)(summary))
    return Model(inputs=name, outputs=language)


def train(nb_epoch):
    """A trained model, the names that it has not seen, and its accuracy on them."""
    (names, y_train), (test_names, y_test) = split(*read_names())
    characters = sorted(set(''.join(names)))
    x_train, x_test = encode(names, characters), encode(test_names, characters)
    print(f'{len(names)} names to learn from, such as {", ".join(names[:4])}; {len(characters)} different characters.')

    model = make_model(len(characters))
    nb_step = max(1, nb_epoch) * -(-len(x_train) // BATCH_SIZE)
    model.compile(Adam(lr=CosineDecay(0.01, nb_step)), 'sparse_categorical_crossentropy', metrics=['acc'])
    model.fit(x_train, y_train, batch_size=BATCH_SIZE, nb_epoch=nb_epoch)
    accuracy = model.evaluate(x_test, y_test)['acc']
    show_predictions(model, x_test, test_names, y_test)
    print(f'Test accuracy on {B.name()}: {accuracy:.3f} (of {len(LANGUAGES)} languages)')
    return model, x_test, accuracy


def main(argv=None):
    """Train, save, load under the other backend, and compare; the exit status is 0 if all went well."""
    return run(train, nb_epoch=12, at_least=0.75, argv=argv)


if __name__ == '__main__':
    sys.exit(main())
