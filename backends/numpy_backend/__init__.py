"""keraflow on NumPy alone."""
from .backend import NumPyBackend

__all__ = ['NumPyBackend']
