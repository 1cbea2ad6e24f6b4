"""Convert between image files and arrays, with Pillow (the extra ``images``)."""
from typing import Any, Literal, Optional, Sequence

import numpy as np

from keraflow.config import setting
from keraflow.errors import DataError, warn
from keraflow.extras import load_extra
from keraflow.files.regular import PathLike
from keraflow.schema import PositiveInt
from keraflow.schema.checked import checked

__all__ = ['DataFormat', 'array_to_img', 'img_to_array', 'load_img']

DataFormat = Literal['channels_first', 'channels_last']

#: Pillow's image modes whose values may be above 255.
_WIDE = ('I', 'F', 'I;16', 'I;16L', 'I;16B', 'I;16N')


@checked
def load_img(path: PathLike, grayscale: bool = False, target_size: Optional[Sequence[PositiveInt]] = None) -> Any:
    """Load an image file with Pillow, in colour or grey, rotated as its EXIF data say.

    Parameters
    ----------
    path : path
    grayscale : bool
        Whether to load one grey channel instead of red, green and blue.
    target_size : (height, width), optional
        The size to scale to, by bilinear interpolation.

    Returns
    -------
    PIL.Image.Image
        With values from 0 to 255. A file with one channel of 16 or 32 bits keeps its values: it is returned as that one
        channel, of mode ``'F'``, even if colour was asked for.

    Raises
    ------
    DataError
        The file is not an image, or is truncated.
    OSError
        The file does not exist, or is not readable.
    MissingPackageError
        Pillow is not installed.
    """
    pillow = load_extra('PIL.Image', 'images', 'load_img')
    upright = load_extra('PIL.ImageOps', 'images', 'load_img').exif_transpose
    with open(path, 'rb') as file:
        try:
            image = pillow.open(file)
            _tell_lost_bits(image)
            image = upright(image)
            # L and RGB have only 8 bits for a channel.
            image = image.convert('F' if image.mode in _WIDE else 'L' if grayscale else 'RGB')
        except pillow.UnidentifiedImageError:
            raise DataError(f'{path}: this is not an image.') from None
        # The errors of the decoders do not name the file.
        except (OSError, SyntaxError, ValueError, EOFError, pillow.DecompressionBombError) as error:
            raise DataError(f'{path}: the image cannot be read as a whole ({error}).') from None
    if target_size is None:
        return image
    height, width = target_size
    return image.resize((width, height), pillow.Resampling.BILINEAR)    # Pillow's order


def _tell_lost_bits(image: Any) -> None:
    """Warn that Pillow reads only 8 of the 16 bits that a channel of a colour image may have."""
    if image.mode not in _WIDE and any('16' in str(tile[3]) for tile in image.tile):
        warn('load_img: of colour images with 16 bits a channel, Pillow reads the upper 8. To keep them, save an image '
             'in grey for each channel, or an array (numpy.save).')


@checked
def img_to_array(img: Any, data_format: DataFormat = 'channels_first') -> np.ndarray:
    """Convert a Pillow image to an array of floatx: ``(channels, height, width)`` or ``(height, width, channels)``."""
    array = np.asarray(img, setting('floatx').value)
    array = array[..., None] if array.ndim == 2 else array
    return np.ascontiguousarray(array.transpose(2, 0, 1)) if data_format == 'channels_first' else array


@checked
def array_to_img(x: Any, data_format: DataFormat = 'channels_first', scale: bool = True) -> Any:
    """Convert an array with one image to a Pillow image.

    Parameters
    ----------
    x : array
        With one channel (grey) or three.
    data_format : str
        Whether the channel axis comes first or last.
    scale : bool
        Whether to scale the values so that the lowest is black and the highest white. Otherwise they must lie in 0 to
        255.

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
