"""Turn texts into numbers: words or characters by frequency, or by a hash that is the same in every run."""
import hashlib
from typing import Annotated, Any, Dict, Iterable, Iterator, List, Literal, Optional

import numpy as np

from keraflow.config import setting
from keraflow.deprecation import renamed
from keraflow.errors import ArgumentError, ArgumentTypeError, DataError, describe
from keraflow.preprocessing.saving import Preprocessor
from keraflow.registry import builtin
from keraflow.schema import Function, Natural, PositiveInt, Rule, check
from keraflow.schema.checked import checked

__all__ = ['FILTERS', 'Tokenizer', 'hashing_trick', 'one_hot', 'text_to_word_sequence']

Mode = Literal['binary', 'count', 'freq', 'tfidf']
Separator = Annotated[str, Rule('a text of at least one character', lambda text: text != '')]
#: The characters between words, besides the separator. The apostrophe is part of a word.
FILTERS = '!"#$%&()*+,-./:;<=>?@[\\]^_`{|}~\t\n'


@renamed(split='separator')
@checked
def text_to_word_sequence(text: str, filters: str = FILTERS, lower: bool = True,
                          separator: Separator = ' ') -> List[str]:
    """Split a text into words.

    Parameters
    ----------
    text : str
    filters : str
        Characters that are replaced by the separator.
    lower : bool
        Whether to convert words to lower case.
    separator : str
        The separator of words, at least one character.

    Examples
    --------
    >>> text_to_word_sequence("It's here: the end.")
    ["it's", 'here', 'the', 'end']
    """
    if lower:
        text = text.lower()
    return [word for word in text.translate({ord(one): separator for one in filters}).split(separator) if word]


@renamed(n='vocabulary_size', split='separator')
@checked
def hashing_trick(text: str, vocabulary_size: int, hash_function: Optional[Function] = None, filters: str = FILTERS,
                  lower: bool = True, separator: Separator = ' ') -> List[int]:
    """Map the words of a text to integers from 1 to ``vocabulary_size - 1`` by a hash. Different words may collide.

    Parameters
    ----------
    text : str
    vocabulary_size : int
        The ``vocabulary_size`` of an Embedding, at least 2; 0 is left for padding.
    hash_function : function, optional
        Takes a word and returns an integer. The default is 8 bytes of BLAKE2b, the same in every run and on every
        machine (unlike Python's ``hash`` of a string).
    filters, lower, separator
        As in :func:`text_to_word_sequence`.

    Raises
    ------
    ArgumentError
        `vocabulary_size` is below 2.

    References
    ----------
    .. [1] K. Weinberger, A. Dasgupta, J. Langford, A. Smola and J. Attenberg, "Feature hashing for large scale
       multitask learning", ICML, 2009.

    Examples
    --------
    >>> hashing_trick('the cat and the dog', 50)
    [35, 22, 41, 35, 45]
    """
    if vocabulary_size < 2:
        raise ArgumentError('hashing_trick: vocabulary_size: expected an integer of at least 2, received '
                            f'{vocabulary_size}.')
    number = _hash if hash_function is None else hash_function
    return [1 + number(word) % (vocabulary_size - 1) for word in text_to_word_sequence(text, filters, lower, separator)]


@renamed(n='vocabulary_size', split='separator')
@checked
def one_hot(text: str, vocabulary_size: int, filters: str = FILTERS, lower: bool = True,
            separator: Separator = ' ') -> List[int]:
    """Call :func:`hashing_trick` with its default hash, by the name it has in other libraries."""
    return hashing_trick(text, vocabulary_size, None, filters, lower, separator)


def _hash(word: str) -> int:
    # A text may contain lone surrogates, which plain UTF-8 refuses.
    return int.from_bytes(hashlib.blake2b(word.encode('utf-8', 'surrogatepass'), digest_size=8).digest(), 'big')


