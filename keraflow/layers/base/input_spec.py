"""InputSpec: the requirements of a layer on its inputs, as data."""
from dataclasses import dataclass, field
from typing import Any, Dict, List, Literal, Optional, Sequence, Tuple

from keraflow.arguments import to_list
from keraflow.backend.contract import TensorSpec
from keraflow.errors import ArgumentError, ArgumentTypeError, GraphError, ShapeError, describe
from keraflow.schema import Natural
from keraflow.schema.checked import checked
from keraflow.shapes import Shape, agree

__all__ = ['INPUT_DTYPES', 'InputSpec', 'check_equal_shapes', 'check_rank', 'required_specs']

#: The dtype of an Input for each kind of numbers.
INPUT_DTYPES = {'bool': 'bool', 'int': 'int32', 'float': 'float32'}
_WORDS = {'bool': 'truth values', 'int': 'integers', 'float': 'real numbers'}


@dataclass(frozen=True)
class InputSpec:
    """The requirements on an input of a layer.

    A layer has it as ``input_spec`` (one for all inputs, or a list in their order), and every input is checked against
    it before anything is computed.

    Parameters
    ----------
    axes : sequence of str
        The meaning of each axis, the batch first. Their number is the rank. Empty: any rank.
    min_ndim, max_ndim : int, optional
        The smallest and the largest rank with the batch, if `axes` are not given.
    known : sequence of int
        Axes whose lengths must be known before there are data. Negative ones count from the end.
    fixed : sequence of int
        Axes on whose lengths the parameters depend: they must be known, and the same in each call.
    lengths : dict
        Required lengths of axes, ``{axis: length}``.
    dtype : {'bool', 'int', 'float'}, optional
        The kind of numbers.
    advice : str
        What to do about an input of another rank, for the message.

    Examples
    --------
    >>> from keraflow.layers import Input, Layer
    >>> class Ratio(Layer):
    ...     input_spec = InputSpec(axes=('batch', 'pair'), lengths={1: 2})
    ...     def output(self, x):
    ...         return x[:, :1] / x[:, 1:]
    ...     def output_shape(self, input_shape):
    ...         return (input_shape[0], 1)
    >>> Ratio(name='r')(Input(3))
    Traceback (most recent call last):
    keraflow.errors.ShapeError: r: expected an input (batch, pair) whose axis pair has length 2, received shape ...
    """

    axes: Sequence[str] = ()
    min_ndim: Natural = 0
    max_ndim: Optional[Natural] = None
    known: Sequence[int] = ()
    fixed: Sequence[int] = ()
    lengths: Dict[int, int] = field(default_factory=dict)
    dtype: Optional[Literal['bool', 'int', 'float']] = None
    advice: str = ''

    def __post_init__(self) -> None:
        if self.max_ndim is not None and self.max_ndim < self.min_ndim:
            raise ArgumentError(f'InputSpec: max_ndim: expected at least {self.min_ndim}, which is min_ndim, received '
                                f'{self.max_ndim}.')
        if self.axes and self._required_ndim() > len(self.axes):
            wrong = [axis for axis in (*self.known, *self.fixed, *self.lengths) if _reach(axis) > len(self.axes)]
            where, received = ('known, fixed, lengths', wrong) if wrong else ('min_ndim', self.min_ndim)
            raise ArgumentError(f'InputSpec: {where}: expected axes of {list(self.axes)}, received {received}.')

    def check(self, name: str, received: TensorSpec, first: Optional[TensorSpec] = None) -> None:
        """Raise unless an input fits the layer with this `name`, which was built for `first`.

        Raises
        ------
        ShapeError
            For a rank or a length that does not fit.
        ArgumentTypeError
            For numbers of another kind.
        """
        # A plan does not know every dtype.
        if self.dtype is not None and received.dtype and not received.dtype.startswith(self.dtype):
            raise ArgumentTypeError(f"{name}: expected {_WORDS[self.dtype]}, received {received.dtype}. Write "
                                    f"Input(..., dtype='{INPUT_DTYPES[self.dtype]}').")
        lowest, highest = self.ranks
        if len(received.shape) < lowest or highest is not None and len(received.shape) > highest:
            limits = f'{lowest} or more' if highest is None else f'{lowest} to {highest}'
            what = f'a {lowest}-D input{self._named()}' if lowest == highest else f'an input of rank {limits}'
            raise _refusal(name, what, received, self.advice)
        for axis in (*self.known, *self.fixed):
            if received.shape[axis] is None:
                how = 'Write Input(..., batch_size=...).' if axis == 0 else 'Give the Input that length.'
                raise _refusal(name, f'an input{self._named()} whose {self._name(axis)} has a known length', received,
                               how)
        for axis, length in self.lengths.items():
            if received.shape[axis] not in (None, length):
                raise _refusal(name, f'an input{self._named()} whose {self._name(axis)} has length {length}', received)
        for axis in self.fixed:
            if first is not None and received.shape[axis] != first.shape[axis]:
                raise _refusal(name, f'an input{self._named()} whose {self._name(axis)} has length {first.shape[axis]}',
                               received, 'The layer was built for that length; make another layer for this one.')

    @property
    def ranks(self) -> Tuple[int, Optional[int]]:
        """Return the smallest and the largest rank, with the batch; ``None`` is any."""
        return (len(self.axes),) * 2 if self.axes else (self._required_ndim(), self.max_ndim)

    def _required_ndim(self) -> int:
        return max(self.min_ndim, *map(_reach, (*self.known, *self.fixed, *self.lengths)), 0)

    def _named(self) -> str:
        return f" ({', '.join(self.axes)})" if self.axes else ''

    def _name(self, axis: int) -> str:
        if self.axes:
            return f'axis {self.axes[axis]}'
        return f'axis {axis}' if axis < 0 else f'axis {axis} (the batch is axis 0)'


