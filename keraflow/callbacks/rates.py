"""Callbacks that set the learning rate."""
from typing import Annotated, Any, Callable, Dict, Optional, Sequence

from keraflow.arguments import takes
from keraflow.callbacks.callback import CheckedCallback
from keraflow.callbacks.monitor import Mode, MonitoringCallback
from keraflow.errors import ArgumentError
from keraflow.schema import Beta, Natural, NonNegative, Rule

__all__ = ['LearningRateScheduler', 'ReduceLROnPlateau']


class LearningRateScheduler(CheckedCallback):
    """Set the learning rate before each epoch.

    Parameters
    ----------
    schedule : function
        Takes the epoch, counted from 0 (or ``initial_epoch`` of ``fit``), and returns the learning rate.

    Examples
    --------
    >>> halving = LearningRateScheduler(lambda epoch: 0.1 * 0.5 ** epoch)
    >>> halving.schedule(2)
    0.025
    """

    def __init__(self, schedule: Annotated[Callable, Rule('a function from the epoch alone to a rate',
                                                          lambda function: takes(function, 0))]):
        self.schedule = schedule

    def check_names(self, names: Sequence[str]) -> None:
        _check_rate(self)

    def on_epoch_begin(self, epoch: int, logs: Dict[str, Any]) -> None:
        self.model.optimizer.lr = self.schedule(epoch)


class ReduceLROnPlateau(MonitoringCallback):
    """Lower the learning rate when a value stops improving: ``lr = max(lr * factor, min_lr)``.

    Each ``fit`` starts fresh, also with the same object: the best value and the counts are those of its own epochs.
    The lowered learning rate stays.

    Parameters
    ----------
    monitor, mode
        As for :class:`~keraflow.callbacks.ModelCheckpoint`.
    factor : float
        Above 0 and below 1.
    patience : int
        Lower the rate after this many epochs in a row without improvement (at least one).
    min_delta : float
        How much better than the best value so far a value must be.
    cooldown : int
        Ignore this many epochs after the rate was lowered.
    min_lr : float
        The lowest rate to set.

    Examples
    --------
    >>> ReduceLROnPlateau('loss', factor=0.5, patience=5).factor
    0.5
    """

    def __init__(self, monitor: str = 'val_loss', factor: Beta = 0.1, patience: Natural = 10, mode: Mode = 'auto',
                 min_delta: NonNegative = 1e-4, cooldown: Natural = 0, min_lr: NonNegative = 0.):
        super().__init__(monitor, mode, min_delta)
        self.factor = factor
        self.patience = patience
        self.cooldown = cooldown
        self.min_lr = min_lr

    def check_names(self, names: Sequence[str]) -> None:
        super().check_names(names)
        _check_rate(self)

    def on_train_begin(self, logs: Dict[str, Any]) -> None:
        self._best: Optional[float] = None
        self._nb_worse = self._nb_rest = 0

    def on_epoch_end(self, epoch: int, logs: Dict[str, Any]) -> None:
        if self._nb_rest:
            self._nb_rest -= 1
            self._nb_worse = 0
        if self.is_better(logs[self.monitor], self._best):
            self._best, self._nb_worse = logs[self.monitor], 0
        elif not self._nb_rest:
            self._nb_worse += 1
            if self._nb_worse >= self.patience:
                self._lower()

    def _lower(self) -> None:
        optimizer = self.model.optimizer
        # Never raise a rate that is below min_lr already.
        optimizer.lr = min(optimizer.lr, max(optimizer.lr * self.factor, self.min_lr))
        self._nb_worse, self._nb_rest = 0, self.cooldown


def _check_rate(callback: CheckedCallback) -> None:
    optimizer = callback.model.optimizer
    if callable(optimizer.lr):
        raise ArgumentError(f'{callback.where}: expected an optimizer whose lr is a number, received '
                            f'{type(optimizer).__name__} with a schedule. Leave one of the two out.')
