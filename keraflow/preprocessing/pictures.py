"""Image files as arrays and back, by Pillow (the extra ``images``)."""
from typing import Any, Literal, Optional, Sequence

import numpy as np

from keraflow.checked import checked
from keraflow.config import setting
from keraflow.errors import DataError
from keraflow.extras import load_extra
from keraflow.files.regular import PathLike
from keraflow.schema import PositiveInt

__all__ = ['DataFormat', 'array_to_img', 'img_to_array', 'load_img']

DataFormat = Literal['channels_first', 'channels_last']


@checked
def load_img(path: PathLike, grayscale: bool = False, target_size: Optional[Sequence[PositiveInt]] = None) -> Any:
    """An image file as an image of Pillow, in colour or in grey.

    Parameters
    ----------
    path : path
    grayscale : bool
        Whether to give one grey channel in the place of red, green and blue.
    target_size : (height, width), optional
        The size to bring it to, by bilinear interpolation.

    Raises
    ------
    DataError
        The file is no image.
    MissingPackageError
        Pillow is not installed.
    """
    pillow = load_extra('PIL.Image', 'images', 'load_img')
    try:
        with pillow.open(path) as image:
            image = image.convert('L' if grayscale else 'RGB')
    except (pillow.UnidentifiedImageError, pillow.DecompressionBombError, SyntaxError, EOFError) as error:
        raise DataError(f'{path}: this is no image ({error}).') from None
    if target_size is None:
        return image
    height, width = target_size
    return image.resize((width, height), pillow.Resampling.BILINEAR)


@checked
def img_to_array(img: Any, data_format: DataFormat = 'channels_first') -> np.ndarray:
    """An image of Pillow as an array of floatx: ``(channels, height, width)`` or ``(height, width, channels)``."""
    array = np.asarray(img, setting('floatx').value)
    array = array[..., None] if array.ndim == 2 else array
    return np.ascontiguousarray(array.transpose(2, 0, 1)) if data_format == 'channels_first' else array


@checked
def array_to_img(x: Any, data_format: DataFormat = 'channels_first', scale: bool = True) -> Any:
    """An array of one image as an image of Pillow.

    Parameters
    ----------
    x : array
        With one channel (grey) or three.
    data_format : str
        Where the axis of the channels is.
    scale : bool
        Whether its lowest number becomes black and its highest one white. Otherwise numbers are from 0 to 255.

    Raises
    ------
    DataError
        `x` has another shape.
    MissingPackageError
        Pillow is not installed.
    """
    pillow = load_extra('PIL.Image', 'images', 'array_to_img')
    array = np.asarray(x, float)
    if array.ndim == 3 and data_format == 'channels_first':
        array = array.transpose(1, 2, 0)
    if array.ndim != 3 or array.shape[2] not in (1, 3):
        raise DataError(f'array_to_img: expected an image with 1 or 3 channels, received shape {np.shape(x)} '
                        f'({data_format}).')
    if scale:
        low, high = array.min(), array.max()
        array = (array - low) * (255 / (high - low) if high > low else 0)
    pixels = np.clip(np.rint(array), 0, 255).astype('uint8')
    return pillow.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels)
