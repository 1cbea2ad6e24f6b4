"""Arrays from a user, checked and made ready for a model."""
from typing import Any, Callable, Dict, List, NamedTuple, Optional, Sequence, Tuple, Union

import numpy as np

from keraflow import shapes
from keraflow.arguments import as_array, assign, is_array_like, split_arrays
from keraflow.errors import DataError

__all__ = ['Arrays', 'OnDisk', 'Port', 'Samples', 'batches', 'check_lengths', 'read_arrays', 'read_weights']


class Port(NamedTuple):
    """Where one array goes: an input or a target of a model.

    With `nb_class` the array has numbers of classes, below it, and its last axis of length 1 may be left out; one other
    number, `ignored`, may stand where there is none. A target is told from an input for the sake of advice. What is at
    the steps that the mask of a prediction leaves out (`is_masked`) is known in the run alone, and checked there.
    """

    name: str
    shape: tuple
    dtype: str
    nb_class: Optional[int] = None
    is_target: bool = False
    ignored: Optional[int] = None
    is_masked: bool = False

    @classmethod
    def of(cls, kensor: Any, name: Optional[str] = None) -> 'Port':
        """Where the data of an Input go, which may have another name in a model."""
        return cls(name or kensor.name, (None, *kensor.shape[1:]), kensor.dtype)


class OnDisk:
    """A memory-mapped array. Only the samples that are asked for are read, checked and cast.

    Parameters
    ----------
    array : np.memmap
    port : Port
    where : str
        Start of a message.
    first : int
        The number of the first sample, for messages.
    """

    def __init__(self, array: np.ndarray, port: Port, where: str, first: int = 0):
        self.array = array
        self.port = port
        self.where = where
        self.first = first

    def __len__(self) -> int:
        return len(self.array)

    @property
    def shape(self) -> Tuple[int, ...]:
        """That of the array."""
        return self.array.shape

    @property
    def ndim(self) -> int:
        """How many axes it has."""
        return self.array.ndim

    def __getitem__(self, part: Any) -> np.ndarray:
        numbers = range(self.first, self.first + len(self))[part] if isinstance(part, slice) else part + self.first
        return _cast(np.asarray(self.array[part]), self.port, self.where, numbers, copies=True)

    def view(self, part: slice) -> 'OnDisk':
        """Some of the samples, still on the disk."""
        return OnDisk(self.array[part], self.port, self.where, self.first + (part.start or 0))


Samples = Union[np.ndarray, OnDisk]


class Arrays(NamedTuple):
    """Inputs, targets and weights for each target (``None``: all 1) of the same samples, as the compiled functions take
    them."""

    inputs: List[Samples]
    targets: List[Samples]
    weights: List[Optional[Samples]]

    @property
    def flat(self) -> List[Samples]:
        """All arrays in the order of the functions."""
        return [*self.inputs, *self.targets, *(it for it in self.weights if it is not None)]

    @property
    def weighting(self) -> Tuple[int, ...]:
        """For each target: 1 with weights of samples, 2 with weights of steps, else 0. Each has its own functions."""
        return tuple(0 if it is None else it.ndim for it in self.weights)

    def __bool__(self) -> bool:
        return True

    @property
    def nb_sample(self) -> int:
        """Number of samples."""
        return len(self.inputs[0])

    def split(self, at: int) -> Tuple['Arrays', 'Arrays']:
        """The samples before and from number `at` on, not read yet."""
        return self._map(lambda it: _view(it, slice(0, at))), self._map(lambda it: _view(it, slice(at, None)))

    def part(self, part: Any, copies: bool = False) -> 'Arrays':
        """Some of the samples: a slice, or an array of their numbers.

        With `copies` they are no views: what waits to be used stays as it is, whatever the program does meanwhile.
        """
        return self._map(lambda it: np.array(it[part]) if copies and not isinstance(it, OnDisk) else it[part])

    @property
    def is_on_disk(self) -> bool:
        """Whether some of the arrays are."""
        return any(isinstance(it, OnDisk) for it in self.flat)

    def _map(self, function: Callable) -> 'Arrays':
        return Arrays([function(it) for it in self.inputs], [function(it) for it in self.targets],
                      [None if it is None else function(it) for it in self.weights])


