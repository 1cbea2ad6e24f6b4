"""Convert kernels from frameworks that flip them."""
from typing import Any, Literal

import numpy as np

from keraflow.errors import ShapeError
from keraflow.schema.checked import checked

__all__ = ['convert_kernel']


@checked
def convert_kernel(kernel: Any, dim_ordering: Literal['th', 'tf'] = 'th') -> np.ndarray:
    """Flip kernels of a true convolution into those of a cross-correlation, and back.

    keraflow's convolutions do not flip their kernels.

    Parameters
    ----------
    kernel : array
        With 3 to 5 axes.
    dim_ordering : {'th', 'tf'}
        Whether the spatial axes follow the first two (``'th'``, keraflow's layout) or precede the last two (``'tf'``).

    Raises
    ------
    ShapeError
        The array has no spatial axes.

    Examples
    --------
    >>> convert_kernel(np.arange(4).reshape(1, 1, 2, 2))[0, 0]
    array([[3, 2],
           [1, 0]])
    """
    kernel = np.asarray(kernel)
    if kernel.ndim < 3:
        raise ShapeError(f'convert_kernel: expected an array of at least 3 axes, received shape {kernel.shape}.')
    return np.flip(kernel, tuple(range(2, kernel.ndim) if dim_ordering == 'th' else range(kernel.ndim - 2)))
