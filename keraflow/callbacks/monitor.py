"""Callbacks that watch whether one number gets better."""
import math
from typing import Literal, Optional, Sequence

from keraflow.callbacks.callback import CheckedCallback
from keraflow.errors import ArgumentError, nearest
from keraflow.schema import NonNegative

__all__ = ['MonitoringCallback', 'Mode', 'check_name']

Mode = Literal['auto', 'min', 'max']
#: What is better when it is larger has one of these in its name.
_LARGER_IS_BETTER = ('acc', 'auc', 'precision', 'recall')


class MonitoringCallback(CheckedCallback):
    """Base of callbacks that watch a loss or a metric.

    Parameters
    ----------
    monitor : str
        A name in the logs of an epoch: ``'loss'``, a metric, or one of both of the validation, such as ``'val_loss'``.
        A name that ``fit`` does not report is an error before the first epoch.
    mode : {'auto', 'min', 'max'}
        Whether less or more is better. ``'auto'``: more for a name with ``acc``, ``auc``, ``precision`` or ``recall``
        in it, else less.
    min_delta : float
        By how much a value must exceed the best one so far in order to be better.
    """

    def __init__(self, monitor: str = 'val_loss', mode: Mode = 'auto', min_delta: NonNegative = 0.):
        self.monitor = monitor
        self.mode = mode
        self.min_delta = min_delta

    def check_names(self, names: Sequence[str]) -> None:
        check_name(self.monitor, names, f'{self.where}: monitor')

    def is_better(self, value: float, best: Optional[float]) -> bool:
        """Whether a value is better than the best so far (``None``: there is none). NaN and infinity never are."""
        if not math.isfinite(value):
            return False
        if best is None:
            return True
        more = any(word in self.monitor.lower() for word in _LARGER_IS_BETTER) if self.mode == 'auto' \
            else self.mode == 'max'
        return (value - best if more else best - value) > self.min_delta


def check_name(name: str, names: Sequence[str], where: str) -> None:
    """Raise unless `name` is one of `names`."""
    if name in names:
        return
    if name.startswith('val_') and name[4:] in names:
        raise ArgumentError(f"{where}: there is no '{name}' without validation. "
                            'Pass validation_data or validation_split to fit.')
    raise ArgumentError(f"{where}: expected one of {', '.join(names)}, received '{name}'. {nearest(name, names)}")
