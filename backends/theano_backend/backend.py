"""The Theano backend, assembled from its parts."""

from keraflow.backend.operators import install_operators

from . import outside, shape_rules, value_rules  # noqa: F401 (for what they register)
from .configure import T, theano
from .convolutions import Convolutions
from .elementwise import Elementwise
from .execution import Execution
from .neural import Neural
from .products import Products
from .randomness import Randomness
from .recurrence import Recurrence
from .reductions import Reductions
from .repairs import load_linker, repair
from .shaping import Shaping
from .variables import Variables

__all__ = ['TheanoBackend']

repair()
load_linker()


class TheanoBackend(Variables, Elementwise, Reductions, Products, Shaping, Convolutions, Neural, Randomness, Recurrence,
                    Execution):
    """keraflow's backend on Theano-PyMC.

    There is one per process: ``floatx`` is Theano's own ``floatX``.
    """

    name = 'theano'

    def __init__(self, floatx: str = 'float32'):
        super().__init__(floatx)
        install_operators(self, T.TensorVariable, T.TensorConstant, T.sharedvar.TensorSharedVariable,
                          T.sharedvar.ScalarSharedVariable)

    def floatx(self) -> str:
        return theano.config.floatX

    def set_floatx(self, dtype: str) -> None:
        super().set_floatx(dtype)
        theano.config.floatX = dtype

    def version(self) -> str:
        return theano.__version__

    def devices(self) -> list:
        device = theano.config.device
        return ['cpu'] if device == 'cpu' else ['cpu', device]
