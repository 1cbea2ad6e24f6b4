"""Batches of images, drawn afresh each time they are iterated over: ``fit`` takes them in place of arrays."""
import os
from typing import Any, Callable, Dict, Iterator, List, Optional, Sequence, Set, Tuple, Union

import numpy as np

from keraflow import random
from keraflow.config import setting
from keraflow.errors import DataError, warn
from keraflow.files.regular import PathLike
from keraflow.preprocessing.pictures import DataFormat, img_to_array, load_img

__all__ = ['ArrayFlow', 'Flow', 'FolderFlow']

Batch = Union[np.ndarray, Tuple[np.ndarray, np.ndarray]]
#: Makes a new image from an image, with numbers from a generator.
Change = Callable[[np.ndarray, np.random.Generator], np.ndarray]

_EXTENSIONS = ('.bmp', '.gif', '.jpeg', '.jpg', '.png', '.tif', '.tiff', '.webp')


class Flow:
    """An iterable of batches, ``(x, y)`` or ``x`` alone; the last one of an epoch may be smaller.

    Each iteration is one epoch. Its order and its changes are a function of the seed, of the flow's number since
    ``keraflow.seed``, and of the epoch; or of its own seed. Other draws, in any thread, have no effect.
    """

    def __init__(self, nb_sample: int, change: Change, batch_size: int, shuffle: bool, seed: Optional[int]):
        self.nb_sample = nb_sample
        self.batch_size = batch_size
        self.shuffle = shuffle
        self._change = change
        self._own = None if seed is None else np.random.default_rng(seed)
        self._epochs = random.Epochs(is_counted=seed is None)

    def __len__(self) -> int:
        return -(-self.nb_sample // self.batch_size)

    def __iter__(self) -> Iterator[Batch]:
        # No generator function: an epoch begins here, with its number, and not with its first batch.
        rng = self._epochs.next_generator() if self._own is None else np.random.default_rng(self._own.integers(2 ** 63))
        order = rng.permutation(self.nb_sample) if self.shuffle else np.arange(self.nb_sample)
        starts = range(0, self.nb_sample, self.batch_size)
        return (self._batch(order[start:start + self.batch_size], rng) for start in starts)

    def get_state(self) -> Any:
        """Return as plain data what the next epoch is drawn from."""
        return {'epochs': [self._epochs.seed, self._epochs.number, self._epochs.epoch],
                'own': None if self._own is None else self._own.bit_generator.state}

    def set_state(self, state: Any) -> None:
        """Draw the next epoch from what :meth:`get_state` returned, such as that of a training that is resumed."""
        self._epochs.begin(*state['epochs'])
        self._own = None if state['own'] is None else random.sequence_of(state['own'])

    def _batch(self, chosen: np.ndarray, rng: np.random.Generator) -> Batch:
        x = np.stack([self._change(self._image(at), rng) for at in chosen])
        y = self._targets(chosen)
        return x if y is None else (x, y)

    def _image(self, at: int) -> np.ndarray:
        raise NotImplementedError

    def _targets(self, chosen: np.ndarray) -> Optional[np.ndarray]:
        raise NotImplementedError


class ArrayFlow(Flow):
    """Batches from an array of images, which may be memory-mapped.

    Raises
    ------
    DataError
        There are not as many targets as images.
    """

    def __init__(self, x: Any, y: Any, *settings: Any):
        super().__init__(len(x), *settings)
        if y is not None and len(y) != len(x):
            raise DataError(f'flow: expected a target for each of {len(x)} images, received {len(y)}.')
        self.x = x
        self.y = None if y is None else np.asarray(y)

    def _image(self, at: int) -> np.ndarray:
        return np.asarray(self.x[at], setting('floatx').value)

    def _targets(self, chosen: np.ndarray) -> Optional[np.ndarray]:
        return None if self.y is None else self.y[chosen]


class FolderFlow(Flow):
    """Batches from image files, in a folder for each class.

    Attributes
    ----------
    filenames : list of str
        Paths relative to the folder, in order.
    classes : array
        The class index of each file.
    class_indices : dict
        The index of each class, by name.

    Raises
    ------
    DataError
        The folder, one for a class, or any image is missing, or `class_mode` does not fit the number of classes.
    """

    def __init__(self, directory: PathLike, classes: Optional[Sequence[str]], class_mode: Optional[str],
                 grayscale: bool, target_size: Sequence[int], data_format: DataFormat, *settings: Any):
        folder = os.fspath(directory)
        there = _subfolders(folder)
        names = there if classes is None else list(classes)
        for name in names:
            if name not in there:
                raise DataError(f"{folder}: there is no folder for the class '{name}'. The folders are "
                                f"{', '.join(there) or 'none'}.")
        self.class_indices: Dict[str, int] = {name: at for at, name in enumerate(names)}
        by_class = {name: _images(folder, name) for name in names}
        found = [(file, at) for at, files in enumerate(by_class.values()) for file in files]
        if not found:
            raise DataError(f'{folder}: there are no images. Put those of each class into a folder of its own, as '
                            f'CLASS/NAME with an ending of {", ".join(_EXTENSIONS)}.')
        if class_mode == 'binary' and len(names) != 2:
            raise DataError(f"{folder}: class_mode 'binary' needs 2 classes, there are {len(names)} "
                            f"({', '.join(names)}). Write class_mode='categorical'.")
        for name, files in by_class.items():
            if not files:
                warn(f"{folder}: there are no images of the class '{name}'.")
        super().__init__(len(found), *settings)
        self.filenames = [file for file, _ in found]
        self.classes = np.array([at for _, at in found])
        self.class_mode = class_mode
        self._folder = folder
        self._read = (grayscale, target_size, data_format)

    def _image(self, at: int) -> np.ndarray:
        grayscale, target_size, data_format = self._read
        image = img_to_array(load_img(os.path.join(self._folder, self.filenames[at]), grayscale, target_size))
        if len(image) == 1 and not grayscale:       # a file with more than 8 bits
            image = np.repeat(image, 3, axis=0)
        return image if data_format == 'channels_first' else np.moveaxis(image, 0, -1)

    def _targets(self, chosen: np.ndarray) -> Optional[np.ndarray]:
        numbers = self.classes[chosen]
        if self.class_mode is None:
            return None
        if self.class_mode == 'categorical':
            return np.eye(len(self.class_indices), dtype=setting('floatx').value)[numbers]
        return numbers.astype(setting('floatx').value if self.class_mode == 'binary' else 'int32')[:, None]


def _subfolders(folder: str) -> List[str]:
    if not os.path.isdir(folder):
        raise DataError(f'{folder}: there is no such folder. Pass one that has a folder of images for each class.')
    return [entry.name for entry in _visible(folder) if entry.is_dir()]


def _images(folder: str, name: str, seen: Optional[Set[str]] = None) -> List[str]:
    """List the images in a subfolder and below it, as paths relative to `folder`; links that lead back are left out."""
    path = os.path.join(folder, name)
    above = {os.path.realpath(path), *(seen or ())}
    found: List[str] = []
    for entry in _visible(path):
        below = os.path.join(name, entry.name)
        if entry.is_dir() and os.path.realpath(entry) not in above:
            found += _images(folder, below, above)
        elif entry.is_file() and entry.name.lower().endswith(_EXTENSIONS):
            found.append(below)
    return found


def _visible(folder: str) -> List['os.DirEntry[str]']:
    """List the visible entries of a folder, by name."""
    return sorted((entry for entry in os.scandir(folder) if not entry.name.startswith('.')), key=lambda it: it.name)
