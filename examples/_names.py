"""Names of countries and languages, and which of eight languages they are from: the data of two examples."""
import numpy as np
from babel import Locale

from keraflow.preprocessing.sequence import pad_sequences

LANGUAGES = {'de': 'German', 'es': 'Spanish', 'fi': 'Finnish', 'fr': 'French',
             'hu': 'Hungarian', 'it': 'Italian', 'pl': 'Polish', 'tr': 'Turkish'}
LONGEST = 24    # characters; the few that a longer name has beyond them are left out


def read_names():
    """4,228 names that only one of the languages has, in lower case, and the number of the language of each.

    They come from the Unicode Common Locale Data Repository, which the package Babel contains.
    """
    languages = {}
    for number, code in enumerate(LANGUAGES):
        locale = Locale(code)
        for name in {name.lower() for part in (locale.territories, locale.languages) for name in part.values()}:
            languages.setdefault(name, []).append(number)
    names = sorted(name for name, numbers in languages.items() if len(numbers) == 1)
    return names, np.array([languages[name][0] for name in names])


def split(names, languages, test_split=0.2):
    """The names and languages to train on, and those to test on, in a mixed order."""
    order = np.random.default_rng(0).permutation(len(names))
    parts = order[:int(len(names) * (1 - test_split))], order[int(len(names) * (1 - test_split)):]
    return [([names[at] for at in part], languages[part]) for part in parts]


def encode(names, characters):
    """Numbers of characters, from 1 on; 0 for none, and for those that are not in the alphabet."""
    number = {character: at for at, character in enumerate(characters, 1)}
    return pad_sequences([[number.get(one, 0) for one in name] for name in names], LONGEST, padding='post', truncating='post')


def show_predictions(model, samples, names, answers):
    """Print which language the model takes the first names to be from, and how sure it is."""
    languages = list(LANGUAGES.values())
    for name, chances, answer in zip(names[:10], model.predict(samples[:10]), answers):
        best = np.argmax(chances)
        print(f'{name:{LONGEST}} {languages[best]:9} {chances[best]:5.0%}', '' if best == answer else f'(it is {languages[answer]})')
