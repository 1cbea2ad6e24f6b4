"""Check arrays from a user, and prepare them for a model."""
import math
from typing import Any, Callable, Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple, Union

import numpy as np

from keraflow import shapes
from keraflow.arguments import as_array, assign, is_array_like, split_arrays
from keraflow.data.array_spec import ArraySpec
from keraflow.data.casting import cast
from keraflow.errors import DataError

__all__ = ['Arrays', 'MemmapSamples', 'Samples', 'batch_bounds', 'check_lengths', 'not_finite', 'read_arrays',
           'read_weights']


class MemmapSamples:
    """A memory-mapped array, of which only the requested samples are read, checked and cast.

    Parameters
    ----------
    array : np.memmap
    spec : ArraySpec
    where : str
        Start of a message.
    first : int
        The number of the first sample, for messages.
    """

    def __init__(self, array: np.ndarray, spec: ArraySpec, where: str, first: int = 0):
        self.array = array
        self.spec = spec
        self.where = where
        self.first = first

    def __len__(self) -> int:
        return len(self.array)

    @property
    def shape(self) -> Tuple[int, ...]:
        """The shape of the array."""
        return self.array.shape

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return self.array.ndim

    @property
    def nbytes(self) -> int:
        """How many bytes the samples take once they are read."""
        return math.prod(self.shape) * np.dtype(self.spec.dtype).itemsize

    def __getitem__(self, part: Any) -> np.ndarray:
        numbers = range(self.first, self.first + len(self))[part] if isinstance(part, slice) else part + self.first
        return cast(np.asarray(self.array[part]), self.spec, self.where, numbers, copies=True)  # reads the file now

    def view(self, part: slice) -> 'MemmapSamples':
        """Return some of the samples without reading them."""
        return MemmapSamples(self.array[part], self.spec, self.where, self.first + (part.start or 0))


Samples = Union[np.ndarray, MemmapSamples]


class Arrays(NamedTuple):
    """Inputs, targets, and weights for each target (``None``: all 1), of the same samples, as functions take them."""

    inputs: List[Samples]
    targets: List[Samples]
    weights: List[Optional[Samples]]

    @property
    def flat(self) -> List[Samples]:
        """All arrays, in the order in which functions take them."""
        return [*self.inputs, *self.targets, *(it for it in self.weights if it is not None)]

    @property
    def weighting(self) -> Tuple[int, ...]:
        """For each target 1 with weights of samples, 2 with weights of steps, else 0. Functions depend on it."""
        return tuple(0 if it is None else it.ndim for it in self.weights)

    @property
    def nb_sample(self) -> int:
        """The number of samples."""
        return len(self.inputs[0])

    def split(self, at: int) -> Tuple['Arrays', 'Arrays']:
        """Return the samples before number `at`, and those from there on, without reading them."""
        return self._map(lambda it: _view(it, slice(0, at))), self._map(lambda it: _view(it, slice(at, None)))

    def part(self, part: Any, copies: bool = False) -> 'Arrays':
        """Return some of the samples: a slice, or an array of their numbers.

        With `copies` they are not views: batches that wait do not change, whatever the program does meanwhile.
        """
        return self._map(lambda it: np.array(it[part]) if copies and not isinstance(it, MemmapSamples) else it[part])

    @property
    def layout(self) -> tuple:
        """Dtypes and shapes of all arrays, and which weights there are: batches with equal ones can be joined."""
        return self.weighting, *((it.dtype, it.shape) for it in self.flat)  # type: ignore[union-attr]

    @classmethod
    def joined(cls, some: Sequence['Arrays']) -> 'Arrays':
        """Return the samples of several arrays in memory, one after the other."""
        def join(parts: Any) -> Any:
            return None if parts[0] is None else np.concatenate(parts)
        inputs, targets, weights = (list(map(join, zip(*field))) for field in zip(*some))
        return cls(inputs, targets, weights)

    @property
    def nb_byte(self) -> int:
        """How much memory all samples take."""
        return sum(it.nbytes for it in self.flat)

    @property
    def is_on_disk(self) -> bool:
        """Whether some of the arrays are memory-mapped."""
        return any(isinstance(it, MemmapSamples) for it in self.flat)

    def _map(self, function: Callable) -> 'Arrays':
        return Arrays([function(it) for it in self.inputs], [function(it) for it in self.targets],
                      [None if it is None else function(it) for it in self.weights])


def _view(samples: Samples, part: slice) -> Samples:
    return samples.view(part) if isinstance(samples, MemmapSamples) else samples[part]


def read_arrays(value: Any, specs: Sequence[ArraySpec], where: str, copies: bool = False) -> List[Samples]:
    """Return one array for each spec, from a dict by name, a list, or (for one spec) an array.

    Unless `copies`, an array that needs no cast is not copied.

    Raises
    ------
    DataError
        If arrays are missing, superfluous or empty, or have wrong shapes, dtypes or values.
    """
    names = [spec.name for spec in specs]
    given: Dict[str, Any] = assign(split_arrays(value), names, where)
    if len(given) < len(names):
        missing = ', '.join(name for name in names if name not in given)
        raise DataError(
            f'{where}: expected {len(names)} array(s) ({", ".join(names)}), received {len(given)}: {missing} missing.')
    return [_as_array(given[spec.name], spec, _at(where, spec.name), copies) for spec in specs]