def _refusal(name: str, expected: str, received: TensorSpec, advice: str = '') -> ShapeError:
    return ShapeError(f'{name}: expected {expected}, received shape {received.shape}. {advice}'.rstrip())


def _reach(axis: int) -> int:
    """Return the smallest number of axes among which this axis exists."""
    return axis + 1 if axis >= 0 else -axis


# A dataclass generates the function, which has the annotations.
setattr(InputSpec, '__init__', checked(InputSpec.__init__))
_ANY = InputSpec()


def required_specs(name: str, wanted: Any, nb_input: int) -> List[InputSpec]:
    """Return the spec of each input of the layer with this `name`; ``None`` means no requirement.

    Raises
    ------
    ArgumentTypeError
        If it is neither an InputSpec nor a list of them.
    GraphError
        If it is a list with a length other than the number of inputs.
    """
    listed = list(wanted) if isinstance(wanted, (list, tuple)) else [wanted] * nb_input
    for one in listed:
        if not (one is None or isinstance(one, InputSpec)):
            raise ArgumentTypeError(f'{name}: input_spec: expected an InputSpec (a list of them for several inputs) or '
                                    f'None, received {describe(wanted)}.')
    if len(listed) != nb_input:
        raise GraphError(f'{name}: expected {len(listed)} input(s), as input_spec says, received {nb_input}.')
    return [_ANY if one is None else one for one in listed]


def check_rank(name: str, ranks: Any, received: TensorSpec) -> None:
    """Raise a ShapeError unless an input has a rank that ``input_dimension()`` of the layer with this `name` returns.

    ``None`` is any rank.
    """
    allowed = to_list(ranks)
    if not all(isinstance(one, int) for one in allowed) and ranks is not None:
        raise ArgumentTypeError(f'{name}: input_dimension(): expected the rank of an input with the batch, such as 2, '
                                f'received {describe(ranks)}.')
    if ranks is not None and len(received.shape) not in allowed:
        raise ShapeError(f"{name}: expected a {' or '.join(f'{one}-D' for one in allowed)} input, as input_dimension() "
                         f'says, received shape {received.shape}.')


def check_equal_shapes(name: str, input_shapes: Sequence[Shape]) -> None:
    """Raise a ShapeError unless all inputs of the layer with this `name` may have the same shape."""
    for shape in input_shapes[1:]:
        if not agree(shape, input_shapes[0]):
            raise ShapeError(f'{name}: expected inputs of one shape, received {", ".join(map(str, input_shapes))}.')
