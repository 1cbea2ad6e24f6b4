"""Turn weights of classes into weights of samples."""
from typing import Annotated, Any, Dict, Sequence

import numpy as np

from keraflow import schema
from keraflow.data.array_spec import ArraySpec
from keraflow.errors import ArgumentError, DataError, warn
from keraflow.schema import Finite, Natural, Rule

__all__ = ['ClassWeight']

_Given = Annotated[Dict[Natural, Finite], Rule('a dict from numbers of classes to weights', lambda value: True)]


class ClassWeight:
    """Compute a weight for each sample from its target: that of its class, or 1 for classes that are not named.

    The targets are class indices (``(samples, 1)``, for a loss that takes them), one-hot rows (``(samples,
    nb_class)``), or 0 and 1 (``(samples, 1)``).

    Parameters
    ----------
    given : dict
        Weights by number of class. A negative one causes a warning, as among those of samples.
    specs : sequence of ArraySpec
        What targets must be like. There must be one, with a class for each sample.
    dtype : str
        The dtype of the weights.
    where : str
        Start of a message.

    Raises
    ------
    ArgumentError
        If the model has no such target, a class does not exist, or the dtype cannot hold a weight.

    Examples
    --------
    >>> weigh = ClassWeight({1: 3.}, [ArraySpec('y', (None, 2), 'float32')], 'float32', 'class_weight')
    >>> weigh(np.array([[1., 0.], [0., 1.]]), None, 'fit').tolist()
    [1.0, 3.0]
    """

    def __init__(self, given: Dict[int, float], specs: Sequence[ArraySpec], dtype: str, where: str):
        schema.check(given, _Given, where)
        if len(specs) > 1 or len(specs[0].shape) != 2:
            raise ArgumentError(f'{where}: expected a model with one output and one class for each sample, '
                                f'received {", ".join(f"{spec.name} {spec.shape}" for spec in specs)}. '
                                'Pass sample_weights instead.')
        self._spec = specs[0]
        nb_class = self._spec.nb_class or max(self._spec.shape[1] or 0, 2)
        for number in given:
            if number >= nb_class:
                raise ArgumentError(f'{where}: expected classes from 0 to {nb_class - 1}, received {number}.')
        self._weights = np.ones(nb_class, dtype)
        for number, weight in given.items():
            with np.errstate(over='ignore'):
                self._weights[number] = weight
            if not np.isfinite(self._weights[number]):
                raise ArgumentError(f'{where}: expected weights that {dtype} can hold, received {weight:g}.')
            if weight < 0:
                warn(f'{where}: there is a negative weight for class {number}: training moves away from its samples.')

    def __call__(self, targets: Any, sample_weights: Any, where: str) -> np.ndarray:
        """Return the weights of samples (``None``: all 1), multiplied by those of their classes.

        Raises
        ------
        DataError
            If a sample has no class, or several.
        """
        weights = self._weights[self._classes(targets, where)]
        return weights if sample_weights is None else weights * sample_weights

    def _classes(self, targets: np.ndarray, where: str) -> Any:
        if self._spec.nb_class is not None:
            return np.where(targets[:, 0] == self._spec.ignored, 0, targets[:, 0])      # any class, for no loss
        is_class = ((targets == 0) | (targets == 1)).all(axis=1)
        if targets.shape[1] > 1:
            is_class &= targets.sum(axis=1) == 1
        if not is_class.all():
            expected = 'a 1 for one class and else 0' if targets.shape[1] > 1 else '0 or 1'
            sample = int(np.argmin(is_class))
            raise DataError(f'{where}: class_weight: expected {expected} in each target, received '
                            f'{targets[sample].tolist()} in sample {sample}. Pass sample_weights instead.')
        return targets.argmax(axis=1) if targets.shape[1] > 1 else targets[:, 0].astype('int64')
