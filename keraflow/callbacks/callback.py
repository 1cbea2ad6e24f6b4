"""The base of callbacks, and several callbacks as one."""
from typing import Any, Dict, Sequence

from keraflow import schema

__all__ = ['Callback', 'CallbackList', 'CheckedCallback']


class Callback:
    """Base of callbacks: define the hooks you need.

    ``self.model`` is the model that trains. ``self.model.stop_training = True`` ends training after the current batch.

    Notes
    -----
    An error in a hook reaches the caller of ``fit``. The model then has the weights of the last complete batch, and no
    further hook is called.

    Examples
    --------
    >>> class StopWhenGood(Callback):
    ...     def on_epoch_end(self, epoch, logs):
    ...         self.model.stop_training = logs['loss'] < 0.1
    """

    model: Any = None

    def check_names(self, names: Sequence[str]) -> None:
        """Before all hooks: raise if the callback cannot work with what ``fit`` will report by these names."""

    def on_train_begin(self, logs: Dict[str, Any]) -> None:
        """Before the first epoch; `logs` is empty."""

    def on_train_end(self, logs: Dict[str, Any]) -> None:
        """After the last epoch, also after an interruption; `logs` are those of the last complete epoch."""

    def on_epoch_begin(self, epoch: int, logs: Dict[str, Any]) -> None:
        """Before the first batch of an epoch, counted from 0; `logs` is empty."""

    def on_epoch_end(self, epoch: int, logs: Dict[str, Any]) -> None:
        """After an epoch and its validation; `logs` are what goes into the history, and ``data_wait``: the share of
        the time of training that was spent waiting for data."""

    def on_batch_begin(self, batch: int, logs: Dict[str, Any]) -> None:
        """Before a batch, counted from 0 in each epoch; `logs` has its ``size``."""

    def on_batch_end(self, batch: int, logs: Dict[str, Any]) -> None:
        """After a batch; `logs` has its ``size``, loss and metrics."""


class CheckedCallback(Callback):
    """A callback whose constructor's arguments are checked against their annotations."""

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        schema.bind(cls, args, kwargs, {})
        return super().__new__(cls)

    @property
    def where(self) -> str:
        """The start of a message."""
        return f'{self.model.name}: {type(self).__name__}'


class CallbackList:
    """Several callbacks as one."""

    def __init__(self, callbacks: Sequence[Callback], model: Any):
        self.callbacks = list(callbacks)
        for callback in self.callbacks:
            callback.model = model

    def __bool__(self) -> bool:
        return bool(self.callbacks)

    def call(self, method: str, *args: Any) -> None:
        """Call a method of each callback in order."""
        for callback in self.callbacks:
            getattr(callback, method)(*args)
