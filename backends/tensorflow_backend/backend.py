"""The TensorFlow backend, assembled from its parts."""
import contextlib
from typing import Iterator

from keraflow.backend.contract import OPERATIONS
from keraflow.backend.operators import install_operators

from .convolutions import Convolutions
from .elementwise import Elementwise
from .execution import Execution
from .library import tf
from .neural import Neural
from .outside import inside
from .products import Products
from .randomness import Randomness
from .recurrence import Recurrence
from .reductions import Reductions
from .shaping import Shaping

__all__ = ['TensorFlowBackend']


class TensorFlowBackend(Randomness, Neural, Elementwise, Reductions, Products, Convolutions, Shaping, Recurrence,
                        Execution):
    """TensorFlow 2 (2.17 and later). TensorFlow decides which GPUs are visible (``CUDA_VISIBLE_DEVICES``)."""

    name = 'tensorflow'

    def __init__(self, floatx: str = 'float32') -> None:
        super().__init__(floatx)
        install_operators(self, tf.Tensor, tf.Variable)

    def version(self) -> str:
        return tf.__version__

    def devices(self) -> list:
        return ['cpu'] + [f'gpu:{number}' for number, _ in enumerate(tf.config.list_physical_devices('GPU'))]

    def nb_thread(self) -> int:
        return tf.config.threading.get_intra_op_parallelism_threads() or super().nb_thread()

    def device(self, name: str) -> contextlib.AbstractContextManager:
        super().device(name)        # which refuses others
        return self._place(name)

    @contextlib.contextmanager
    def _place(self, name: str) -> Iterator[None]:
        with tf.device(name if ':' in name else f'{name}:0'):
            yield


# Theano's symbolic tensors can be computed with anywhere; so can TensorFlow's, if the operation opens their graph.
for _name in (*OPERATIONS, 'loop', 'scan'):
    setattr(TensorFlowBackend, _name, inside(getattr(TensorFlowBackend, _name)))
