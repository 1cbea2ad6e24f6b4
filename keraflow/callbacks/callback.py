"""The base class of callbacks, and a list of callbacks as one."""
from typing import Any, Dict, Optional, Sequence

from keraflow import schema
from keraflow.errors import note
from keraflow.serialization.reserved import check_class_names

__all__ = ['Callback', 'CallbackList', 'CheckedCallback']


class Callback:
    """Base of callbacks: define the hooks you need.

    ``self.model`` is the model that trains. ``self.model.stop_training = True`` ends training after the current batch.
    The `logs` passed to a hook are its own copy: no other callback sees what it changes there.

    Notes
    -----
    An error in a hook reaches the caller of ``fit``, with a note that names the hook and the callback.
    The model then has the weights of the last complete batch, and no further hook is called but :meth:`close`.

    Examples
    --------
    >>> class StopWhenGood(Callback):
    ...     def on_epoch_end(self, epoch, logs):
    ...         self.model.stop_training = logs['loss'] < 0.1
    """

    kind = 'callback'
    extensible_methods: frozenset = frozenset()
    required_methods: Dict[str, tuple] = {}
    model: Any = None

    def __init_subclass__(cls, **kwargs: Any):
        check_class_names(cls)
        super().__init_subclass__(**kwargs)

    def check_names(self, names: Sequence[str]) -> None:
        """Raise if the callback cannot work with the names that ``fit`` will report; called before all hooks."""

    def on_train_begin(self, logs: Dict[str, Any]) -> None:
        """Run before the first epoch; `logs` is empty."""

    def on_train_end(self, logs: Dict[str, Any]) -> None:
        """Run after the last epoch, also after an interruption; `logs` are those of the last complete epoch."""

    def on_epoch_begin(self, epoch: int, logs: Dict[str, Any]) -> None:
        """Run before the first batch of an epoch, counted from 0; `logs` is empty."""

    def on_epoch_end(self, epoch: int, logs: Dict[str, Any]) -> None:
        """Run after an epoch and its validation; `logs` are what goes into the history, and ``data_wait``: the share of
        the training time that was spent waiting for data."""

    def on_batch_begin(self, batch: int, logs: Dict[str, Any]) -> None:
        """Run before a batch, counted from 0 in each epoch; `logs` has its ``size``."""

    def on_batch_end(self, batch: int, logs: Dict[str, Any]) -> None:
        """Run after a batch; `logs` has its ``size``, loss and metrics."""

    def close(self) -> None:
        """Release what the callback holds, when ``fit`` is over, however it ended.

        It is called once for each callback, after all other hooks, and also after an error in any callback; in that
        case the callback may not have reached ``on_train_begin``.
        """


class CheckedCallback(Callback):
    """A callback whose constructor checks its arguments against their annotations."""

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        # Here, each class is checked once, by its own signature, whatever its __init__ passes to that of its base.
        schema.bind(cls, args, kwargs, {})
        return super().__new__(cls)

    @property
    def where(self) -> str:
        """The start of a message."""
        return type(self).__name__ if self.model is None else f'{self.model.name}: {type(self).__name__}'


class CallbackList:
    """A list of callbacks as one."""

    def __init__(self, callbacks: Sequence[Callback], model: Any):
        self.callbacks = list(callbacks)
        for callback in self.callbacks:
            callback.model = model

    def __bool__(self) -> bool:
        return bool(self.callbacks)

    @property
    def follow_batches(self) -> bool:
        """Whether a callback defines a hook for batches, so that they must be run one by one."""
        return any(getattr(getattr(callback, hook), '__func__', None) is not getattr(Callback, hook)
                   for callback in self.callbacks for hook in ('on_batch_begin', 'on_batch_end'))

    def call(self, method: str, *args: Any) -> None:
        """Call a method of each callback in order, each with its own copy of a dict."""
        for number, callback in enumerate(self.callbacks):
            try:
                getattr(callback, method)(*(dict(it) if isinstance(it, dict) else it for it in args))
            except Exception as error:
                note(error, self._told(method, number))
                raise

    def close(self, after: Optional[BaseException] = None) -> None:
        """Close all callbacks, even if some fail. Their errors are added as notes to the one that ended `fit`, if any;
        else the first is raised."""
        first: Optional[Exception] = None
        for number, callback in enumerate(self.callbacks):
            try:
                callback.close()
            except Exception as error:
                note(error, self._told('close', number))
                if after is not None:
                    note(after, f'{self._told("close", number)}: {type(error).__name__}: {error}')
                first = first or error
        if first is not None and after is None:
            raise first

    def _told(self, method: str, number: int) -> str:
        callback = self.callbacks[number]
        return f'{callback.model.name}: in {method} of the callback {type(callback).__name__} (number {number})'
