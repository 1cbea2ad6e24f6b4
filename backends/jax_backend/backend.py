"""The JAX backend, assembled from its parts."""
import contextlib
from typing import Any, Callable, List, Sequence

import numpy as np

from keraflow.backend.batches import BatchLoop
from keraflow.backend.contract import TensorSpec
from keraflow.backend.graph.backend import GraphBackend
from keraflow.backend.graph.nodes import Library

from . import convolutions, recurrence  # noqa: F401    enter theirs into the table of functions
from .batch_loop import Loop
from .execution import Jitted, stored
from .functions import FUNCTIONS
from .library import jax, variables_in_use
from .modules import Modules
from .outside import Outside, refuse

__all__ = ['JAXBackend']


class JAXBackend(Modules, Outside, GraphBackend):
    """JAX, on the devices that it finds."""

    name = 'jax'

    def __init__(self, floatx: str = 'float32') -> None:
        super().__init__(Library(FUNCTIONS, Jitted, stored, folds=False), floatx)
        setattr(self.graph.tensor_class, '__jax_array__', property(refuse))      # which JAX looks for

    def get_value(self, variable: Any) -> np.ndarray:
        with variables_in_use:
            return super().get_value(variable)

    def set_value(self, variable: Any, value: Any) -> None:
        with variables_in_use:
            super().set_value(variable, value)

    def batch_loop(self, builder: Callable, specs: Sequence[TensorSpec], execution: str = 'auto') -> BatchLoop:
        return Loop(self.compile(builder, specs))

    def version(self) -> str:
        return jax.__version__

    def devices(self) -> List[str]:
        return ['cpu', *(f'gpu:{number}' for number, one in enumerate(jax.devices()) if one.platform == 'gpu')]

    def device(self, name: str) -> contextlib.AbstractContextManager:
        super().device(name)        # which refuses others
        kind, _, number = name.partition(':')
        return jax.default_device(jax.devices(kind)[int(number or 0)])
