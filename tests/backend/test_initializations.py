"""Initial values do not come from the backend: the same seed gives the same ones on all."""
import numpy as np

from keraflow import backend as B
from keraflow import initializations


def test_the_seed():
    B.seed(12)
    first = [initializations.get(name)((3, 3)) for name in ('glorot_uniform', 'he_normal', 'orthogonal')]
    B.eval(B.random_normal((3,)))
    B.seed(12)
    again = [initializations.get(name)((3, 3)) for name in ('glorot_uniform', 'he_normal', 'orthogonal')]
    for one, other in zip(first, again):
        np.testing.assert_array_equal(one, other)
    # PCG64 seeded with 12: the numbers of NumPy itself.
    limit = np.sqrt(6 / (3 + 3))
    np.testing.assert_array_equal(first[0], np.random.default_rng(12).uniform(-limit, limit, (3, 3)))
