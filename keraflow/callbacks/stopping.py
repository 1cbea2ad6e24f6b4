"""Callbacks that end training."""
import math
from typing import Any, Dict, Optional

from keraflow.callbacks.callback import CheckedCallback
from keraflow.callbacks.monitor import Mode, MonitoringCallback
from keraflow.errors import warn
from keraflow.schema import Finite, Natural, NonNegative

__all__ = ['EarlyStopping', 'TerminateOnNaN']


class EarlyStopping(MonitoringCallback):
    """End training when a number has not got better for some epochs.

    Each ``fit`` begins anew, also with the same object: the best value and the count are those of its own epochs.

    Parameters
    ----------
    monitor, mode, min_delta
        As for :class:`~keraflow.callbacks.ModelCheckpoint`.
    patience : int
        How many epochs in a row may be no better. Training ends with the first one beyond them; with 0, with the first
        one that is no better.
    baseline : float, optional
        Until an epoch is better than this, no epoch counts as better.
    restore_best_weights : bool
        Whether the model has the weights of the best epoch when training ends, also with the last epoch or by Ctrl-C.

    Attributes
    ----------
    best : float or None
        The best value (or the baseline).
    best_epoch, stopped_epoch : int or None
        Counted from 0; `stopped_epoch` is ``None`` if training was not ended by this callback.

    References
    ----------
    L. Prechelt, 1998: Early stopping - but when?

    Examples
    --------
    >>> EarlyStopping('val_acc', patience=3, restore_best_weights=True).patience
    3
    """

    def __init__(self, monitor: str = 'val_loss', min_delta: NonNegative = 0., patience: Natural = 0,
                 mode: Mode = 'auto', baseline: Optional[Finite] = None, restore_best_weights: bool = False):
        super().__init__(monitor, mode, min_delta)
        self.patience = patience
        self.baseline = baseline
        self.restore_best_weights = restore_best_weights

    def on_train_begin(self, logs: Dict[str, Any]) -> None:
        self.best = self.baseline
        self.best_epoch: Optional[int] = None
        self.stopped_epoch: Optional[int] = None
        self._nb_worse = 0
        self._weights: Any = None

    def on_epoch_end(self, epoch: int, logs: Dict[str, Any]) -> None:
        if self.is_better(logs[self.monitor], self.best):
            self.best, self.best_epoch, self._nb_worse = logs[self.monitor], epoch, 0
            if self.restore_best_weights:
                self._weights = self.model.get_weights()
            return
        self._nb_worse += 1
        if self._nb_worse > self.patience:
            self.stopped_epoch = epoch
            self.model.stop_training = True

    def on_train_end(self, logs: Dict[str, Any]) -> None:
        if self._weights is not None:
            self.model.set_weights(self._weights)
            self._weights = None


class TerminateOnNaN(CheckedCallback):
    """End training after a batch whose loss is NaN or infinite, with a warning.

    Examples
    --------
    >>> TerminateOnNaN().model is None
    True
    """

    def on_batch_end(self, batch: int, logs: Dict[str, Any]) -> None:
        if not math.isfinite(logs['loss']):
            warn(f'{self.where}: the loss of batch {batch} is {logs["loss"]}. Training ends. '
                 'Try a lower learning rate, or clipnorm.')
            self.model.stop_training = True
