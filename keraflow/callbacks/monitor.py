"""Callbacks that watch whether a value improves."""
import math
from typing import Literal, Optional, Sequence

from keraflow.callbacks.callback import CheckedCallback
from keraflow.errors import ArgumentError, nearest
from keraflow.schema import NonNegative

__all__ = ['MonitoringCallback', 'Mode', 'check_name', 'check_validation']

Mode = Literal['auto', 'min', 'max']


class MonitoringCallback(CheckedCallback):
    """Base of callbacks that watch a loss or a metric.

    Parameters
    ----------
    monitor : str
        A name in the logs of an epoch: ``'loss'``, a metric, or either with ``val_``, such as ``'val_loss'``.
        A name that ``fit`` does not report is an error before the first epoch.
    mode : {'auto', 'min', 'max'}
        Whether lower or higher is better. ``'auto'`` asks ``larger_is_better`` of a metric and takes lower for losses;
        it is an error, before the first epoch, for a metric of the program that does not say.
    min_delta : float
        How much better than the best value so far a value must be.
    """

    def __init__(self, monitor: str = 'val_loss', mode: Mode = 'auto', min_delta: NonNegative = 0.):
        self.monitor = monitor
        self.mode = mode
        self.min_delta = min_delta

    def check_names(self, names: Sequence[str]) -> None:
        check_name(self.monitor, names, f'{self.where}: monitor')
        self._larger_is_better()        # raises before training if nothing says

    def is_better(self, value: float, best: Optional[float]) -> bool:
        """Return whether a value is better than the best so far (``None``: none yet). NaN and infinity never are."""
        if not math.isfinite(value):
            return False
        if best is None:
            return True
        return (value - best if self._larger_is_better() else best - value) > self.min_delta

    def _larger_is_better(self) -> bool:
        if self.mode != 'auto':
            return self.mode == 'max'
        known = None if self.model is None else self.model.larger_is_better(self.monitor)
        if known is None:
            raise ArgumentError(f"{self.where}: mode: expected 'min' or 'max', because nothing says whether more of "
                                f"'{self.monitor}' is better, received 'auto'. Write mode='max' if it is, or let the "
                                'metric say larger_is_better.')
        return known


def check_name(name: str, names: Sequence[str], where: str) -> None:
    """Raise unless `name` is one of `names`."""
    check_validation(name, names, where)
    if name not in names:
        raise ArgumentError(f"{where}: expected one of {', '.join(names)}, received '{name}'. {nearest(name, names)}")


def check_validation(name: str, names: Sequence[str], where: str) -> None:
    """Raise if `name` is one of `names` but for the validation, which there is not."""
    if name not in names and name.startswith('val_') and name[4:] in names:
        raise ArgumentError(f"{where}: there is no '{name}' without validation. "
                            'Pass validation_data or validation_split to fit.')
