"""Input: where data enter a model."""
from typing import Any, Callable, Optional, ParamSpec, Sequence, Union, cast

from keraflow import backend as B
from keraflow import shapes
from keraflow.backend.tensor_info import annotate, info_of
from keraflow.errors import ArgumentError, GraphError
from keraflow.graph.kensor import Call, Kensor
from keraflow.layers.base import Layer
from keraflow.layers.base.channels import seen_features
from keraflow.layers.base.masks import check_mask_value, step_mask
from keraflow.registry import builtin
from keraflow.schema import DType, Name, PositiveInt
from keraflow.serialization.sketching import is_sketching

__all__ = ['Input', 'typed_as_kensors']

P = ParamSpec('P')


@builtin('layer')
class Input(Layer, Kensor):
    """A Kensor that receives data; also the layer that made it.

    Parameters
    ----------
    shape : int or sequence of (int or None)
        Shape of one sample, without the batch; ``None`` for a length that varies between batches.
    batch_size : int, optional
        Number of samples in each batch, if the model depends on it; ``fit`` then accepts no other.
    dtype : str, optional
        Dtype of the data: ``'float32'``, ``'int32'``, ...; by default floatx.
    mask_value : number, optional
        The value of steps that do not count, which the dtype must be able to hold. A step of ``(time, ...)`` is masked
        if all its values equal this one.
    name : str, optional

    Shapes
    ------
    output : ``(batch, *shape)``
    mask : ``(batch, time)``, only with `mask_value`

    Raises
    ------
    ArgumentError
        If there is a `mask_value` but no axis of steps.

    Examples
    --------
    >>> Input((3, 4), name='x').shape
    (None, 3, 4)
    """

    positional_advice = 'Put the lengths of a shape in parentheses: Input((1, 2)).'
    regularizers: Any = None    # an Input has neither, as a layer and as a Kensor
    constraints: Any = None

    def __init__(self, shape: Union[PositiveInt, Sequence[Optional[PositiveInt]]], *,
                 batch_size: Optional[PositiveInt] = None, dtype: Optional[DType] = None,
                 mask_value: Optional[float] = None, name: Optional[Name] = None):
        super().__init__(name=name)
        self._parameters.dtype = dtype or B.floatx()
        lengths = tuple(shape) if isinstance(shape, (list, tuple)) else (shape,)
        if mask_value is not None and not lengths:
            raise ArgumentError('Input: mask_value: expected a shape (time, ...) of which steps are masked, received '
                                'shape ().')
        if mask_value is not None:
            check_mask_value(mask_value, self.dtype, 'Input: mask_value')
        self.regularizers = self.constraints = []
        self.batch_size = batch_size
        self.mask_value = mask_value
        self.shape = (batch_size, *lengths)
        self.features = seen_features(self.shape)
        self.mask_shape = None if mask_value is None else self.shape[:2]
        self.backend_name = '' if is_sketching() else B.name()
        self.call = Call(self, ())
        self.call.outputs = (self,)
        self._calls.add(self.call)
        self._tensor = None

    @property
    def numbered_name(self) -> str:
        return self.name

    def as_kensor(self) -> Kensor:
        return self

    def _link(self, kensors: Any, arguments: Any) -> Any:
        raise GraphError(f'{self.name}: an Input takes data, not the output of a layer. Feed it to a layer instead.')

    def mark(self, tensor: Any) -> Any:
        """Record static shape and mask on the tensor that represents this Input in a run, and return it."""
        mask = None if self.mask_value is None else step_mask(tensor, self.mask_value)
        features = info_of(tensor).features if self.features is None else self.features
        return annotate(tensor, shape=shapes.merge(self.shape, B.static_shape(tensor)), mask=mask, features=features)


def typed_as_kensors(cls: Callable[P, Input]) -> Callable[P, Kensor]:
    """Return the class itself, typed to make Kensors.

    Type checkers then let one name hold an Input and the output of a layer: ``x = Input(3)``, then ``x = Dense(2)(x)``.
    """
    return cast(Callable[P, Kensor], cls)
