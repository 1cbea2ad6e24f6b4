"""What layers for series, images and volumes share: the layout, and one number for each spatial axis."""
import functools
from typing import Any, Dict, Iterable, List, Literal, Optional, Sequence, Tuple, Union

from keraflow import backend as B
from keraflow.backend.tensor_info import info_of
from keraflow.errors import ArgumentError, ShapeError, warn
from keraflow.layers.base import Layer
from keraflow.layers.base.channels import PlacedShape, inherited_features, seen_features
from keraflow.layers.base.input_spec import InputSpec
from keraflow.schema import PositiveInt
from keraflow.shapes import Shape

__all__ = ['Border', 'DataFormat', 'Pool', 'SpatialLayer', 'Strides', 'spatial_spec']

DataFormat = Literal['channels_first', 'channels_last']
Border = Literal['valid', 'same']
Pool = Literal['max', 'avg']
#: One integer for each spatial axis, or one for all.
Strides = Union[PositiveInt, Sequence[PositiveInt]]

_NAMES = {1: ['time'], 2: ['rows', 'cols'], 3: ['x', 'y', 'z']}


# An InputSpec is frozen, so that all layers can share one.
@functools.lru_cache(maxsize=None)
def spatial_spec(nb_spatial: int, data_format: str, fixed: Tuple[int, ...] = ()) -> InputSpec:
    """Return the spec of a batch, channels, and spatial axes; parameters depend on the lengths of the `fixed` axes."""
    names = _NAMES[nb_spatial]
    return InputSpec(('batch', 'channels', *names) if data_format == 'channels_first' else
                     ('batch', *names, 'channels'), fixed=fixed)


class SpatialLayer(Layer):
    """A layer whose input has a batch, some spatial axes, and channels."""

    #: The number of spatial axes.
    nb_spatial: int
    #: What to do about inputs that are too short, for messages.
    short_advice = ''

    def __init__(self, data_format: DataFormat = 'channels_first', **kwargs: Any):
        super().__init__(**kwargs)
        self.data_format = data_format

    @property
    def input_spec(self) -> InputSpec:  # type: ignore[override]
        return spatial_spec(self.nb_spatial, self.data_format)

    @property
    def channel_axis(self) -> int:
        """The number of the channel axis in a shape."""
        return 1 if self.data_format == 'channels_first' else self.nb_spatial + 1

    @property
    def features(self) -> int:
        """The axis of the channels, counted from the end."""
        return -1 - self.nb_spatial if self.data_format == 'channels_first' else -1

    def run(self, tensors: List[Any], arguments: Optional[Dict[str, Any]] = None) -> List[Any]:
        if not self.built and 'data_format' not in self._passed:
            self._tell_of_other_format(tensors)
        return super().run(tensors, arguments)

    def _features_of(self, shape: Shape, fed: Sequence[PlacedShape]) -> Optional[int]:
        return self.features if len(shape) == self.nb_spatial + 2 else inherited_features(shape, fed)

    def _tell_of_other_format(self, tensors: List[Any]) -> None:
        """Warn of an input whose channels seem to be elsewhere than in the default layout."""
        for tensor in tensors:
            shape, known = self.get_tensor_shape(tensor), info_of(tensor).features
            known = seen_features(shape) if known is None else known
            if len(shape) == self.nb_spatial + 2 and known not in (None, self.features):
                other = 'channels_last' if self.data_format == 'channels_first' else 'channels_first'
                warn(f'{self.name}: an input of shape {shape} is read as ({", ".join(self.input_spec.axes)}), but its '
                     f'channels seem to be axis {known} (the last is -1). If they are, write '
                     f"data_format='{other}', else data_format='{self.data_format}'.")

    @property
    def spatial_axes(self) -> List[int]:
        """The numbers of the spatial axes in a shape."""
        first = 2 if self.data_format == 'channels_first' else 1
        return list(range(first, first + self.nb_spatial))

    @property
    def is_series(self) -> bool:
        """Whether the input is ``(batch, time, features)``, for whose steps there may be a mask."""
        return self.nb_spatial == 1 and self.data_format == 'channels_last'

    def lengths(self, shape: Shape) -> List[Optional[int]]:
        """Return the spatial lengths of a shape."""
        return [shape[axis] for axis in self.spatial_axes]

    def with_lengths(self, shape: Sequence, lengths: Iterable, channels: Any = None) -> tuple:
        """Return a shape with other spatial lengths, and another number of channels if given."""
        changed = dict(zip(self.spatial_axes, lengths))
        if channels is not None:
            changed[self.channel_axis] = channels
        return tuple(changed.get(axis, length) for axis, length in enumerate(shape))

    def per_axis(self, value: Any) -> tuple:
        """Return an argument as one integer for each spatial axis."""
        return tuple(value) if isinstance(value, (list, tuple)) else (value,) * self.nb_spatial

    def check_per_axis(self, **arguments: Any) -> None:
        """Raise an ArgumentError for an argument that is a list of the wrong length."""
        for name, value in arguments.items():
            if len(self.per_axis(value)) != self.nb_spatial:
                raise ArgumentError(f'{type(self).__name__}: {name}: expected one integer for each of '
                                    f'{self.nb_spatial} axes, or one for all, received {value}.')

    @property
    def min_lengths(self) -> Sequence[int]:
        """The shortest spatial lengths that the layer accepts."""
        return (1,) * self.nb_spatial

    def check_input_shape(self, input_shape: Shape) -> None:
        if any(n is not None and n < required for n, required in zip(self.lengths(input_shape), self.min_lengths)):
            raise ShapeError(self._too_short(f'shape {input_shape}'))

    def require_min_lengths(self, tensor: Any, x: Any) -> Any:
        """Return `tensor`, with a check at run time that unknown lengths of the input `x` are not too short."""
        unknown = [(axis, required) for axis, required in zip(self.spatial_axes, self.min_lengths)
                   if required > 1 and self.get_tensor_shape(x)[axis] is None]
        for axis, required in unknown:
            tensor = B.require(tensor, B.greater_equal(B.shape(x)[axis], required), self._too_short('a shorter input'))
        return tensor

    def _too_short(self, received: str) -> str:
        lengths = ', '.join(f'{n} ({name})' for n, name in zip(self.min_lengths, _NAMES[self.nb_spatial]))
        return f'{self.name}: expected lengths of at least {lengths}, received {received}. {self.short_advice}'
