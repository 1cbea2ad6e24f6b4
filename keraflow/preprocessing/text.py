"""Texts as numbers: words or characters by frequency, or by a hash that is the same in every run."""
import hashlib
from typing import Annotated, Any, Dict, Iterable, Iterator, List, Literal, Optional

import numpy as np

from keraflow.checked import checked
from keraflow.config import setting
from keraflow.errors import ArgumentError, ArgumentTypeError, DataError, describe
from keraflow.preprocessing.saving import Preprocessor
from keraflow.registry import builtin
from keraflow.schema import Function, Natural, PositiveInt, Rule, check

__all__ = ['FILTERS', 'Tokenizer', 'hashing_trick', 'one_hot', 'text_to_word_sequence']

Mode = Literal['binary', 'count', 'freq', 'tfidf']
Separator = Annotated[str, Rule('a text of at least one character', lambda text: text != '')]
#: The characters between words, beside the one that splits. The apostrophe is part of a word.
FILTERS = '!"#$%&()*+,-./:;<=>?@[\\]^_`{|}~\t\n'


@checked
def text_to_word_sequence(text: str, filters: str = FILTERS, lower: bool = True, split: Separator = ' ') -> List[str]:
    """The words of a text.

    Parameters
    ----------
    text : str
    filters : str
        Characters that stand between words.
    lower : bool
        Whether words are in lower case.
    split : str
        What separates words, at least one character.

    Examples
    --------
    >>> text_to_word_sequence("It's here: the end.")
    ["it's", 'here', 'the', 'end']
    """
    if lower:
        text = text.lower()
    return [word for word in text.translate({ord(one): split for one in filters}).split(split) if word]


@checked
def hashing_trick(text: str, n: int, hash_function: Optional[Function] = None, filters: str = FILTERS,
                  lower: bool = True, split: Separator = ' ') -> List[int]:
    """The words of a text as numbers from 1 to ``n - 1``, by a hash. Different words may have one number.

    Parameters
    ----------
    text : str
    n : int
        The ``vocabulary_size`` of an Embedding, at least 2; 0 is left for padding.
    hash_function : function, optional
        From a word to an integer. Without it 8 bytes of BLAKE2b, which are the same in every run and on every machine
        (Python's own ``hash`` of a string is not).
    filters, lower, split
        As for :func:`text_to_word_sequence`.

    References
    ----------
    .. [1] K. Weinberger, A. Dasgupta, J. Langford, A. Smola and J. Attenberg, "Feature hashing for large scale
       multitask learning", ICML, 2009.

    Examples
    --------
    >>> hashing_trick('the cat and the dog', 50)
    [35, 22, 41, 35, 45]
    """
    if n < 2:
        raise ArgumentError(f'hashing_trick: n: expected an integer of at least 2, received {n}.')
    number = _hash if hash_function is None else hash_function
    return [1 + number(word) % (n - 1) for word in text_to_word_sequence(text, filters, lower, split)]


@checked
def one_hot(text: str, n: int, filters: str = FILTERS, lower: bool = True, split: Separator = ' ') -> List[int]:
    """:func:`hashing_trick` with its own hash, under the name that it has in other programs."""
    return hashing_trick(text, n, None, filters, lower, split)


def _hash(word: str) -> int:
    return int.from_bytes(hashlib.blake2b(word.encode('utf-8', 'surrogatepass'), digest_size=8).digest(), 'big')


