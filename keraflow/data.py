"""Arrays from a user, checked and made ready for a model."""
import warnings
from typing import Any, Dict, List, NamedTuple, Optional, Sequence, Tuple

import numpy as np

from keraflow import shapes
from keraflow.arguments import assign, split_arrays
from keraflow.errors import DataError

__all__ = ['Port', 'Arrays', 'read_arrays', 'read_weights', 'batches']


class Port(NamedTuple):
    """Where one array goes: an input or a target of a model."""

    name: str
    shape: tuple
    dtype: str


class Arrays(NamedTuple):
    """Inputs, targets and sample weights of the same samples, as the compiled functions take them."""

    inputs: List[np.ndarray]
    targets: List[np.ndarray]
    weights: Optional[np.ndarray]

    @property
    def flat(self) -> List[np.ndarray]:
        """All arrays in the order of the functions."""
        return [*self.inputs, *self.targets, *([] if self.weights is None else [self.weights])]

    def __bool__(self) -> bool:
        return True

    @property
    def nb_sample(self) -> int:
        """Number of samples."""
        return len(self.inputs[0])

    def split(self, at: int) -> Tuple['Arrays', 'Arrays']:
        """The samples before and from number `at` on."""
        head, tail = slice(0, at), slice(at, None)
        return self._part(head), self._part(tail)

    def _part(self, part: slice) -> 'Arrays':
        return Arrays([it[part] for it in self.inputs], [it[part] for it in self.targets],
                      None if self.weights is None else self.weights[part])


def read_arrays(value: Any, ports: Sequence[Port], where: str) -> List[np.ndarray]:
    """One array for each port from a dict by name, a list, or (for one port) an array.

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
    return [_as_array(given[port.name], port, f'{where}: {port.name}') for port in ports]


def read_weights(value: Any, nb_sample: int, dtype: str, where: str) -> Optional[np.ndarray]:
    """Sample weights as an array ``(nb_sample,)``."""
    return None if value is None else _as_array(value, Port('weights', (nb_sample,), dtype), where)


def check_lengths(named: Dict[str, np.ndarray], where: str) -> None:
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


def _as_array(value: Any, port: Port, where: str) -> np.ndarray:
    array = _as_numbers(value, where)
    if not shapes.agree(port.shape, array.shape):
        problem = f'{where}: expected an array of shape {port.shape}, received {array.shape}. '
        raise DataError((problem + _advice(port, array)).rstrip())
    if len(array) == 0:
        raise DataError(f'{where}: there are no samples.')
    if array.dtype.kind == 'f' and array.size and np.isnan(np.min(array)):
        sample = int(np.argmax(np.isnan(array).reshape(len(array), -1).any(axis=1)))
        raise DataError(f'{where}: there is a NaN in sample {sample}. Replace missing values first.')
    cast = np.ascontiguousarray(array, port.dtype).reshape(array.shape)
    if not port.dtype.startswith('float') and array.dtype.kind == 'f' and not np.array_equal(cast, array):
        raise DataError(
            f'{where}: expected integers, received numbers with a fraction. Round them, or make the Input real.')
    return cast


def _as_numbers(value: Any, where: str) -> np.ndarray:
    try:
        with warnings.catch_warnings():     # NumPy before 1.24 only warns of samples of different lengths
            warnings.simplefilter('error')
            array = np.asarray(value)
    except (ValueError, Warning):
        raise DataError(f'{where}: expected samples of one shape, received some of different shapes. '
                        'Pad them to one length.') from None
    if array.dtype.kind not in 'biuf':
        raise DataError(f'{where}: expected numbers, received an array of dtype {array.dtype}. '
                        'Turn it into numbers first.')
    return array


def _advice(port: Port, array: np.ndarray) -> str:
    if shapes.agree(port.shape, (*array.shape, 1)):
        return 'Write .reshape(-1, 1).'
    if shapes.agree(port.shape[1:], array.shape):
        return 'The first axis is for the samples: for one sample write array[None].'
    return ''