def read_weights(value: Any, targets: Sequence[Samples], names: Sequence[str], spec: ArraySpec, where: str,
                 copies: bool = False) -> List[Optional[Samples]]:
    """Return weights for each target: of samples, ``(nb_sample,)``, or of the steps of series, ``(nb_sample, time)``.

    They come from a dict by name or a list of arrays, in which those of a target may be missing or ``None``, or from
    one array for all targets. The `spec` describes weights of samples.
    """
    is_one = not isinstance(value, dict) and (is_array_like(value) or not isinstance(value, (list, tuple)))
    if is_one and len(names) != 1:
        shared = _weights(value, None, spec, where, copies)
        return [shared] * len(names)
    given = {names[0]: value} if is_one else assign(value, names, where)
    return [_weights(given[name], target, spec, where if is_one else f'{where}: {name}', copies)
            if name in given else None for name, target in zip(names, targets)]


def _weights(value: Any, target: Optional[Samples], spec: ArraySpec, where: str, copies: bool) -> Samples:
    value = value if isinstance(value, np.memmap) else _as_array_of_one_shape(value, where)
    has_steps = target is not None and target.ndim > 2 and value.ndim == 2
    shape = (*spec.shape, target.shape[1]) if has_steps else spec.shape  # type: ignore[union-attr]
    return _as_array(value, spec._replace(shape=shape), where, copies)


def check_lengths(named: Dict[str, Samples], where: str) -> None:
    """Raise unless all arrays have the same number of samples."""
    lengths = {name: len(array) for name, array in named.items()}
    if len(set(lengths.values())) > 1:
        text = ', '.join(f'{name} has {length}' for name, length in lengths.items())
        raise DataError(f'{where}: the arrays have different numbers of samples: {text}.')


def batch_bounds(nb_sample: int, batch_size: int) -> List[Tuple[int, int]]:
    """Return the first sample of each batch, and the first one after it.

    Examples
    --------
    >>> batch_bounds(5, 2)
    [(0, 2), (2, 4), (4, 5)]
    """
    return [(start, min(start + batch_size, nb_sample)) for start in range(0, nb_sample, batch_size)]


def not_finite(arrays: Mapping[str, np.ndarray]) -> List[str]:
    """Return the names of the arrays in which there is NaN or infinity.

    Examples
    --------
    >>> not_finite({'W': np.ones(2), 'b': np.array([1., np.nan])})
    ['b']
    """
    return [name for name, array in arrays.items() if not _is_finite(array)]


def _is_finite(array: np.ndarray) -> bool:
    if array.dtype.kind != 'f':
        return True
    with np.errstate(all='ignore'):
        # A sum needs no memory, and is finite unless it overflows.
        return bool(np.isfinite(array.sum())) or bool(np.isfinite(array).all())


def _at(where: str, name: str) -> str:
    """Return the start of a message about an array, with its name, unless that is the name of the argument."""
    return where if where.endswith(f': {name}') else f'{where}: {name}'


def _as_array(value: Any, spec: ArraySpec, where: str, copies: bool) -> Samples:
    array = value if isinstance(value, np.memmap) else _as_array_of_one_shape(value, where)
    if array.dtype.kind not in 'biuf':
        raise DataError(f'{where}: expected numbers, received an array of dtype {array.dtype}. '
                        'Turn it into numbers first.')
    if spec.nb_class is not None and array.ndim == len(spec.shape) - 1:
        array = array[..., None]
    if not shapes.agree(spec.shape, array.shape):
        problem = f'{where}: expected an array of shape {spec.shape}, received {array.shape}. '
        raise DataError((problem + _advice(spec, array)).rstrip())
    if len(array) == 0:
        raise DataError(f'{where}: there are no samples.')
    if 0 in array.shape:
        raise DataError(f'{where}: expected at least one value along each axis, received shape {array.shape}.')
    if isinstance(array, np.memmap):
        return MemmapSamples(array, spec, where)
    return cast(array, spec, where, range(len(array)), copies)


def _as_array_of_one_shape(value: Any, where: str) -> np.ndarray:
    try:
        return as_array(value)
    except ValueError:
        raise DataError(f'{where}: expected samples of one shape, received some of different shapes. '
                        'Pad them to one length.') from None


def _advice(spec: ArraySpec, array: np.ndarray) -> str:
    if spec.nb_class is not None and array.shape[-1:] == (spec.nb_class,):
        return "Write .argmax(axis=-1) for class indices, or use the loss 'categorical_crossentropy'."
    nb_unit = spec.shape[-1] if len(spec.shape) > 1 else None
    if spec.role == 'target' and spec.nb_class is None and array.dtype.kind in 'iu' and (nb_unit or 0) > 1 and any(
            shapes.agree((*spec.shape[:-1], *last), array.shape) for last in ((), (1,))):
        return ("If they are class indices, use the loss 'sparse_categorical_crossentropy', or "
                f'to_categorical(y, {nb_unit}) of keraflow.utils.')
    if shapes.agree(spec.shape, (*array.shape, 1)):
        return 'Write .reshape(-1, 1).'
    if shapes.agree(spec.shape[1:], array.shape):
        return 'The first axis is for the samples: for one sample write array[None].'
    return ''
