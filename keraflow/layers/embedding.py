"""Embedding: turn indices into vectors."""
from typing import Any, Sequence, Tuple

from keraflow import backend as B
from keraflow import initializations
from keraflow.deprecation import renamed
from keraflow.layers.base import Layer
from keraflow.layers.base.channels import PlacedShape
from keraflow.layers.base.input_spec import InputSpec
from keraflow.layers.base.planned import ParameterSpec, ParameterSpecs
from keraflow.registry import builtin
from keraflow.schema import Initialization, PositiveInt, Rate
from keraflow.shapes import Shape

__all__ = ['Embedding']


@builtin('layer')
class Embedding(Layer):
    """Look up the row of a table for each index: ``W[x]``.

    Parameters
    ----------
    vocabulary_size : int
        Number of rows; indices range from 0 to ``vocabulary_size - 1``.
    output_dim : int
        Length of a row.
    init : str or function
        Initialization of `W`.
    drop_rate : float
        Rate at which whole rows are set to 0 in training; the others are divided by ``1 - drop_rate``. A word that
        occurs several times in a batch is dropped everywhere.
    **kwargs
        The common arguments of :class:`~keraflow.layers.Layer`.

    Shapes
    ------
    input : any, of integers; for example ``(batch, time)``
    output : that of the input, followed by ``output_dim``
    W : ``(vocabulary_size, output_dim)``
    mask : that of the input, for example of ``Input((None,), dtype='int32', mask_value=0)``

    Notes
    -----
    With SGD without momentum, or Adagrad, a training step updates only the rows that were looked up, and takes no
    longer for a larger table, provided `W` is used in no other way and has neither regularizer nor constraint. Other
    optimizers update every row in each step.

    Raises
    ------
    DataError
        When it runs on an index that `W` does not have. Nothing is computed from it.

    References
    ----------
    .. [1] Y. Gal and Z. Ghahramani, "A theoretically grounded application of dropout in recurrent neural networks",
       NIPS, 2016.

    Examples
    --------
    >>> from keraflow.layers import Input
    >>> Embedding(1000, 8)(Input((None,), dtype='int32')).shape
    (None, None, 8)
    """

    input_spec = InputSpec(dtype='int')
    supports_masking = True
    W: Any

    @renamed(dropout='drop_rate')
    def __init__(self, vocabulary_size: PositiveInt, output_dim: PositiveInt, init: Initialization = 'uniform',
                 drop_rate: Rate = 0., **kwargs: Any):
        super().__init__(**kwargs)
        self.vocabulary_size = vocabulary_size
        self.output_dim = output_dim
        self.init = initializations.get(init)
        self.drop_rate = drop_rate

    @property
    def input_range(self) -> Tuple[int, int]:
        """The integers that the input may hold: from the first to one before the second."""
        return 0, self.vocabulary_size

    def param_specs(self, input_shape: Shape) -> ParameterSpecs:
        return {'W': ParameterSpec((self.vocabulary_size, self.output_dim), self.init)}

    def output(self, x: Any) -> Any:
        # On a missing index each backend does something different, or nothing at all.
        where = f'{self.name}: expected indices from 0 to {self.vocabulary_size - 1}, received'
        indices = B.require(x, B.greater_equal(x, 0), f'{where} negative ones. Number words from 0, or from 1 '
                                                      'if 0 is padding.')
        indices = B.require(indices, B.less(indices, self.vocabulary_size),
                            f'{where} larger ones. Make vocabulary_size larger than the largest index.')
        rows = B.gather(self.W, indices)
        return B.in_train_phase(lambda: self._dropped(rows, indices), rows) if self.drop_rate else rows

    def _dropped(self, rows: Any, indices: Any) -> Any:
        """Drop rows at random. The table itself is not multiplied, so that its gradient stays sparse."""
        kept = B.dropout(B.ones((self.vocabulary_size, 1), B.dtype(rows)), self.drop_rate)
        return B.multiply(rows, B.gather(kept, indices))

    def output_shape(self, input_shape: Shape) -> Shape:
        return (*input_shape, self.output_dim)

    def _features_of(self, shape: Shape, fed: Sequence[PlacedShape]) -> int:
        return -1
