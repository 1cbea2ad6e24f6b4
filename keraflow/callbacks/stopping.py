"""Callbacks that end training."""
from typing import Any, Dict, Optional

from keraflow import backend as B
from keraflow.callbacks.callback import CheckedCallback
from keraflow.callbacks.monitor import Mode, MonitoringCallback
from keraflow.data.arrays import not_finite
from keraflow.errors import NotFiniteError, warn
from keraflow.schema import Finite, Natural, NonNegative

__all__ = ['EarlyStopping', 'TerminateOnNaN']


class EarlyStopping(MonitoringCallback):
    """End training when a value stops improving.

    Each ``fit`` starts fresh, also with the same object: the best value and the count are those of its own epochs.

    Parameters
    ----------
    monitor, mode, min_delta
        As for :class:`~keraflow.callbacks.ModelCheckpoint`.
    patience : int
        Stop after more than this many epochs in a row without improvement; with 0, after the first.
    baseline : float, optional
        Epochs that do not beat this value count against the patience, even if they are the best so far.
    restore_best_weights : bool
        Whether to restore the weights of the best epoch when training ends, by itself or by Ctrl-C, even if no epoch
        beat the baseline.

    Attributes
    ----------
    best : float or None
        The best value; ``None`` if all values were NaN or infinite.
    best_epoch, stopped_epoch : int or None
        Counted from 0; `stopped_epoch` is ``None`` unless this callback ended training.

    References
    ----------
    .. [1] L. Prechelt, "Early stopping - but when?", Neural Networks: Tricks of the Trade, Springer, 1998.

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
        self.best: Optional[float] = None
        self.best_epoch: Optional[int] = None
        self.stopped_epoch: Optional[int] = None
        self._nb_worse = 0
        self._weights: Any = None

    def on_epoch_end(self, epoch: int, logs: Dict[str, Any]) -> None:
        value, self._nb_worse = logs[self.monitor], self._nb_worse + 1
        if self.is_better(value, self.best):
            self.best, self.best_epoch = value, epoch
            if self.restore_best_weights:
                self._weights = self.model.get_weights()
            if self.baseline is None or self.is_better(value, self.baseline):
                self._nb_worse = 0
        if self._nb_worse > self.patience:
            self.stopped_epoch = epoch
            self.model.stop_training = True

    def on_train_end(self, logs: Dict[str, Any]) -> None:
        if self._weights is not None:
            self.model.set_weights(self._weights)

    def close(self) -> None:
        self._weights = None


class TerminateOnNaN(CheckedCallback):
    """End training, with a warning and no error, where the loss of a batch, or a gradient, is NaN or infinite.

    The model keeps weights, states and the optimizer as they were before that batch, and `fit` returns the history; the
    loss of its last epoch is that of the batch. An epoch that leaves weights which are NaN or infinite ends training,
    too. As these are not to be trained on, the model gets back those of the end of the epoch before, and so does the
    optimizer; they are copied at the end of each epoch.

    Parameters
    ----------
    restore_weights : bool
        Pass False to inspect the broken weights, or to save the memory of the copies.

    Examples
    --------
    >>> TerminateOnNaN().restore_weights
    True
    """

    _kept: Dict[str, Any] = {}

    def __init__(self, restore_weights: bool = True):
        self.restore_weights = restore_weights

    def on_train_begin(self, logs: Dict[str, Any]) -> None:
        self._kept = self._values()

    def on_not_finite(self, error: NotFiniteError) -> None:
        self._end(f'{error.problem}.', are_broken=bool(not_finite(self._values())))

    def on_epoch_end(self, epoch: int, logs: Dict[str, Any]) -> None:
        if self.model.stop_training:
            return
        values = self._values()
        if not_finite(values):
            self._end(f'epoch {epoch + 1} has left weights that are NaN or infinite.', are_broken=True)
        else:
            self._kept = values

    def close(self) -> None:
        self._kept = {}

    def _values(self) -> Dict[str, Any]:
        if not self.restore_weights:
            return self.model.get_weights()
        return {name: B.get_value(variable) for name, variable in self.model.training_variables().items()}

    def _end(self, reason: str, are_broken: bool) -> None:
        warn(f'{self.where}: {reason} Training ends. Try a lower learning rate, or clipnorm.')
        self.model.stop_training = True
        if are_broken and self.restore_weights:
            for name, variable in self.model.training_variables().items():
                B.set_value(variable, self._kept[name])