def _view(samples: Samples, part: slice) -> Samples:
    return samples.view(part) if isinstance(samples, OnDisk) else samples[part]


def read_arrays(value: Any, ports: Sequence[Port], where: str, copies: bool = False) -> List[Samples]:
    """One array for each port from a dict by name, a list, or (for one port) an array.

    Unless `copies`, an array that needs no cast stays the program's own.

    Raises
    ------
    DataError
        For missing or superfluous arrays, other shapes or types, NaN, no samples.
    """
    names = [port.name for port in ports]
    given: Dict[str, Any] = assign(split_arrays(value), names, where)
    if len(given) < len(names):
        missing = ', '.join(name for name in names if name not in given)
        raise DataError(
            f'{where}: expected {len(names)} array(s) ({", ".join(names)}), received {len(given)}: {missing} missing.')
    return [_as_array(given[port.name], port, _at(where, port.name), copies) for port in ports]


def read_weights(value: Any, targets: Sequence[Samples], ports: Sequence[Port], nb_sample: int, dtype: str, where: str,
                 copies: bool = False) -> List[Optional[Samples]]:
    """Weights for each target: of the samples, ``(nb_sample,)``, or of the steps of series, ``(nb_sample, time)``.

    They are given by a dict by name or a list of arrays, in which those of a target may be missing or ``None``, or by
    one array for all targets.
    """
    if value is None:
        return [None] * len(ports)
    is_one = not isinstance(value, dict) and (is_array_like(value) or not isinstance(value, (list, tuple)))
    if is_one and len(ports) != 1:
        shared = _weights(value, None, nb_sample, dtype, where, copies)
        return [shared] * len(ports)
    names = [port.name for port in ports]
    given = {names[0]: value} if is_one else assign(value, names, where)
    return [_weights(given[port.name], target, nb_sample, dtype, where if is_one else f'{where}: {port.name}', copies)
            if port.name in given else None for port, target in zip(ports, targets)]


def _weights(value: Any, target: Optional[Samples], nb_sample: int, dtype: str, where: str, copies: bool) -> Samples:
    value = value if isinstance(value, np.memmap) else _as_array_of_one_shape(value, where)
    has_steps = target is not None and target.ndim > 2 and value.ndim == 2
    shape = (nb_sample, target.shape[1]) if has_steps else (nb_sample,)  # type: ignore[union-attr]
    return _as_array(value, Port('weights', shape, dtype), where, copies)


def check_lengths(named: Dict[str, Samples], where: str) -> None:
    """Raise unless all arrays have as many samples."""
    lengths = {name: len(array) for name, array in named.items()}
    if len(set(lengths.values())) > 1:
        text = ', '.join(f'{name} has {length}' for name, length in lengths.items())
        raise DataError(f'{where}: the arrays have different numbers of samples: {text}.')


def batches(nb_sample: int, batch_size: int) -> List[Tuple[int, int]]:
    """First and last + 1 sample of each batch.

    Examples
    --------
    >>> batches(5, 2)
    [(0, 2), (2, 4), (4, 5)]
    """
    return [(start, min(start + batch_size, nb_sample)) for start in range(0, nb_sample, batch_size)]


def _at(where: str, name: str) -> str:
    """Start of a message about one array; where an array has the name of the argument it is said once."""
    return where if where.endswith(f': {name}') else f'{where}: {name}'


def _as_array(value: Any, port: Port, where: str, copies: bool) -> Samples:
    array = value if isinstance(value, np.memmap) else _as_array_of_one_shape(value, where)
    if array.dtype.kind not in 'biuf':
        raise DataError(f'{where}: expected numbers, received an array of dtype {array.dtype}. '
                        'Turn it into numbers first.')
    if port.nb_class is not None and array.ndim == len(port.shape) - 1:
        array = array[..., None]
    if not shapes.agree(port.shape, array.shape):
        problem = f'{where}: expected an array of shape {port.shape}, received {array.shape}. '
        raise DataError((problem + _advice(port, array)).rstrip())
    if len(array) == 0:
        raise DataError(f'{where}: there are no samples.')
    if 0 in array.shape:
        raise DataError(f'{where}: expected at least one value along each axis, received shape {array.shape}.')
    if isinstance(array, np.memmap):
        return OnDisk(array, port, where)
    return _cast(array, port, where, range(len(array)), copies)


