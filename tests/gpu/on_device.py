"""The device that the tests of this folder run on, and what a test finds there.

The tests are plain functions of a device, so that they need neither pytest nor anything else that keraflow does not.
"""
import contextlib

import keraflow
from keraflow import backend as B

try:
    import jax
except ImportError:     # each test is skipped
    jax = None

__all__ = ['NO_DEVICE', 'find', 'jax', 'precision', 'running_on', 'settings']

#: Why tests are skipped.
NO_DEVICE = 'no GPU that JAX can use'


def find(name):
    """Return the device of JAX by a name such as ``'gpu'``, for the first one, or ``'gpu:1'``; None if it is not there."""
    kind, _, number = name.partition(':')
    try:
        return jax and jax.devices(kind)[int(number or 0)]
    except (RuntimeError, IndexError):
        return None


@contextlib.contextmanager
def running_on(device):
    """Let keraflow run on JAX, in float32 and freshly seeded, as where `device` is the first one of JAX.

    JAX compiles as for users, not as quickly as it can, which other tests ask for.
    """
    quick = settings()['jax_disable_most_optimizations']
    jax.config.update('jax_disable_most_optimizations', False)
    start()
    with jax.default_device(device):
        yield
    start()
    jax.config.update('jax_disable_most_optimizations', quick)


def start(backend='jax', floatx='float32'):
    """Use a backend, freshly seeded."""
    B.use(backend)
    B.set_floatx(floatx)
    keraflow.seed(0)


def precision(name):
    """Let JAX compute products of float32 in the block at this precision: ``'float32'``, or None for JAX's default."""
    return jax.default_matmul_precision(name)


def settings():
    """Return all settings of JAX."""
    return dict(jax.config.values)
