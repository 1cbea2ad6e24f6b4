"""Prepare images for a model, and vary them at random so that there are more of them."""
import math
from typing import Annotated, Any, Literal, Optional, Sequence, Tuple, Union

import numpy as np

from keraflow import random
from keraflow.config import setting
from keraflow.errors import ArgumentError, DataError
from keraflow.files.regular import PathLike
from keraflow.preprocessing.flows import ArrayFlow, Flow, FolderFlow
from keraflow.preprocessing.pictures import DataFormat, array_to_img, img_to_array, load_img
from keraflow.preprocessing.saving import Preprocessor
from keraflow.preprocessing.transforms import affine_matrix, apply_transform
from keraflow.registry import builtin
from keraflow.schema import Finite, Function, Natural, NonNegative, PositiveFloat, PositiveInt, Rate, Rule
from keraflow.schema.checked import checked
from keraflow.schema.marks import number

__all__ = ['ImageDataGenerator', 'affine_matrix', 'apply_transform', 'array_to_img', 'img_to_array', 'load_img']

#: Keeps the standard deviation of a constant from dividing by 0.
_EPSILON = 1e-7
_Statistics = Optional[Annotated[np.ndarray, Rule('an array of finite numbers', lambda value: value.dtype.kind == 'f'
                                                  and bool(np.isfinite(value).all()))]]
_OfWidth = Annotated[float, number('a share of the width (pixels divided by it), at least 0 and below 1',
                                   lambda value: 0 <= value < 1)]
_OfHeight = Annotated[float, number('a share of the height (pixels divided by it), at least 0 and below 1',
                                    lambda value: 0 <= value < 1)]


