"""Rotate, shift, shear and zoom one image, with SciPy (the extra ``images``).

A transform is a 3 x 3 matrix that maps the position of a pixel in the new image, ``(row, column, 1)`` relative to the
centre, to the position in the old image where its value is found.
"""
import math
from typing import Sequence

import numpy as np

from keraflow.extras import load_extra

__all__ = ['FILL_MODES', 'affine_matrix', 'apply_transform']

#: How positions outside the image are filled, with SciPy's name for it. Its own 'wrap' lets the two ends overlap.
FILL_MODES = {'nearest': 'nearest', 'constant': 'constant', 'reflect': 'reflect', 'wrap': 'grid-wrap'}


def affine_matrix(rotation: float = 0., shift: Sequence[float] = (0., 0.), shear: float = 0.,
                  zoom: Sequence[float] = (1., 1.)) -> np.ndarray:
    """Return the matrix that zooms, then shears, then shifts, then rotates positions.

    Parameters
    ----------
    rotation : float
        In radians. The content turns clockwise.
    shift : (float, float)
        How many pixels down and to the right values are found: the content moves the other way.
    shear : float
        In radians.
    zoom : (float, float)
        Factors for rows and columns; above 1 the content shrinks.

    Examples
    --------
    >>> affine_matrix(shift=(1., 2.)) @ [5, 5, 1]
    array([6., 7., 1.])
    """
    cos, sin = math.cos(rotation), math.sin(rotation)
    rotate = np.array([[cos, -sin, 0.], [sin, cos, 0.], [0., 0., 1.]])
    move = np.array([[1., 0., shift[0]], [0., 1., shift[1]], [0., 0., 1.]])
    skew = np.array([[1., -math.sin(shear), 0.], [0., math.cos(shear), 0.], [0., 0., 1.]])
    return rotate @ move @ skew @ np.diag([zoom[0], zoom[1], 1.])


def apply_transform(x: np.ndarray, matrix: np.ndarray, fill_mode: str = 'nearest', cval: float = 0.) -> np.ndarray:
    """Transform an image ``(channels, height, width)`` around its centre, with bilinear interpolation.

    Parameters
    ----------
    x : array
    matrix : array (3, 3)
        From :func:`affine_matrix`.
    fill_mode : str
        A key of :data:`FILL_MODES`; ``'constant'`` fills with `cval`.
    """
    if np.array_equal(matrix, np.eye(3)):   # needs no SciPy
        return x
    ndimage = load_extra('scipy.ndimage', 'images', 'ImageDataGenerator')
    centre = (np.array(x.shape[1:]) - 1) / 2
    linear = matrix[:2, :2]
    offset = matrix[:2, 2] + centre - linear @ centre
    return np.stack([ndimage.affine_transform(channel, linear, offset, order=1, mode=FILL_MODES[fill_mode], cval=cval)
                     for channel in x])
