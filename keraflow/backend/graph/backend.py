"""A backend on a graph, put together."""
from typing import Any, Callable, Mapping

from keraflow.backend.graph.convolutions import Convolutions
from keraflow.backend.graph.elementwise import Elementwise
from keraflow.backend.graph.execution import Execution
from keraflow.backend.graph.loops import Recurrence
from keraflow.backend.graph.neural import Neural
from keraflow.backend.graph.nodes import Library
from keraflow.backend.graph.products import Products
from keraflow.backend.graph.randomness import Randomness
from keraflow.backend.graph.reductions import Reductions
from keraflow.backend.graph.rows import unique_rows
from keraflow.backend.graph.shaping import Shaping
from keraflow.backend.operators import install_operators
from keraflow.errors import DataError

__all__ = ['GraphBackend', 'RUN_FUNCTIONS']


class GraphBackend(Randomness, Neural, Elementwise, Reductions, Products, Convolutions, Shaping, Recurrence, Execution):
    """A backend whose tensors are nodes. A plugin adds ``name`` and ``version``.

    Parameters
    ----------
    library : Library
    floatx : {'float32', 'float64'}
        The default dtype of real numbers.
    """

    def __init__(self, library: Library, floatx: str = 'float32') -> None:
        super().__init__(library, floatx)
        install_operators(self, self.graph.tensor_class, self.graph.variable_class)


def _require(x: Any, condition: Any, message: str) -> Any:
    if not condition.all():
        raise DataError(message)
    return x


#: What is done on the processor while a function runs.
RUN_FUNCTIONS: Mapping[str, Callable] = {'require': _require, 'unique_rows': unique_rows}