@builtin('preprocessor')
class ImageDataGenerator(Preprocessor):
    r"""Vary images at random, normalize them, and yield them in batches.

    An image may be rotated, shifted, sheared and zoomed (around its centre, in one step with bilinear interpolation),
    shifted in colour, and flipped. Then each image, changed or not, is normalized, in the order of the parameters.

    Parameters
    ----------
    featurewise_center, featurewise_std_normalization : bool
        Whether to subtract the mean of each channel over the data set, and to divide by its standard deviation.
    samplewise_center, samplewise_std_normalization : bool
        The same with the mean and deviation of each single image, which comes first.
    zca_whitening : bool
        Whether to decorrelate the pixels: :math:`x U (S + 10^{-5})^{-1/2} U^T` with the covariance
        :math:`U S U^T` of the data set. For small images: the matrix has as many rows and columns as an image numbers.
    rotation_range : float
        The largest rotation, in degrees.
    width_shift_range, height_shift_range : float
        The largest shift, as a fraction of the size below 1; for pixels write ``pixels / width``.
    shear_range : float
        The largest shear, in radians below a quarter turn.
    zoom_range : float or (float, float)
        The range of the factors for rows and columns; a number ``z`` means ``(1 - z, 1 + z)``. Above 1 the image
        becomes smaller.
    channel_shift_range : float
        The largest shift of each channel's values, which stay within the range of the image.
    fill_mode : str
        What fills the area outside the image: the nearest pixel, `cval` (``'constant'``), the mirrored image
        (``'reflect'``) or the opposite side (``'wrap'``).
    cval : float
    horizontal_flip, vertical_flip : bool
        Whether to flip half of the images: left to right, top to bottom.
    rescale : float, optional
        A factor for all values.
    preprocessing_function : function, optional
        Takes an image and returns one of the same shape, before any normalization. The image is an array of floatx that
        the function may modify.
    data_format : str
        The layout: ``(samples, channels, height, width)`` or
        ``(samples, height, width, channels)``. Any number of channels will do.

    Raises
    ------
    ArgumentError
        If `shear_range` is not below a quarter turn.

    Notes
    -----
    Two flows with the same seed rotate, shift and flip their images alike, whatever their channels: for example one of
    images and one of their masks.

    :meth:`save_to_file` and ``keraflow.serialize`` keep what :meth:`fit` computed, up to a million numbers: the
    whitening of images larger than 31 by 31 is computed again.

    References
    ----------
    .. [1] P. Simard, D. Steinkraus and J. Platt, "Best practices for convolutional neural networks applied to visual
       document analysis", ICDAR, 2003.
    .. [2] A. Krizhevsky, "Learning multiple layers of features from tiny images", technical report, University of
       Toronto, 2009 (ZCA).

    Examples
    --------
    >>> images = np.random.default_rng(0).normal(size=(10, 1, 8, 8))
    >>> generator = ImageDataGenerator(rotation_range=10, horizontal_flip=True)
    >>> batches = generator.flow(images, np.arange(10), batch_size=4)
    >>> [(x.shape, y.shape) for x, y in batches]
    [((4, 1, 8, 8), (4,)), ((4, 1, 8, 8), (4,)), ((2, 1, 8, 8), (2,))]
    """

    learned_attributes = {'mean': _Statistics, 'std': _Statistics, 'principal_components': _Statistics}

    def __init__(self, featurewise_center: bool = False, samplewise_center: bool = False,
                 featurewise_std_normalization: bool = False, samplewise_std_normalization: bool = False,
                 zca_whitening: bool = False, rotation_range: NonNegative = 0., width_shift_range: _OfWidth = 0.,
                 height_shift_range: _OfHeight = 0., shear_range: NonNegative = 0.,
                 zoom_range: Union[Rate, Sequence[PositiveFloat]] = 0., channel_shift_range: NonNegative = 0.,
                 fill_mode: Literal['nearest', 'constant', 'reflect', 'wrap'] = 'nearest', cval: Finite = 0.,
                 horizontal_flip: bool = False, vertical_flip: bool = False, rescale: Optional[Finite] = None,
                 preprocessing_function: Optional[Function] = None, data_format: DataFormat = 'channels_first'):
        self.featurewise_center = featurewise_center
        self.samplewise_center = samplewise_center
        self.featurewise_std_normalization = featurewise_std_normalization
        self.samplewise_std_normalization = samplewise_std_normalization
        self.zca_whitening = zca_whitening
        self.rotation_range = rotation_range
        self.width_shift_range = width_shift_range
        self.height_shift_range = height_shift_range
        self.shear_range = shear_range
        self.zoom_range = zoom_range
        self.channel_shift_range = channel_shift_range
        self.fill_mode = fill_mode
        self.cval = cval
        self.horizontal_flip = horizontal_flip
        self.vertical_flip = vertical_flip
        self.rescale = rescale
        self.preprocessing_function = preprocessing_function
        self.data_format = data_format
        if shear_range >= math.pi / 2:
            raise ArgumentError('ImageDataGenerator: shear_range: expected radians below pi / 2, received '
                                f'{shear_range}. Of degrees write math.radians({shear_range}).')
        self._zoom = _limits(zoom_range)
        self.mean: Any = None
        self.std: Any = None
        self.principal_components: Any = None

    @checked
    def fit(self, x: Any, augment: bool = False, rounds: PositiveInt = 1, seed: Optional[Natural] = None) -> None:
        """Compute the statistics of the data set for normalization: ``mean``, ``std`` and ``principal_components``.

        Parameters
        ----------
        x : array of images
        augment : bool
            Whether to compute them on randomly varied images.
        rounds : int
            How many variants of each image to use then.
        seed : int, optional
            The seed of the variants.
        """
        images = self._images(x, 'fit')
        if augment:
            rng = _generator(seed)
            images = np.stack([self.random_transform(one, rng) for _ in range(rounds) for one in images])
        images = np.stack([self._prepare(one) for one in images])
        axes = tuple(axis for axis in range(4) if axis != self._channel_axis + 1)
        # In float64: float32 loses digits in sums over a data set.
        self.mean = images.mean(axes, 'float64', keepdims=True)[0]
        self.std = images.std(axes, 'float64', keepdims=True)[0]
        if self.zca_whitening:
            flat = self._by_feature(images).reshape(len(images), -1).astype('float64', copy=False)
            u, s, _ = np.linalg.svd(flat.T @ flat / len(flat))
            self.principal_components = (u / np.sqrt(s + 1e-5)) @ u.T   # bounds how much noise is amplified

    @checked
    def flow(self, x: Any, y: Any = None, batch_size: PositiveInt = 32, shuffle: bool = True,
             seed: Optional[Natural] = None) -> Flow:
        """Yield batches of varied and normalized images from an array.

        Parameters
        ----------
        x : array of images
            It may be memory-mapped: only the images of a batch are read.
        y : array, optional
            Targets; without them the batches are images alone.
        batch_size : int
        shuffle : bool
            Whether to shuffle the images anew in each epoch.
        seed : int, optional
            Makes order and variations independent of ``keraflow.seed``.

        Returns
        -------
        iterable of ``(x, y)`` or ``x``
            It has a length and can be iterated over repeatedly; each iteration is a new epoch.
        """
        self._check_fitted()
        return ArrayFlow(self._images(x, 'flow'), y, self._change, batch_size, shuffle, seed)

    @checked
    def flow_from_directory(self, directory: PathLike, target_size: Sequence[PositiveInt] = (256, 256),
                            color_mode: Literal['rgb', 'grayscale'] = 'rgb', classes: Optional[Sequence[str]] = None,
                            class_mode: Optional[Literal['categorical', 'binary', 'sparse']] = 'categorical',
                            batch_size: PositiveInt = 32, shuffle: bool = True,
                            seed: Optional[Natural] = None) -> Flow:
        """Yield batches of varied and normalized images from files, in a folder for each class.

        Parameters
        ----------
        directory : path
            ``DIRECTORY/CLASS/NAME.png`` (or another common ending).
        target_size : (height, width)
            The size to which all images are scaled.
        color_mode : str
            Whether to load three channels or one.
        classes : list of str, optional
            The folders, in the order of their class indices; by default all of them, by name.
        class_mode : str, optional
            The kind of targets: one-hot rows ``(samples, classes)``; a column of 0 and 1 for two classes; a column of
            class indices (``'sparse'``); or None for images alone.
        batch_size, shuffle, seed
            As for :meth:`flow`.
        """
        self._check_fitted()
        return FolderFlow(directory, classes, class_mode, color_mode == 'grayscale', target_size, self.data_format,
                          self._change, batch_size, shuffle, seed)

    def standardize(self, x: np.ndarray) -> np.ndarray:
        """Normalize one image."""
        self._check_fitted()
        x = self._by_feature(self._prepare(x))
        if self.zca_whitening:
            x = (x.reshape(-1) @ self.principal_components).reshape(x.shape)
        return x.astype(setting('floatx').value, copy=False)

    def random_transform(self, x: np.ndarray, rng: Optional[np.random.Generator] = None) -> np.ndarray:
        """Vary one image at random. It draws the same number of values whatever the image and the settings are."""
        rng = rng or random.generator()
        x = np.asarray(x, setting('floatx').value)
        image = x if self.data_format == 'channels_first' else np.moveaxis(x, -1, 0)
        turn, down, right, skew = rng.uniform(-1, 1, 4)
        shift = down * self.height_shift_range * image.shape[1], right * self.width_shift_range * image.shape[2]
        zoom = rng.uniform(*self._zoom, 2).tolist()
        flip = rng.random(2) < 0.5
        colours = rng.integers(2 ** 63)     # one draw, however many channels there are
        matrix = affine_matrix(turn * math.radians(self.rotation_range), shift, skew * self.shear_range, zoom)
        image = apply_transform(image, matrix, self.fill_mode, self.cval)
        if self.channel_shift_range:
            shifts = np.random.default_rng(colours).uniform(-1, 1, (len(image), 1, 1)) * self.channel_shift_range
            image = np.clip(image + shifts, image.min(), image.max())
        if self.horizontal_flip and flip[0]:
            image = image[:, :, ::-1]
        if self.vertical_flip and flip[1]:
            image = image[:, ::-1]
        return image if self.data_format == 'channels_first' else np.moveaxis(image, 0, -1)

    def _change(self, x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        return self.standardize(self.random_transform(x, rng))

    def _prepare(self, x: np.ndarray) -> np.ndarray:
        """Prepare an image as far as it needs no statistics of the data set."""
        x = np.array(x, setting('floatx').value)        # a copy, which the function may modify
        if self.preprocessing_function is not None:
            x = self.preprocessing_function(x)
        if self.rescale is not None:
            x = x * self.rescale
        if self.samplewise_center:
            x = x - x.mean()
        return x / (x.std() + _EPSILON) if self.samplewise_std_normalization else x

    def _by_feature(self, x: np.ndarray) -> np.ndarray:
        if self.featurewise_center:
            x = x - self.mean
        return x / (self.std + _EPSILON) if self.featurewise_std_normalization else x

    @property
    def _channel_axis(self) -> int:
        return 0 if self.data_format == 'channels_first' else 2

    def _images(self, x: Any, where: str) -> Any:
        shape = np.shape(x)
        problem = f'{where}: expected images in an array {_FORMATS[self.data_format]}, received shape {shape}.'
        if len(shape) != 4 or 0 in shape:
            raise DataError(f'{problem} Reshape them.')
        channels, others = shape[self._channel_axis + 1], shape[3 if self._channel_axis == 0 else 1]
        if channels not in _USUAL_CHANNELS and others in _USUAL_CHANNELS:
            other = next(name for name in _FORMATS if name != self.data_format)
            raise DataError(f"{problem} They look as if they had {others} channel(s) on the other side: write "
                            f"data_format='{other}'.")
        return x

    def _check_fitted(self) -> None:
        needed = [name for name in ('featurewise_center', 'featurewise_std_normalization', 'zca_whitening')
                  if getattr(self, name)]
        if needed and (self.mean is None or self.zca_whitening and self.principal_components is None):
            raise DataError(f'ImageDataGenerator: {", ".join(needed)}: mean and deviation of the data set are not '
                            'known. Call fit(x) first.')


#: Lengths that tell which axis has the channels: hardly any image is that narrow.
_USUAL_CHANNELS = (1, 3, 4)
_FORMATS = {'channels_first': '(samples, channels, height, width)',
            'channels_last': '(samples, height, width, channels)'}


def _limits(zoom_range: Any) -> Tuple[float, float]:
    if not isinstance(zoom_range, (list, tuple)):
        return 1 - zoom_range, 1 + zoom_range
    if len(zoom_range) != 2 or zoom_range[0] > zoom_range[1]:
        raise ArgumentError('ImageDataGenerator: zoom_range: expected a number or (lowest, highest), '
                            f'received {zoom_range!r}.')
    return zoom_range[0], zoom_range[1]


def _generator(seed: Optional[int]) -> np.random.Generator:
    return random.generator() if seed is None else np.random.default_rng(seed)
