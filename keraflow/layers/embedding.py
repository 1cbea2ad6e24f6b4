"""Embedding: indices become vectors."""
from typing import Any

from keraflow import backend as B
from keraflow import initializations
from keraflow.backend.tensor_info import annotate
from keraflow.layers.base import Layer
from keraflow.layers.base.input_spec import InputSpec
from keraflow.registry import builtin
from keraflow.schema import Initialization, PositiveInt, Rate
from keraflow.shapes import Shape

__all__ = ['Embedding']


@builtin('layer')
class Embedding(Layer):
    """The row of a table for each index: ``W[x]``.

    Parameters
    ----------
    vocabulary_size : int
        Number of rows: indices go from 0 to ``vocabulary_size - 1``.
    output_dim : int
        Length of a row.
    init : str or function
        Initialization of `W`.
    dropout : float
        Rate at which, in training, whole rows are set to 0; the others are divided by ``1 - dropout``. A word that
        occurs several times in a batch is dropped everywhere.
    **kwargs
        The common arguments of :class:`~keraflow.layers.Layer`.

    Shapes
    ------
    input : any, of integers; for example ``(batch, time)``
    output : that of the input and ``output_dim``
    W : ``(vocabulary_size, output_dim)``
    mask : that of the input, for example of ``Input((None,), dtype='int32', mask_value=0)``

    Notes
    -----
    A step of SGD without momentum or of Adagrad computes those rows alone that were looked up, and takes no more time
    for a larger table, where `W` is used in no other way and has no regularizer and no constraint. Other optimizers
    move each row in each step.

    Raises
    ------
    DataError
        When it is run with an index that `W` does not have. What follows from it is not computed.

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

    def __init__(self, vocabulary_size: PositiveInt, output_dim: PositiveInt, init: Initialization = 'uniform',
                 dropout: Rate = 0., **kwargs: Any):
        super().__init__(**kwargs)
        self.vocabulary_size = vocabulary_size
        self.output_dim = output_dim
        self.init = initializations.get(init)
        self.dropout = dropout

    def init_param(self, input_shape: Shape) -> None:
        self._initialize('W', self.init, (self.vocabulary_size, self.output_dim))

    def output(self, x: Any) -> Any:
        # Each backend does something else with an index that is not there, or nothing at all.
        where = f'{self.name}: expected indices from 0 to {self.vocabulary_size - 1}, received'
        indices = B.require(x, B.greater_equal(x, 0), f'{where} negative ones. Number the words from 0 on, or '
                                                      'from 1 if 0 is padding.')
        indices = B.require(indices, B.less(indices, self.vocabulary_size),
                            f'{where} larger ones. Make vocabulary_size larger than the largest index.')
        rows = annotate(B.gather(self.W, indices), features=-1)
        return B.in_train_phase(lambda: self._dropped(rows, indices), rows) if self.dropout else rows

    def _dropped(self, rows: Any, indices: Any) -> Any:
        """Without the rows of some indices. The whole table is not multiplied, so that its gradient goes by rows."""
        kept = B.dropout(B.ones((self.vocabulary_size, 1), B.dtype(rows)), self.dropout)
        return annotate(B.multiply(rows, B.gather(kept, indices)), features=-1)

    def output_shape(self, input_shape: Shape) -> Shape:
        return (*input_shape, self.output_dim)
