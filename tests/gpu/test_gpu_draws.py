"""What is drawn on the GPU has the bits that are drawn elsewhere."""
import numpy as np
from on_device import jax, start

from keraflow import backend as B
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


def test_known_answers(device):
    def four(start):
        return philox.words(start, 4, jax.numpy)
    for counter, key, expected in KNOWN:
        with jax.enable_x64(True) if hasattr(jax, 'enable_x64') else jax.experimental.enable_x64(True):
            found = jax.jit(four)(np.array([*joined(key), *joined(counter)], 'uint64'))
        assert found.devices() == {device}
        assert np.asarray(found).tolist() == [int(word, 16) for word in expected.split()]


def drawn(backend):
    """Draw twice by a function that is built once, in both dtypes."""
    start(backend)
    kinds = [lambda shape, dtype: B.random_uniform(shape, 0., 1., dtype), lambda shape, dtype: B.random_normal(shape, 1., 3., dtype),
             lambda shape, dtype: B.random_bernoulli(shape, 0.3, dtype)]
    shapes = [(1001,), (3, 5, 7), (0,)]
    run = B.compile(lambda: ([kind(shape, dtype) for kind in kinds for shape in shapes for dtype in ('float32', 'float64')], []), [])
    return [np.array(x) for _ in range(2) for x in run()], len(shapes) * 2


def test_draws_have_the_bits_of_numpy(device):
    expected, nb_of_kind = drawn('numpy')
    found, _ = drawn('jax')
    for number, (own, there) in enumerate(zip(found, expected)):
        assert own.dtype == there.dtype and own.shape == there.shape
        if number // nb_of_kind % 3 == 1:       # normals: from a logarithm and a sine, which are rounded
            np.testing.assert_allclose(own, there, rtol=0, atol=3e-6 if own.dtype == 'float32' else 1e-14)
        else:
            np.testing.assert_array_equal(own, there)
