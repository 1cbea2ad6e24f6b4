"""What keraflow knows of a raw tensor beyond what the backend knows, kept as one record on the tensor itself."""
import math
from typing import Any, Callable, NamedTuple, Optional, Sequence, Tuple

__all__ = ['TensorInfo', 'Logs', 'Step', 'info_of', 'features_of', 'annotate']

_ATTRIBUTE = '_keraflow_info'


class Step(NamedTuple):
    """How a logarithm is computed: by a function of the logarithms that it depends on.

    Each of these is identified by its tensor and its part, ``'of'`` or ``'rest'`` of its :class:`Logs`.
    """

    compute: Callable[..., Any]
    needs: Sequence[Tuple[Any, str]] = ()


class Logs(NamedTuple):
    """How the logarithms of a nonnegative tensor are computed.

    Attributes
    ----------
    of : Step
        Its logarithm.
    rest : Step or None
        The logarithm of the difference to `total`, if known.
    total : float
        The largest possible value, such as 1 for probabilities; infinity if unknown.
    is_exact : bool
        Whether `of` is the logarithm itself, and not a bound, even where the tensor is 0 or less.
    addends : sequence of (tensor, axes)
        For a sum: what was added, and along which axes, if its shape is kept; ``None`` for two operands.
    """

    of: Step
    rest: Optional[Step] = None
    total: float = math.inf
    is_exact: bool = True
    addends: Sequence[Tuple[Any, Any]] = ()


class TensorInfo(NamedTuple):
    """A record of a tensor.

    Attributes
    ----------
    shape : tuple or None
        Static shape, if a layer set it.
    mask : tensor or None
        True where a sample (or a time step) counts.
    logs : Logs or None
        Its logarithms, if known more precisely than from its values: for probabilities and rates.
    features : int or None
        The axis of the features (the channels of images), counted from the end.
    says_mask : bool
        Whether `mask` was recorded, even if only that there is none.
    """

    shape: Optional[tuple] = None
    mask: Any = None
    logs: Optional[Logs] = None
    features: Optional[int] = None
    says_mask: bool = False


_NOTHING = TensorInfo()


def info_of(tensor: Any) -> TensorInfo:
    """Return the record of `tensor`; an empty one if there is none."""
    # Not getattr: TensorFlow searches long for an attribute that a tensor does not have.
    return getattr(tensor, '__dict__', {}).get(_ATTRIBUTE, _NOTHING)


def features_of(tensor: Any) -> int:
    """Return the axis of the features of `tensor`, counted from the end: the last one unless another is known."""
    features = info_of(tensor).features
    return -1 if features is None else features


def annotate(tensor: Any, **changes: Any) -> Any:
    """Record something of `tensor`, and return it."""
    if 'mask' in changes:
        changes['says_mask'] = True
    setattr(tensor, _ATTRIBUTE, info_of(tensor)._replace(**changes))
    return tensor
