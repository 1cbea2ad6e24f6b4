"""The import of JAX."""
import threading

import jax
import jax.numpy as jnp
from jax import lax

__all__ = ['jax', 'jnp', 'lax', 'variables_in_use', 'with_64_bits']

#: Held while values of variables are read and given to a run: another thread's run may take their memory for new ones.
variables_in_use = threading.RLock()

_enable = jax.enable_x64 if hasattr(jax, 'enable_x64') else jax.experimental.enable_x64


def with_64_bits():     # type: ignore[no-untyped-def]  # of JAX's own class
    """Let JAX compute with float64 and int64 inside the block, as the contract says, and the program as it likes."""
    return _enable(True)