@builtin('preprocessor')
class Tokenizer(Preprocessor):
    """Number words, or characters, by frequency, from 1 for the most frequent.

    Parameters
    ----------
    vocabulary_size : int, optional
        Only numbers below this are used; other words are left out. The ``vocabulary_size`` of an Embedding.
    filters, lower, separator
        As in :func:`text_to_word_sequence`.
    char_level : bool
        Whether to number characters instead of words (all of them: `filters` and `separator` have no effect).

    Attributes
    ----------
    word_counts : dict
        The number of occurrences of each word.
    word_docs : dict
        The number of texts that each word occurs in.
    word_index : dict
        The number of each word. Of equally frequent words, the one that occurred first has the lower number.
    document_count : int
        The number of texts or sequences seen.

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

    @renamed(nb_words='vocabulary_size', split='separator')
    def __init__(self, vocabulary_size: Optional[PositiveInt] = None, filters: str = FILTERS, lower: bool = True,
                 separator: Separator = ' ', char_level: bool = False):
        self.vocabulary_size = vocabulary_size
        self.filters = filters
        self.lower = lower
        self.separator = separator
        self.char_level = char_level
        self.word_counts: Dict[str, int] = {}
        self.word_docs: Dict[str, int] = {}
        self.word_index: Dict[str, int] = {}
        self.index_docs: Dict[int, int] = {}
        self.document_count = 0

    def fit_on_texts(self, texts: Iterable[str]) -> None:
        """Count the words of these texts, in addition to earlier ones, and number them."""
        for words in self._read(texts):
            self.document_count += 1
            for word in words:
                self.word_counts[word] = self.word_counts.get(word, 0) + 1
            for word in dict.fromkeys(words):   # in the order of the text: that of a set differs between runs
                self.word_docs[word] = self.word_docs.get(word, 0) + 1
        # The order is stable: of equally frequent words, the one seen first comes first.
        by_count = sorted(self.word_counts, key=lambda word: -self.word_counts[word])
        self.word_index = {word: at for at, word in enumerate(by_count, 1)}
        self.index_docs = {self.word_index[word]: count for word, count in self.word_docs.items()}

    def fit_on_sequences(self, sequences: Iterable[Any]) -> None:
        """Count how many sequences each number occurs in, for the mode ``'tfidf'`` without :meth:`fit_on_texts`."""
        for sequence in sequences:
            self.document_count += 1
            for number in set(map(int, sequence)):
                self.index_docs[number] = self.index_docs.get(number, 0) + 1

    def texts_to_sequences(self, texts: Iterable[str]) -> List[List[int]]:
        """Return a list of numbers for each text; unknown words are left out."""
        return list(self.texts_to_sequences_generator(texts))

    def texts_to_sequences_generator(self, texts: Iterable[str]) -> Iterator[List[int]]:
        """Yield the lists of :meth:`texts_to_sequences` one by one.

        Raises
        ------
        DataError
            No texts were counted yet.
        """
        if not self.word_index:
            raise DataError('Tokenizer: there are no words yet. Call fit_on_texts() first.')
        limit = self._limit()
        for words in self._read(texts):
            numbers = [self.word_index.get(word, limit) for word in words]
            yield [number for number in numbers if number < limit]

    def texts_to_matrix(self, texts: Iterable[str], mode: Mode = 'binary') -> np.ndarray:
        """Return :meth:`sequences_to_matrix` of texts."""
        return self.sequences_to_matrix(self.texts_to_sequences(texts), mode)

    def sequences_to_matrix(self, sequences: Iterable[Any], mode: Mode = 'binary') -> np.ndarray:
        """Return an array with a row for each sequence and a column for each number.

        Parameters
        ----------
        sequences : iterable of sequences of int
            From :meth:`texts_to_sequences`.
        mode : str
            The value for a number that occurs ``c`` times in a sequence of length ``l``: 1 for
            ``'binary'``, ``c`` for ``'count'``, ``c / l`` for ``'freq'``, and ``(1 + log c) log(1 + N / (1 + d))`` for
            ``'tfidf'``, where it is in ``d`` of the ``N`` texts that the tokenizer has seen.

        Returns
        -------
        array ``(sequences, vocabulary_size)``; without `vocabulary_size`, a column for each word and one for 0

        Raises
        ------
        DataError
            The number of columns or the counts for ``'tfidf'`` are not known yet, or a sequence holds negative numbers.
        """
        check(mode, Mode, 'Tokenizer: mode')
        limit = self._limit()
        if limit == 1:
            raise DataError('Tokenizer: the number of columns is not known. '
                            'Pass vocabulary_size, or call fit_on_texts() first.')
        if mode == 'tfidf' and not self.document_count:
            raise DataError('Tokenizer: tfidf needs counts. Call fit_on_texts() or fit_on_sequences() first.')
        docs = np.array([self.index_docs.get(number, 0) for number in range(limit)])
        rows = []
        for at, sequence in enumerate(sequences):
            # NumPy would take an empty list for reals.
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
                # Both branches are computed: without a maximum, there would be a logarithm of 0.
                count = np.where(count > 0, 1 + np.log(np.maximum(count, 1)), 0) * \
                    np.log(1 + self.document_count / (1 + docs))
            rows.append(count)
        return np.array(rows, setting('floatx').value).reshape(-1, limit)

    def _limit(self) -> int:
        return len(self.word_index) + 1 if self.vocabulary_size is None else self.vocabulary_size

    def _read(self, texts: Iterable[str]) -> Iterator[List[str]]:
        if isinstance(texts, str):
            raise ArgumentTypeError(f'Tokenizer: texts: expected a list of strings, received {describe(texts)}. '
                                    'Write [text] for one text.')
        for at, text in enumerate(texts):
            check(text, str, f'Tokenizer: text {at}')
            if self.char_level:
                yield list(text.lower() if self.lower else text)
            else:
                yield text_to_word_sequence(text, self.filters, self.lower, self.separator)
