"""keraflow on JAX."""
from .backend import JAXBackend

__all__ = ['JAXBackend']
