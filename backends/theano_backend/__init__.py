"""keraflow on Theano (Theano-PyMC 1.1.2)."""
from .backend import TheanoBackend

__all__ = ['TheanoBackend']