@builtin('preprocessor')
class Tokenizer(Preprocessor):
    """Numbers words, or characters, by how often they occur: the most frequent one is 1.

    Parameters
    ----------
    nb_words : int, optional
        Only numbers below it are given; others are left out. The ``vocabulary_size`` of an Embedding.
    filters, lower, split
        As for :func:`text_to_word_sequence`.
    char_level : bool
        Whether characters are numbered (all of them: `filters` and `split` have no effect).

    Attributes
    ----------
    word_counts : dict
        How often each word occurred.
    word_docs : dict
        In how many texts it did.
    word_index : dict
        Its number. Of words that are as frequent the one that occurred first is first.
    document_count : int
        How many texts or sequences there were.

    Notes
    -----
    :meth:`save_to_file` and ``keraflow.serialize`` keep what was counted: a tokenizer that is loaded gives the same
    numbers.

    Examples
    --------
    >>> tokenizer = Tokenizer()
    >>> tokenizer.fit_on_texts(['the cat and the dog', 'the end'])
    >>> tokenizer.texts_to_sequences(['a dog, the end'])
    [[4, 1, 5]]
    """

    learned_attributes = {'word_counts': Dict[str, Natural], 'word_docs': Dict[str, Natural],
                          'word_index': Dict[str, Natural], 'index_docs': Dict[int, Natural], 'document_count': Natural}

    def __init__(self, nb_words: Optional[PositiveInt] = None, filters: str = FILTERS, lower: bool = True,
                 split: Separator = ' ', char_level: bool = False):
        self.nb_words = nb_words
        self.filters = filters
        self.lower = lower
        self.split = split
        self.char_level = char_level
        self.word_counts: Dict[str, int] = {}
        self.word_docs: Dict[str, int] = {}
        self.word_index: Dict[str, int] = {}
        self.index_docs: Dict[int, int] = {}
        self.document_count = 0

    def fit_on_texts(self, texts: Iterable[str]) -> None:
        """Count the words of these texts, beside those that were counted before, and number them."""
        for words in self._read(texts):
            self.document_count += 1
            for word in words:
                self.word_counts[word] = self.word_counts.get(word, 0) + 1
            for word in dict.fromkeys(words):
                self.word_docs[word] = self.word_docs.get(word, 0) + 1
        by_count = sorted(self.word_counts, key=lambda word: -self.word_counts[word])
        self.word_index = {word: at for at, word in enumerate(by_count, 1)}
        self.index_docs = {self.word_index[word]: count for word, count in self.word_docs.items()}

    def fit_on_sequences(self, sequences: Iterable[Any]) -> None:
        """Count in how many sequences a number is, for the mode ``'tfidf'`` without :meth:`fit_on_texts`."""
        for sequence in sequences:
            self.document_count += 1
            for number in set(map(int, sequence)):
                self.index_docs[number] = self.index_docs.get(number, 0) + 1

    def texts_to_sequences(self, texts: Iterable[str]) -> List[List[int]]:
        """A list of numbers for each text; words that have none are left out."""
        return list(self.texts_to_sequences_generator(texts))

    def texts_to_sequences_generator(self, texts: Iterable[str]) -> Iterator[List[int]]:
        """The lists of :meth:`texts_to_sequences`, one after the other."""
        if not self.word_index:
            raise DataError('Tokenizer: there are no words yet. Call fit_on_texts() first.')
        limit = self._limit()
        for words in self._read(texts):
            numbers = [self.word_index.get(word, limit) for word in words]
            yield [number for number in numbers if number < limit]

    def texts_to_matrix(self, texts: Iterable[str], mode: Mode = 'binary') -> np.ndarray:
        """:meth:`sequences_to_matrix` of texts."""
        return self.sequences_to_matrix(self.texts_to_sequences(texts), mode)

    def sequences_to_matrix(self, sequences: Iterable[Any], mode: Mode = 'binary') -> np.ndarray:
        """A row for each sequence and a column for each number.

        Parameters
        ----------
        sequences : iterable of sequences of int
            From :meth:`texts_to_sequences`.
        mode : str
            What stands in a column for a number that occurs ``c`` times in a sequence of length ``l``: 1 for
            ``'binary'``, ``c`` for ``'count'``, ``c / l`` for ``'freq'``, and ``(1 + log c) log(1 + N / (1 + d))`` for
            ``'tfidf'``, where it is in ``d`` of the ``N`` texts that the tokenizer has seen.

        Returns
        -------
        array ``(sequences, nb_words)``; without `nb_words` there is a column for each word and one for 0
        """
        check(mode, Mode, 'Tokenizer: mode')
        limit = self._limit()
        if limit == 1:
            raise DataError('Tokenizer: the number of columns is not known. '
                            'Pass nb_words, or call fit_on_texts() first.')
        if mode == 'tfidf' and not self.document_count:
            raise DataError('Tokenizer: tfidf needs counts. Call fit_on_texts() or fit_on_sequences() first.')
        docs = np.array([self.index_docs.get(number, 0) for number in range(limit)])
        rows = []
        for at, sequence in enumerate(sequences):
            numbers = np.asarray(sequence if len(sequence) else np.zeros(0, int))
            if numbers.ndim != 1 or numbers.dtype.kind not in 'iu' or (numbers.size and numbers.min() < 0):
                raise DataError(f'Tokenizer: sequence {at}: expected integers of at least 0. '
                                'Call texts_to_sequences() on texts.')
            count = np.bincount(numbers[numbers < limit], minlength=limit).astype(float)
            if mode == 'binary':
                count = count > 0
            elif mode == 'freq':
                count = count / max(1, len(numbers))
            elif mode == 'tfidf':
                count = np.where(count > 0, 1 + np.log(np.maximum(count, 1)), 0) * \
                    np.log(1 + self.document_count / (1 + docs))
            rows.append(count)
        return np.array(rows, setting('floatx').value).reshape(-1, limit)

    def _limit(self) -> int:
        return len(self.word_index) + 1 if self.nb_words is None else self.nb_words

    def _read(self, texts: Iterable[str]) -> Iterator[List[str]]:
        if isinstance(texts, str):
            raise ArgumentTypeError(f'Tokenizer: texts: expected a list of strings, received {describe(texts)}. '
                                    'Write [text] for one text.')
        for at, text in enumerate(texts):
            check(text, str, f'Tokenizer: text {at}')
            if self.char_level:
                yield list(text.lower() if self.lower else text)
            else:
                yield text_to_word_sequence(text, self.filters, self.lower, self.split)
