"""Philox4x32-10: the numbers that every backend draws.

A generator with a counter: each block of four words of 32 bits is a function of a key and of a counter, so that any
part of a stream is computed directly, and nothing is passed on from draw to draw. Plugins compute the same by the means
of their library; this is the reference that they are compared with, and what runs where a library has no means. `xp` is
a module with NumPy's functions of arrays, and `repeat` repeats a step, if the library has loops.

References
----------
.. [1] J. K. Salmon, M. A. Moraes, R. O. Dror and D. E. Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC, 2011.
.. [2] G. E. P. Box and M. E. Muller, "A note on the generation of random normal deviates", Annals of Mathematical
   Statistics, 1958.
"""
from typing import Any, Callable, Sequence

import numpy as np

__all__ = ['MULTIPLIERS', 'ROUNDS', 'WEYL', 'hits', 'normals', 'reals', 'words']

#: What the first and the third word of a counter are multiplied by in each round.
MULTIPLIERS = 0xD2511F53, 0xCD9E8D57
#: What is added to the two words of the key after each round.
WEYL = 0x9E3779B9, 0xBB67AE85
ROUNDS = 10

_LOW, _32 = np.uint64(0xffffffff), np.uint64(32)
_MULTIPLIERS, _WEYL = (tuple(map(np.uint64, pair)) for pair in (MULTIPLIERS, WEYL))

Repeat = Callable[[int, Callable[[Any], Any], Any], Any]


def _in_python(count: int, step: Callable[[Any], Any], state: Any) -> Any:
    """Return a state after some steps."""
    for _ in range(count):
        state = step(state)
    return state


def words(start: Sequence[Any], count: int, xp: Any = np, repeat: Repeat = _in_python) -> Any:
    """Return the first `count` words of 32 bits.

    Parameters
    ----------
    start : sequence of int, or of arrays of `xp` without axes
        The key, and the low and the high half of the first block's counter: three integers of 64 bits.
    count : int
        How many words.

    Examples
    --------
    >>> [hex(word) for word in words([0, 0, 0], 4)]      # from the authors' known answers
    ['0x6627e8d5', '0xe169c58d', '0xbc57ac4c', '0x9b00dbd8']
    """
    key, low, high = (np.uint64(int(number) % 2 ** 64) if isinstance(number, (int, np.integer))
                      else number.astype('uint64') for number in start)
    blocks = xp.arange(-(-count // 4), dtype='uint64') + low
    halves = (xp.full(len(blocks), half, 'uint64') for half in (high & _LOW, high >> _32))
    made = repeat(ROUNDS, _mixed, (blocks & _LOW, blocks >> _32, *halves, key & _LOW, key >> _32))
    return xp.stack(made[:4], 1).astype('uint32').ravel()[:count]


def _mixed(state: tuple) -> tuple:
    """Return the four words of counters and the two of the key after a round."""
    c0, c1, c2, c3, k0, k1 = state
    p0, p1 = c0 * _MULTIPLIERS[0], c2 * _MULTIPLIERS[1]
    return ((p1 >> _32) ^ c1 ^ k0, p1 & _LOW, (p0 >> _32) ^ c3 ^ k1, p0 & _LOW,
            (k0 + _WEYL[0]) & _LOW, (k1 + _WEYL[1]) & _LOW)


def reals(start: Sequence[Any], count: int, dtype: str, xp: Any = np, repeat: Repeat = _in_python) -> Any:
    """Return reals of ``[0, 1)``: from the high 23 bits of a word for float32, from the high 52 bits of two words, of
    which the first is the low one, for float64."""
    if dtype == 'float32':
        return (words(start, count, xp, repeat) >> np.uint32(9) | np.uint32(127 << 23)).view('float32') - np.float32(1)
    pairs = words(start, 2 * count, xp, repeat).reshape(count, 2).astype('uint64')
    return ((pairs[:, 1] << _32 | pairs[:, 0]) >> np.uint64(12) | np.uint64(1023 << 52)).view('float64') - 1


def normals(start: Sequence[Any], count: int, dtype: str, xp: Any = np, repeat: Repeat = _in_python) -> Any:
    """Return reals of the standard normal distribution, those of Box and Muller, rounded from float64.

    The first half of the reals that they are made of are radii, the second half are angles.
    """
    half = (count + 1) // 2
    radii, angles = reals(start, 2 * half, 'float64', xp, repeat).reshape(2, half)
    radii, angles = xp.sqrt(-2 * xp.log(1 - radii)), 2 * np.pi * angles
    return xp.concatenate([radii * xp.cos(angles), radii * xp.sin(angles)])[:count].astype(dtype)


def hits(start: Sequence[Any], count: int, threshold: int, xp: Any = np, repeat: Repeat = _in_python) -> Any:
    """Return where a word is less than a threshold, from 0 to ``2 ** 32``: bools that are the same for any dtype."""
    # So that the number has 32 bits, too.
    return words(start, count, xp, repeat) <= np.uint32(threshold - 1) if threshold else xp.zeros(count, bool)
