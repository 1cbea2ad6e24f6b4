"""Random data for the benchmarks. Needs NumPy alone: the environments of other libraries have no keraflow."""
import numpy as np


def random_data(nb_sample, shape, nb_class):
    """Return random data to learn nothing from: the time of a step does not depend on it."""
    generator = np.random.default_rng(0)
    x = generator.standard_normal((nb_sample, *shape), 'float32')
    return x, np.eye(nb_class, dtype='float32')[generator.integers(nb_class, size=nb_sample)]
