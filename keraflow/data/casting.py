"""Cast arrays to the dtype of a model, and refuse values that it cannot hold or use."""
import contextlib
import math
from typing import Optional, Sequence

import numpy as np

from keraflow.data.array_spec import ArraySpec
from keraflow.errors import DataError

__all__ = ['cast', 'class_problem', 'first_sample']

#: Instead of NumPy's context, which takes longer than to look at a sample.
_NOTHING_IS_CAST = contextlib.nullcontext()
#: Up to here a dtype holds every integer.
_EXACT = {'float32': 2 ** 24, 'float64': 2 ** 53}


def cast(array: np.ndarray, spec: ArraySpec, where: str, samples: Sequence[int], copies: bool) -> np.ndarray:
    """Return samples in the dtype of the spec, as a new array if `copies`.

    Parameters
    ----------
    array : array
    spec : ArraySpec
    where : str
        Start of a message.
    samples : sequence of int
        The numbers of the samples, for messages.
    copies : bool

    Raises
    ------
    DataError
        If the dtype cannot hold a value, or a model cannot use it.
    """
    if spec.is_masked and spec.nb_class is not None and array.dtype.kind == 'f':
        array = np.nan_to_num(array, nan=-1)        # not a class: refused if the step counts
    with _NOTHING_IS_CAST if array.dtype == spec.dtype else np.errstate(invalid='ignore', over='ignore'):
        made = (np.array if copies else np.asarray)(array, spec.dtype, order='C')      # what is lost is reported below
    # A single sum is not finite if any value is not. If values are merely large, the full check finds nothing.
    if made.dtype.kind == 'f' and not math.isfinite(np.vdot(made, made)):
        _check_finite(array, made, spec, where, samples)
    if made.dtype.kind != 'f':
        _check_integers(array, made, spec, where, samples)
    elif array.dtype.kind in 'iu' and array.dtype.itemsize > 2:      # 16 bits fit every real dtype
        _check_exact(array, made, where, samples)
    if spec.role == 'weights' and made.min() < 0:
        spec.warn('negative', f'{where}: there is a negative weight in sample {first_sample(made < 0, samples)}: '
                  'training moves away from its target.')
    if spec.doubt is not None and not spec.is_masked:
        found = spec.doubt(made)
        if found is not None:
            wrong, text = found
            spec.warn('doubt', f'{where}: {text.format(sample=first_sample(wrong, samples))}')
    return made


def first_sample(wrong: np.ndarray, samples: Sequence[int]) -> int:
    """Return the number of the first sample in which something is wrong."""
    return int(samples[int(np.argmax(wrong.reshape(len(wrong), -1).any(axis=1)))])


def class_problem(nb_class: int, ignored: Optional[int]) -> str:
    """Return what is expected of numbers of classes."""
    also = '' if ignored is None else f', or {ignored}, which is ignored'
    return f'expected class indices from 0 to {nb_class - 1}{also}'


def _check_finite(array: np.ndarray, made: np.ndarray, spec: ArraySpec, where: str, samples: Sequence[int]) -> None:
    if array.dtype.kind != 'f':
        return
    _refuse_nan(array, spec, where, samples)
    infinite = np.isinf(array)
    if infinite.any() and not spec.is_masked:
        sample, place = first_sample(infinite, samples), np.argwhere(infinite)[0, 1:].tolist()
        text = f'{where}: there is an infinite value in sample {sample}'
        if spec.role != 'input':
            raise DataError(f'{text}. Replace such values first.')
        at = f', column {place[0]}' if len(place) == 1 else f', at {place}' if place else ''
        spec.warn('infinite', f'{text}{at}, which usually leads to NaN.')
    lost = np.isinf(made) & ~infinite
    if lost.any():
        raise DataError(f'{where}: expected numbers that {spec.dtype} can hold, received {array[lost][0]:g} in sample '
                        f'{first_sample(lost, samples)}. Scale them.')


def _refuse_nan(array: np.ndarray, spec: ArraySpec, where: str, samples: Sequence[int]) -> None:
    missing = np.isnan(array)
    if missing.any() and not spec.is_masked:
        raise DataError(f'{where}: there is a NaN in sample {first_sample(missing, samples)}. '
                        'Replace missing values first.')


def _check_integers(array: np.ndarray, made: np.ndarray, spec: ArraySpec, where: str, samples: Sequence[int]) -> None:
    if array.dtype.kind == 'f':
        _refuse_nan(array, spec, where, samples)
    if spec.nb_class is not None and not spec.is_masked:
        _check_classes(array, spec.nb_class, spec.ignored, where, samples)
    if made.dtype != array.dtype and not np.array_equal(made, array):
        if array.dtype.kind == 'f' and not np.array_equal(array, np.round(array)):
            instead = 'make the Input real' if spec.role == 'input' else 'use a loss whose targets are real'
            raise DataError(f'{where}: expected integers, received numbers with a fraction. Round them, or {instead}.')
        raise DataError(f'{where}: expected values that {spec.dtype} can hold, '
                        f'received {array[made != array].flat[0]}.')


def _check_exact(array: np.ndarray, made: np.ndarray, where: str, samples: Sequence[int]) -> None:
    """Raise unless the integers stay the same as reals."""
    # As Python's integers: the least int64 has no opposite among NumPy's.
    if max(int(array.max()), -int(array.min())) > _EXACT[made.dtype.name]:
        with np.errstate(invalid='ignore'):
            wrong = made.astype(array.dtype) != array
        if wrong.any():
            raise DataError(f'{where}: expected integers that {made.dtype} can hold, received {array[wrong][0]} in '
                            f'sample {first_sample(wrong, samples)}, which would be {made[wrong][0]:.0f}. Write '
                            f".astype('{made.dtype}') if they may be rounded.")


def _check_classes(classes: np.ndarray, nb_class: int, ignored: Optional[int], where: str,
                   samples: Sequence[int]) -> None:
    wrong = (classes < 0) | (classes >= nb_class)
    if ignored is not None:
        wrong &= classes != ignored
    if wrong.any():
        received, sample = int(classes[wrong][0]), first_sample(wrong, samples)
        advice = 'The output needs a unit for each class.' if received >= 0 else \
            f'Pass ignore_label={received} to compile if it marks samples to ignore.'
        raise DataError(f'{where}: {class_problem(nb_class, ignored)}, received {received} in sample {sample}. '
                        f'{advice}')
