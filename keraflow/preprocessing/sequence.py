"""Pad sequences of different lengths into one array, and draw pairs of words that occur together."""
from typing import Any, Iterable, Literal, Optional, Sequence, Tuple

import numpy as np

from keraflow import random
from keraflow.arguments import as_array
from keraflow.backend.ranges import fits
from keraflow.deprecation import renamed
from keraflow.errors import ArgumentError, ArgumentTypeError, DataError, describe
from keraflow.schema import DType, Finite, NonNegative, PositiveFloat, PositiveInt
from keraflow.schema.checked import checked

__all__ = ['make_sampling_table', 'pad_sequences', 'skipgrams']

Side = Literal['pre', 'post']


@renamed(padding='padding_side', truncating='truncation_side')
@checked
def pad_sequences(sequences: Any, maxlen: Optional[PositiveInt] = None, dtype: DType = 'int32',
                  padding_side: Side = 'pre', truncation_side: Side = 'pre', value: Finite = 0.) -> np.ndarray:
    """Pad or truncate sequences to one length, and stack them into an array.

    Parameters
    ----------
    sequences : list of sequences
        Each of numbers, or of steps of one shape.
    maxlen : int, optional
        The common length; by default that of the longest sequence.
    dtype : str
        The dtype of the array. Numbers that it cannot hold exactly are refused.
    padding_side, truncation_side : str
        Whether to pad or truncate at the beginning (``'pre'``) or at the end (``'post'``) of a sequence.
    value : float
        The padding value, which `dtype` must be able to hold.

    Returns
    -------
    array ``(sequences, maxlen)`` or ``(sequences, maxlen, *shape of a step)``

    Raises
    ------
    DataError
        There are no sequences, one is not a sequence of numbers that fit, `value` does not fit, or steps have different
        shapes.

    Examples
    --------
    >>> pad_sequences([[1], [2, 3], [4, 5, 6]], maxlen=2)
    array([[0, 1],
           [2, 3],
           [5, 6]], dtype=int32)
    """
    if not isinstance(sequences, Iterable) or isinstance(sequences, (str, dict)):
        raise ArgumentTypeError(f'pad_sequences: sequences: expected a list of lists, received {describe(sequences)}.')
    arrays = [_as_steps(one, dtype, f'pad_sequences: sequence {at}') for at, one in enumerate(sequences)]
    if not arrays:
        raise DataError('pad_sequences: there are no sequences.')
    if not fits(np.asarray(value), dtype):
        raise DataError(f'pad_sequences: value: expected a number that {dtype} can hold, received {value}. '
                        'Pass another one, or another dtype.')
    length = max(map(len, arrays)) if maxlen is None else maxlen
    shape = next((one.shape[1:] for one in arrays if len(one)), ())
    padded = np.full((len(arrays), length, *shape), value, dtype)
    for at, one in enumerate(arrays):
        if len(one) and one.shape[1:] != shape:
            raise DataError(f'pad_sequences: sequence {at}: expected steps of shape {shape}, received {one.shape[1:]}.')
        kept = one[max(0, len(one) - length):] if truncation_side == 'pre' else one[:length]
        if len(kept):
            padded[at, slice(-len(kept), None) if padding_side == 'pre' else slice(len(kept))] = kept
    return padded


def _as_steps(sequence: Any, dtype: str, where: str) -> np.ndarray:
    try:
        array = as_array(sequence)
    except ValueError:
        raise DataError(f'{where}: its steps have different shapes.') from None
    if array.ndim == 0 or array.dtype.kind not in 'biuf':
        raise DataError(f'{where}: expected numbers, received {describe(sequence)}.')
    if not fits(array, dtype):
        raise DataError(f'{where}: its numbers do not fit into {dtype}. Pass another dtype.')
    return array.astype(dtype)


@renamed(size='vocabulary_size')
@checked
def make_sampling_table(vocabulary_size: PositiveInt, sampling_factor: PositiveFloat = 1e-5) -> np.ndarray:
    """Return the probability with which :func:`skipgrams` keeps a word, by its rank.

    Words are assumed to follow Zipf's law: the one of rank ``r`` has the frequency ``1 / (r (log r + gamma) + 1/2 -
    1 / (12 r))``, where the denominator approximates ``r`` times the harmonic number of ``r``. It is kept with the
    probability ``min(1, sqrt(sampling_factor / frequency))``.

    Parameters
    ----------
    vocabulary_size : int
        The number of ranks. Rank 0 is padding, and gets the probability of rank 1.
    sampling_factor : float
        The frequency up to which words are always kept.

    Returns
    -------
    array ``(vocabulary_size,)``

    References
    ----------
    .. [1] T. Mikolov, I. Sutskever, K. Chen, G. Corrado and J. Dean, "Distributed representations of words and phrases
       and their compositionality", NIPS, 2013.

    Examples
    --------
    >>> make_sampling_table(4).round(4)
    array([0.0032, 0.0032, 0.0055, 0.0074])
    """
    rank = np.maximum(np.arange(vocabulary_size), 1)    # 0 is no word, and has no logarithm
    inverse_frequency = rank * (np.log(rank) + np.euler_gamma) + 0.5 - 1 / (12 * rank)
    return np.minimum(1., np.sqrt(sampling_factor * inverse_frequency))


