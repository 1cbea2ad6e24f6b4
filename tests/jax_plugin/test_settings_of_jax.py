"""The program's own JAX is as it was: numbers of 64 bits are switched on only where keraflow computes."""
import jax
import jax.numpy as jnp
import numpy as np

from keraflow import backend as B
from keraflow.layers import Dense, Input
from keraflow.models import Model
from keraflow.testing.numerics import using_floatx


def settings():
    return {name: getattr(jax.config, name) for name in ('jax_enable_x64', 'jax_platforms', 'jax_default_device', 'jax_debug_nans')}


def test_a_training_in_float64_leaves_the_program_its_own_settings():
    before = settings()
    with using_floatx('float64'):
        x = Input(3)
        model = Model(x, Dense(2)(x))
        model.compile('adam', 'mse')
        model.fit(np.ones((4, 3)), np.ones((4, 2)), nb_epoch=1, verbose=0)
        assert model.predict(np.ones((4, 3))).dtype == 'float64'
    assert settings() == before and not jax.config.jax_enable_x64
    assert jnp.ones(3).dtype == 'float32' and jnp.arange(3).dtype == 'int32'


def test_what_a_run_hands_out_keeps_its_numbers():
    """The memory of a variable is written in by the next run, which sets it."""
    x, y, z = B.variable([1., 2.]), B.variable([3., 4.]), B.variable([5., 6.])
    run = B.compile(lambda: ([x, y, B.identity(x)], [(x, y), (y, x + 1.), (z, y)]), [])
    first = run()
    second = run()
    np.testing.assert_array_equal(first, [[1, 2], [3, 4], [1, 2]])
    np.testing.assert_array_equal(second, [[3, 4], [2, 3], [3, 4]])
    np.testing.assert_array_equal([B.get_value(one) for one in (x, y, z)], [[2, 3], [4, 5], [2, 3]])
    values = np.array([7., 8.], 'float32')
    B.set_value(x, values)
    values[:] = 0
    np.testing.assert_array_equal(B.get_value(x), [7, 8])
