"""One word means one thing in all arguments, and one thing has one word."""
import inspect
import re

import keraflow.utils
from keraflow import callbacks, datasets, registry
from keraflow.backend import Backend
from keraflow.datasets import cifar10, digits, fashion_mnist, imdb, mnist
from keraflow.models import Model
from keraflow.preprocessing import image, sequence, text
from keraflow.schema import arguments_of, expected

MODULES = [keraflow, keraflow.utils, callbacks, datasets, cifar10, digits, fashion_mnist, imdb, mnist, image, sequence, text]
#: What is written for each of these words.
OTHERS = {
    **dict.fromkeys(('n', 'repeat', 'times'), 'repeats'), **dict.fromkeys(('rate', 'dropout', 'dropout_W', 'dropout_U'), 'drop_rate'),
    'nb_classes': 'nb_class', **dict.fromkeys(('nb_words', 'input_dim'), 'vocabulary_size'), **dict.fromkeys(('sigma', 'stddev'), 'std'),
    **dict.fromkeys(('stride', 'subsample'), 'strides'), 'pool_length': 'pool_size', **dict.fromkeys(('border_mode', 'padding_mode'), 'pad'),
    **dict.fromkeys(('eps', 'fuzz'), 'epsilon'), 'learning_rate': 'lr', **dict.fromkeys(('filename', 'filepath', 'fname'), 'path'),
    **dict.fromkeys(('units', 'hidden_dim', 'nb_output'), 'output_dim'), 'nb_filter': 'nb_kernel',
    **dict.fromkeys(('dim', 'dims'), 'axis or axes'), **dict.fromkeys(('initializer', 'initialization'), 'init'), 'split': 'separator'}


def public_arguments():
    """Pairs of a class or function, and its arguments with their annotations."""
    targets = [entry.target for entry in registry.entries() if entry.builtin]
    targets += [value for module in MODULES for value in (getattr(module, name) for name in module.__all__)]
    methods = [value for cls in (Model, Backend) for name, value in inspect.getmembers(cls) if name[0] != '_' and callable(value)]
    for target in {id(one): one for one in [*targets, *methods] if callable(one)}.values():
        if inspect.isclass(target):
            yield target, {name: one.annotation for name, one in arguments_of(target).items()}
        else:
            yield target, {name: one.annotation for name, one in inspect.signature(target).parameters.items()}


def test_each_thing_has_one_word():
    found = list(public_arguments())
    assert len(found) > 250 and {'LSTM', 'pool', 'fit', 'to_categorical', 'load_data', 'Tokenizer'} <= {one.__name__ for one, _ in found}
    wrong = [f'{one.__name__}: write {OTHERS[name]} for {name}' for one, arguments in found for name in arguments if name in OTHERS]
    assert wrong == []


def test_each_word_means_one_thing():
    for one, arguments in public_arguments():
        assert 'pad' not in arguments or expected(arguments['pad']) == "one of 'valid', 'same'", one
        assert 'padding' not in arguments or 'one of' not in expected(arguments['padding']), one


def test_numbers_of_things_are_called_alike():
    for one, arguments in public_arguments():
        for name in arguments:
            assert not name.startswith(('num_', 'n_', 'nr_', 'number_of_')), (one, name)
            assert not re.fullmatch(r'nb_\w*[^is]s', name), (one, name)       # nb_axis and nb_class are no plurals
