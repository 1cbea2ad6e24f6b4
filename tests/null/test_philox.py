"""The generator of the contract beside the known answers of its authors."""
import numpy as np
import pytest

from keraflow.backend import philox

#: Counter, key and words, from ``kat_vectors`` of Random123 (Salmon et al.), philox4x32 with 10 rounds.
KNOWN = [
    ('00000000 00000000 00000000 00000000', '00000000 00000000', '6627e8d5 e169c58d bc57ac4c 9b00dbd8'),
    ('ffffffff ffffffff ffffffff ffffffff', 'ffffffff ffffffff', '408f276d 41c83b0e a20bc7c6 6d5451fd'),
    ('243f6a88 85a308d3 13198a2e 03707344', 'a4093822 299f31d0', 'd16cfe09 94fdcceb 5001e420 24126ea1')]


def joined(words):
    """Words of 32 bits in base 16, the low one first, as integers of 64 bits."""
    numbers = [int(word, 16) for word in words.split()]
    return [low + 2 ** 32 * high for low, high in zip(numbers[::2], numbers[1::2])]


@pytest.mark.parametrize('counter, key, expected', KNOWN)
def test_known_answers(counter, key, expected):
    assert philox.words([*joined(key), *joined(counter)], 4).tolist() == [int(word, 16) for word in expected.split()]


def test_any_part_is_computed_alone():
    whole = philox.words([3, 5, 7], 4001)
    for block in (0, 1, 999):
        np.testing.assert_array_equal(philox.words([3, 5 + block, 7], 2), whole[4 * block:4 * block + 2])
    np.testing.assert_array_equal(philox.words([3, 2 ** 32 - 1, 7], 8)[4:], philox.words([3, 2 ** 32, 7], 4))


@pytest.mark.parametrize('dtype, nb_bit', [('float32', 23), ('float64', 52)])
def test_reals_are_the_high_bits(dtype, nb_bit):
    drawn = philox.reals([1, 0, 0], 5, dtype)
    words = [int(word) for word in philox.words([1, 0, 0], 10)]
    numbers = words[:5] if dtype == 'float32' else [low + 2 ** 32 * high for low, high in zip(words[::2], words[1::2])]
    nb_unused = (32 if dtype == 'float32' else 64) - nb_bit
    assert drawn.dtype == dtype and drawn.tolist() == [(number >> nb_unused) / 2 ** nb_bit for number in numbers]


def test_normals_have_the_moments_of_a_normal_distribution():
    drawn = philox.normals([1, 0, 0], 100001, 'float64')
    # Five standard errors each.
    assert len(drawn) == 100001
    assert abs(drawn.mean()) < 0.016 and abs(drawn.std() - 1) < 0.012 and abs(np.mean(drawn ** 4) - 3) < 0.16
    np.testing.assert_array_equal(philox.normals([1, 0, 0], 100001, 'float32'), drawn.astype('float32'))


def test_thresholds():
    words = philox.words([1, 0, 0], 1000)
    assert not philox.hits([1, 0, 0], 1000, 0).any() and philox.hits([1, 0, 0], 1000, 2 ** 32).all()
    np.testing.assert_array_equal(philox.hits([1, 0, 0], 1000, 2 ** 30), words < 2 ** 30)
