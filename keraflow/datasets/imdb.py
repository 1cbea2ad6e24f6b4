"""Reviews of films as lists of words: 25,000 to train on and 25,000 to test, half of them positive."""
from typing import Any, Dict, List, Optional, Tuple

import numpy as np

from keraflow.datasets.archives import read_npz
from keraflow.datasets.fetching import Source, fetch
from keraflow.deprecation import renamed
from keraflow.errors import DataError
from keraflow.files.json_text import parse_json
from keraflow.files.regular import PathLike, read_regular
from keraflow.schema import Natural, PositiveInt
from keraflow.schema.checked import checked

__all__ = ['get_word_index', 'load_data']

SOURCE = Source('https://storage.googleapis.com/tensorflow/tf-keras-datasets/imdb.npz', 17464789,
                '69664113be75683a8fe16e3ed0ab59fda8886cb3cd7ada244f7d9544e4676b9f')
_MAX_INDEX_BYTES = 2 ** 26

Reviews = Tuple[List[np.ndarray], np.ndarray]


@renamed(nb_words='vocabulary_size')
@checked
def load_data(path: Optional[PathLike] = None, vocabulary_size: Optional[PositiveInt] = None, skip_top: Natural = 0,
              maxlen: Optional[PositiveInt] = None, seed: Optional[Natural] = 113, start_char: Optional[Natural] = 1,
              oov_char: Optional[Natural] = 2, index_from: Natural = 3) -> Tuple[Reviews, Reviews]:
    """Load the reviews as lists of word indices, with their labels (1 for positive).

    Words are ranked by frequency, from 1 for the most frequent. In a review the word of rank ``r`` has the index
    ``r + index_from``; the indices below are for padding (0), `start_char` and `oov_char`.

    Parameters
    ----------
    path : path, optional
        A file ``imdb.npz``; without it the file is downloaded once (17 MB).
    vocabulary_size : int, optional
        Keep only words with indices below this, which makes it the ``vocabulary_size`` of an Embedding.
    skip_top : int
        Drop this many of the most frequent words.
    maxlen : int, optional
        Leave out reviews longer than this, start included.
    seed : int, optional
        Seed for shuffling; None keeps the order of the file.
    start_char : int, optional
        The first index of each review; None for no start index.
    oov_char : int, optional
        The index that replaces dropped words; None to leave them out.
    index_from : int
        The offset added to ranks.

    Returns
    -------
    (x_train, y_train), (x_test, y_test)
        ``x`` a list of int32 arrays, for :func:`~keraflow.preprocessing.sequence.pad_sequences`; ``y`` an array of
        0 and 1.

    Raises
    ------
    DownloadError
        The file is not available.
    DataError
        It is damaged, is not arrays of numbers, or `maxlen` leaves no review.

    Notes
    -----
    The file stores the reviews as pickled arrays, because their lengths differ. They are read by
    :mod:`~keraflow.datasets.plainpickle`, which accepts only lists, numbers and arrays.

    References
    ----------
    .. [1] A. Maas, R. Daly, P. Pham, D. Huang, A. Ng and C. Potts, "Learning word vectors for sentiment analysis", ACL,
       2011.
    """
    path = path or fetch(SOURCE)

    def encode(ranks: np.ndarray) -> np.ndarray:
        kept = ranks > skip_top
        if vocabulary_size is not None:
            kept &= ranks < vocabulary_size - index_from
        numbers = ranks[kept] + index_from if oov_char is None else np.where(kept, ranks + index_from, oov_char)
        return numbers if start_char is None else np.concatenate([[start_char], numbers])

    x_train, y_train, x_test, y_test = read_npz(path, ['x_train', 'y_train', 'x_test', 'y_test'])
    parts = []
    for name, reviews, labels in ('train', x_train, y_train), ('test', x_test, y_test):
        ranks = _read(reviews, labels, f'{path}: {name}')
        order = np.arange(len(ranks)) if seed is None else np.random.default_rng(seed).permutation(len(ranks))
        if maxlen is not None:
            longest = maxlen - (start_char is not None)
            order = np.array([at for at in order if len(ranks[at]) <= longest], int)
        if not len(order):
            raise DataError(f'{path}: {name}: no review has at most {maxlen} words. Raise maxlen.')
        parts.append(([encode(ranks[at]).astype('int32') for at in order], labels[order]))
    return parts[0], parts[1]


@checked
def get_word_index(path: PathLike) -> Dict[str, int]:
    """Load the rank of each word, by word.

    Parameters
    ----------
    path : path
        A file ``imdb_word_index.json`` (from the same place as the reviews). It is not downloaded, because no SHA-256
        of it has been published.

    Raises
    ------
    ModelFileError
        The file is not JSON, or too large.
    DataError
        It is not an object with a number for each word.
    """
    index = parse_json(read_regular(path, _MAX_INDEX_BYTES), path)
    if not isinstance(index, dict) or not all(type(rank) is int for rank in index.values()):
        raise DataError(f'{path}: expected an object with a number for each word.')
    return index


def _read(reviews: np.ndarray, labels: np.ndarray, where: str) -> List[np.ndarray]:
    if not (reviews.shape == labels.shape and labels.ndim == 1 and labels.dtype.kind in 'iu'
            and all(map(_is_ranks, reviews))):
        raise DataError(f'{where}: expected a list of numbers for each review, and a label. '
                        'The file is damaged.')
    return [np.asarray(review, 'int64') for review in reviews]


def _is_ranks(review: Any) -> bool:
    if isinstance(review, np.ndarray):      # all are as long
        return review.ndim == 1 and review.dtype.kind in 'iu'
    return type(review) is list and set(map(type, review)) <= {int}