def _cast(array: np.ndarray, port: Port, where: str, numbers: Sequence[int], copies: bool) -> np.ndarray:
    """The samples of these numbers in the dtype of the port, if they can be that; as an array of their own if `copies`.
    """
    if array.dtype.kind == 'f' and not port.is_masked and array.size and np.isnan(np.min(array)):
        raise DataError(f'{where}: there is a NaN in sample {_first(np.isnan(array), numbers)}. '
                        'Replace missing values first.')
    if port.is_masked and port.nb_class is not None and array.dtype.kind == 'f':
        array = np.nan_to_num(array, nan=-1)        # no class: refused where the step counts
    elif port.nb_class is not None and not port.is_masked:
        _check_classes(array, port.nb_class, port.ignored, where, numbers)
    with np.errstate(invalid='ignore'):     # what infinity becomes is told below
        cast = (np.array if copies else np.asarray)(array, port.dtype, order='C')
    if cast.dtype.kind != 'f' and cast.dtype != array.dtype and not np.array_equal(cast, array):
        if array.dtype.kind == 'f' and not np.array_equal(array, np.round(array)):
            raise DataError(
                f'{where}: expected integers, received numbers with a fraction. Round them, or make the Input real.')
        raise DataError(f'{where}: expected values that {port.dtype} can hold, '
                        f'received {array[cast != array].flat[0]}.')
    return cast


def _check_classes(classes: np.ndarray, nb_class: int, ignored: Optional[int], where: str,
                   numbers: Sequence[int]) -> None:
    wrong = (classes < 0) | (classes >= nb_class)
    if ignored is not None:
        wrong &= classes != ignored
    if wrong.any():
        received, sample = int(classes[wrong][0]), _first(wrong, numbers)
        raise DataError(f'{where}: {class_problem(nb_class, ignored)}, received {received} in sample {sample}. '
                        + class_advice(received))


def class_problem(nb_class: int, ignored: Optional[int]) -> str:
    """What is expected of numbers of classes."""
    also = '' if ignored is None else f', or {ignored}, which is ignored'
    return f'expected numbers of classes from 0 to {nb_class - 1}{also}'


def class_advice(received: int) -> str:
    """What to do about a number of a class."""
    if received < 0:
        return f'Pass ignore_label={received} to compile if it stands for what does not count.'
    return 'The output needs a unit for each class.'


def _first(wrong: np.ndarray, numbers: Sequence[int]) -> int:
    """The number of the first sample in which something is wrong."""
    return int(numbers[int(np.argmax(wrong.reshape(len(wrong), -1).any(axis=1)))])


def _as_array_of_one_shape(value: Any, where: str) -> np.ndarray:
    try:
        return as_array(value)
    except ValueError:
        raise DataError(f'{where}: expected samples of one shape, received some of different shapes. '
                        'Pad them to one length.') from None


def _advice(port: Port, array: np.ndarray) -> str:
    if port.nb_class is not None and array.shape[-1:] == (port.nb_class,):
        return "Write .argmax(axis=-1) for the numbers of the classes, or use the loss 'categorical_crossentropy'."
    nb_unit = port.shape[-1] if len(port.shape) > 1 else None
    if port.is_target and port.nb_class is None and array.dtype.kind in 'iu' and (nb_unit or 0) > 1 and any(
            shapes.agree((*port.shape[:-1], *last), array.shape) for last in ((), (1,))):
        return ("If they are numbers of classes, use the loss 'sparse_categorical_crossentropy', or "
                f'to_categorical(y, {nb_unit}) of keraflow.utils.')
    if shapes.agree(port.shape, (*array.shape, 1)):
        return 'Write .reshape(-1, 1).'
    if shapes.agree(port.shape[1:], array.shape):
        return 'The first axis is for the samples: for one sample write array[None].'
    return ''
