"""Philox4x32-10 in NumPy: the numbers that every backend draws.

A generator with a counter: each block of four words of 32 bits is a function of a key and of a counter, so that any
part of a stream is computed directly, and nothing is passed on from draw to draw. Plugins compute the same by the means
of their library; this is the reference that they are compared with, and what runs where a library has no means.

References
----------
.. [1] J. K. Salmon, M. A. Moraes, R. O. Dror and D. E. Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC, 2011.
.. [2] G. E. P. Box and M. E. Muller, "A note on the generation of random normal deviates", Annals of Mathematical
   Statistics, 1958.
"""
from typing import Sequence

import numpy as np

__all__ = ['MULTIPLIERS', 'ROUNDS', 'WEYL', 'hits', 'normals', 'reals', 'words']

#: What the first and the third word of a counter are multiplied by in each round.
MULTIPLIERS = 0xD2511F53, 0xCD9E8D57
#: What is added to the two words of the key after each round.
WEYL = 0x9E3779B9, 0xBB67AE85
ROUNDS = 10

_LOW = 0xffffffff
_32 = np.uint64(32)


def words(start: Sequence[int], count: int) -> np.ndarray:
    """Return the first `count` words of 32 bits.

    Parameters
    ----------
    start : sequence of int
        The key, and the low and the high half of the first block's counter: three integers of 64 bits.
    count : int
        How many words.

    Examples
    --------
    >>> [hex(word) for word in words([0, 0, 0], 4)]      # from the authors' known answers
    ['0x6627e8d5', '0xe169c58d', '0xbc57ac4c', '0x9b00dbd8']
    """
    key, low, high = (int(number) % 2 ** 64 for number in start)
    keys = [key & _LOW, key >> 32]
    blocks = np.arange(-(-count // 4), dtype='uint64') + np.uint64(low)
    c0, c1 = blocks & np.uint64(_LOW), blocks >> _32
    c2, c3 = (np.full(len(blocks), half, 'uint64') for half in (high & _LOW, high >> 32))
    for _ in range(ROUNDS):
        p0, p1 = c0 * np.uint64(MULTIPLIERS[0]), c2 * np.uint64(MULTIPLIERS[1])
        c0, c1 = (p1 >> _32) ^ c1 ^ np.uint64(keys[0]), p1 & np.uint64(_LOW)
        c2, c3 = (p0 >> _32) ^ c3 ^ np.uint64(keys[1]), p0 & np.uint64(_LOW)
        keys = [(word + weyl) & _LOW for word, weyl in zip(keys, WEYL)]
    return np.stack([c0, c1, c2, c3], 1).astype('uint32').ravel()[:count]


def reals(start: Sequence[int], count: int, dtype: str) -> np.ndarray:
    """Return reals of ``[0, 1)``: from the high 23 bits of a word for float32, from the high 52 bits of two words, of
    which the first is the low one, for float64."""
    if dtype == 'float32':
        return (words(start, count) >> np.uint32(9) | np.uint32(127 << 23)).view('float32') - np.float32(1)
    pairs = words(start, 2 * count).astype('<u4').view('<u8').astype('uint64')
    return (pairs >> np.uint64(12) | np.uint64(1023 << 52)).view('float64') - 1


def normals(start: Sequence[int], count: int, dtype: str) -> np.ndarray:
    """Return reals of the standard normal distribution, those of Box and Muller, rounded from float64.

    The first half of the reals that they are made of are radii, the second half are angles.
    """
    half = (count + 1) // 2
    radii, angles = reals(start, 2 * half, 'float64').reshape(2, half)
    radii, angles = np.sqrt(-2 * np.log(1 - radii)), 2 * np.pi * angles
    return np.concatenate([radii * np.cos(angles), radii * np.sin(angles)])[:count].astype(dtype)


def hits(start: Sequence[int], count: int, threshold: int) -> np.ndarray:
    """Return where a word is less than a threshold, from 0 to ``2 ** 32``: bools that are the same for any dtype."""
    return words(start, count) < threshold
