"""One-hot labels, and normalized arrays."""
from typing import Any, Optional

import numpy as np

from keraflow.config import setting
from keraflow.deprecation import renamed
from keraflow.errors import DataError
from keraflow.schema import PositiveInt
from keraflow.schema.checked import checked

__all__ = ['normalize', 'to_categorical']


@renamed(nb_classes='nb_class')
@checked
def to_categorical(y: Any, nb_class: Optional[PositiveInt] = None) -> np.ndarray:
    """Convert class labels to one-hot rows, the targets of ``categorical_crossentropy``.

    Parameters
    ----------
    y : array of integers from 0 to ``nb_class - 1``
        Of shape ``(samples,)`` or ``(samples, 1)``, or with further axes, such as ``(samples, time)``.
    nb_class : int, optional
        The number of columns; by default one more than the highest label.

    Returns
    -------
    array of floatx ``(samples, nb_class)``, or ``(samples, time, nb_class)``

    Raises
    ------
    DataError
        There are no labels, or they are not integers from 0 to ``nb_class - 1``.

    Examples
    --------
    >>> to_categorical([0, 2, 1])
    array([[1., 0., 0.],
           [0., 0., 1.],
           [0., 1., 0.]], dtype=float32)
    """
    labels = np.asarray(y)
    if labels.ndim > 1 and labels.shape[-1] == 1:
        labels = labels[..., 0]
    if not labels.size or labels.dtype.kind not in 'biuf' or not (
            np.isfinite(labels) & (labels == np.floor(labels))).all():
        raise DataError(f'to_categorical: expected labels that are integers, received {labels.size} of dtype '
                        f'{labels.dtype}. Number the classes from 0.')
    low, high = int(labels.min()), int(labels.max())
    nb_class = high + 1 if nb_class is None else nb_class
    if low < 0 or high >= nb_class:
        raise DataError(f'to_categorical: expected labels from 0 to {nb_class - 1}, received {low} to {high}. '
                        'Number the classes from 0.')
    rows = np.zeros((*labels.shape, nb_class), setting('floatx').value)
    np.put_along_axis(rows, labels.astype('int64')[..., None], 1, axis=-1)
    return rows


@checked
def normalize(x: Any, axis: int = -1, order: float = 2) -> np.ndarray:
    """Divide an array by its norms along an axis; zero vectors stay zero.

    Parameters
    ----------
    x : array
    axis : int
        The axis along which norms become 1.
    order : number
        The order of the norm: 1 for the sum of absolute values, 2 for the Euclidean norm, ``np.inf`` for the maximum.

    Raises
    ------
    DataError
        The array does not hold numbers, or has no such axis.

    Examples
    --------
    >>> normalize([[3., 4.], [0., 0.]])
    array([[0.6, 0.8],
           [0. , 0. ]])
    """
    array = np.asarray(x)
    if array.dtype.kind not in 'biuf':
        raise DataError(f'normalize: expected an array of numbers, received one of dtype {array.dtype}.')
    if not -array.ndim <= axis < array.ndim:
        raise DataError(f'normalize: axis: there is no axis {axis} in an array of shape {array.shape}.')
    norms = np.linalg.norm(array, order, axis, keepdims=True)
    return array / np.where(norms == 0, 1, norms)
