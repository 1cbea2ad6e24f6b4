"""The NumPy backend, assembled from its parts."""
import numpy as np

from keraflow.backend.graph.backend import RUN_FUNCTIONS, GraphBackend
from keraflow.backend.graph.execution import InPlace
from keraflow.backend.graph.nodes import Library

from . import recurrence, windows  # noqa: F401    enter loops, convolutions and pooling into the table of functions
from .functions import FUNCTIONS

__all__ = ['NumPyBackend']


class NumPyBackend(GraphBackend):
    """NumPy, on the processor: nothing else to install, nothing to compile."""

    name = 'numpy'

    def __init__(self, floatx: str = 'float32') -> None:
        super().__init__(Library({**RUN_FUNCTIONS, **FUNCTIONS}, InPlace), floatx)

    def version(self) -> str:
        return np.__version__