@checked
def skipgrams(sequence: Any, vocabulary_size: PositiveInt, window_size: PositiveInt = 4,
              negative_samples: NonNegative = 1., shuffle: bool = True, categorical: bool = False,
              sampling_table: Optional[Any] = None) -> Tuple[np.ndarray, np.ndarray]:
    """Return pairs of a word and a word near it (label 1), and of the word and a random other word (label 0).

    Parameters
    ----------
    sequence : sequence of int
        Word indices, below `vocabulary_size`. 0 is padding, and in no pair.
    vocabulary_size : int
        Negative pairs draw their other words from 1 to ``vocabulary_size - 1``: these may be near by chance, but are
        never the word itself.
    window_size : int
        The largest distance between two words of a positive pair.
    negative_samples : float
        The number of negative pairs for each positive one; the total is rounded to an integer.
    shuffle : bool
        Whether to shuffle the pairs. Otherwise the positive ones come first, in the order of the sequence.
    categorical : bool
        Whether labels are ``[0, 1]`` and ``[1, 0]`` instead of 1 and 0.
    sampling_table : array, optional
        The probability of each word to start pairs, from :func:`make_sampling_table`.

    Returns
    -------
    (couples, labels) : arrays ``(pairs, 2)`` and ``(pairs,)`` or ``(pairs, 2)``

    Raises
    ------
    DataError
        The words are not integers below `vocabulary_size`, or there is no other word for negative pairs.
    ArgumentError
        `sampling_table` is too short.

    References
    ----------
    .. [1] T. Mikolov, K. Chen, G. Corrado and J. Dean, "Efficient estimation of word representations in vector space",
       arXiv:1301.3781, 2013.

    Examples
    --------
    >>> skipgrams([1, 2, 3], 4, window_size=1, negative_samples=0, shuffle=False)[0].tolist()
    [[1, 2], [2, 1], [2, 3], [3, 2]]
    """
    words, rng = _as_words(sequence, vocabulary_size), random.generator()
    begins = words > 0
    if sampling_table is not None:
        if len(sampling_table) < vocabulary_size:
            raise ArgumentError(f'skipgrams: sampling_table: expected {vocabulary_size} probabilities, '
                                f'received {len(sampling_table)}. Write make_sampling_table({vocabulary_size}).')
        begins &= rng.random(len(words)) < np.asarray(sampling_table)[words]
    steps = np.array([step for step in range(-window_size, window_size + 1) if step])
    others = np.arange(len(words))[:, None] + steps
    inside = (others >= 0) & (others < len(words))
    near = words[np.where(inside, others, 0)] if len(words) else others
    found = inside & (near > 0) & begins[:, None]
    couples = np.stack([np.broadcast_to(words[:, None], near.shape)[found], near[found]], axis=1)
    labels = np.ones(len(couples), 'int32')
    nb_negative = round(len(couples) * negative_samples)
    if nb_negative:
        if vocabulary_size < 3:
            raise DataError('skipgrams: vocabulary_size: expected at least 3 for negative pairs, which need another '
                            f'word, received {vocabulary_size}. Pass negative_samples=0 for positive pairs alone.')
        firsts = np.resize(rng.permutation(couples[:, 0]), nb_negative)
        others = rng.integers(1, vocabulary_size - 1, nb_negative)
        negative = np.stack([firsts, others + (others >= firsts)], axis=1)      # skips the word itself
        couples, labels = np.concatenate([couples, negative]), np.concatenate([labels, np.zeros(nb_negative, 'int32')])
    if shuffle:
        order = rng.permutation(len(couples))
        couples, labels = couples[order], labels[order]
    return couples, np.eye(2, dtype='int32')[labels] if categorical else labels


def _as_words(sequence: Sequence[int], vocabulary_size: int) -> np.ndarray:
    words = np.asarray(sequence)
    if words.size == 0:
        return np.zeros(0, 'int64')
    if words.ndim != 1 or words.dtype.kind not in 'iu' or words.min() < 0 or words.max() >= vocabulary_size:
        raise DataError('skipgrams: sequence: expected integers from 0 to '
                        f'{vocabulary_size - 1}, the last word of the vocabulary.')
    return words.astype('int64')
