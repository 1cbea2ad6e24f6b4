"""The base class of callbacks, and a list of callbacks as one."""
import inspect
import os
from types import ModuleType
from typing import Any, Dict, List, Optional, Sequence, Set, Tuple

import numpy as np

from keraflow import schema
from keraflow.errors import ArgumentTypeError, NotFiniteError, describe, note, warn
from keraflow.files.packing import is_plain
from keraflow.serialization.reserved import check_class_names

__all__ = ['Callback', 'CallbackList', 'CheckedCallback', 'arguments_of']

#: What `fit` sets.
_OF_FIT = frozenset({'model', 'resumed_from'})


class Callback:
    """Base of callbacks: define the hooks you need.

    ``self.model`` is the model that trains. ``self.model.stop_training = True`` ends training after the current batch.
    The `logs` passed to a hook are its own copy: no other callback sees what it changes there.
    ``self.resumed_from`` is the file from which this ``fit`` resumes training, if any.

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
    #: Arguments that may differ where training is resumed, such as paths.
    free_arguments: frozenset = frozenset()
    #: Whether it only tells or saves what happens, so that a training that is resumed may do with or without it.
    only_watches = False
    model: Any = None
    resumed_from: Optional[str] = None

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

    def on_not_finite(self, error: NotFiniteError) -> None:
        """Run after a batch whose loss, or a gradient, is NaN or infinite, and which has therefore changed nothing.

        ``self.model.stop_training = True`` ends training without the error, which `fit` else raises unless it skips
        such batches.
        """

    def get_state(self) -> Any:
        """Return what a training that is resumed must restore: numbers, strings, arrays, lists, tuples, dicts.

        By default these are all attributes of such types. It is called whenever training is saved.
        """
        return {name: value for name, value in vars(self).items() if name not in _OF_FIT and is_plain(value)}

    def check_state(self, state: Any) -> None:
        """Raise a ValueError unless :meth:`set_state` can restore what a file holds; called before anything changes.

        By default, for a class without a `get_state` of its own, attributes must be of the kind that they have now; no
        method may be replaced, nor a text that the program passed, such as a path.
        """
        if type(self).get_state is Callback.get_state:
            _check_attributes(self, state)

    def set_state(self, state: Any) -> None:
        """Restore what :meth:`get_state` returned, after ``on_train_begin`` and before any other hook."""
        vars(self).update(state)

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
    """A list of callbacks as one.

    Attributes
    ----------
    running : (str, int, args), optional
        The hook that runs, the number of its callback, and the arguments.
    begun : list of dict
        The attributes of each callback before training.
    """

    def __init__(self, callbacks: Sequence[Callback], model: Any):
        self.callbacks = list(callbacks)
        self.running: Optional[Tuple[str, int, tuple]] = None
        for callback in self.callbacks:
            callback.model = model
            callback.resumed_from = None
        self._told_of: Set[int] = set()
        self.begun = [dict(vars(callback)) for callback in self.callbacks]

    def __bool__(self) -> bool:
        return bool(self.callbacks)

    @property
    def follow_batches(self) -> bool:
        """Whether a callback defines a hook for batches, so that they must be run one by one."""
        return any(getattr(getattr(callback, hook), '__func__', None) is not getattr(Callback, hook)
                   for callback in self.callbacks for hook in ('on_batch_begin', 'on_batch_end'))

    def call(self, method: str, *args: Any, first: int = 0) -> None:
        """Call a method of each callback in order, from number `first` on, each with its own copy of a dict."""
        for number, callback in enumerate(self.callbacks[first:], first):
            self.running = method, number, args
            try:
                getattr(callback, method)(*(dict(it) if isinstance(it, dict) else it for it in args))
            except Exception as error:
                note(error, self._told(method, number))
                raise
        self.running = None

    def states(self) -> List[List[Any]]:
        """Return for each callback a list of its state, as plain data; an empty one if it has not begun.

        Raises
        ------
        ArgumentTypeError
            If a state is not plain data.
        """
        hook, number, _ = self.running or ('', len(self.callbacks), ())
        nb_begun = number + 1 if hook == 'on_train_begin' else len(self.callbacks)
        return [[self._state(at)] if at < nb_begun else [] for at in range(len(self.callbacks))]

    def restore(self, states: Dict[int, Any]) -> None:
        """Give callbacks their states, by number."""
        for number, state in states.items():
            try:
                self.callbacks[number].set_state(state)
            except Exception as error:
                note(error, self._told('set_state', number))
                raise

    def _state(self, number: int) -> Any:
        callback, begun = self.callbacks[number], self.begun[number]
        state = callback.get_state()
        if not is_plain(state):
            raise ArgumentTypeError(f'{callback.model.name}: get_state of the callback {type(callback).__name__}: '
                                    'expected numbers, strings, arrays, and lists, tuples and dicts of them, received '
                                    f'{describe(state)}.')
        if type(callback).get_state is Callback.get_state:
            self._tell_what_is_lost(number)
            # Arguments that nobody has set since are those of the program that resumes, too.
            names = arguments_of(callback)
            return {name: it for name, it in state.items()
                    if not (name in names and it is begun.get(name) and not isinstance(it, (list, dict)))}
        return state

    def _tell_what_is_lost(self, number: int) -> None:
        """Warn, once, about attributes that no file can hold, and that a program cannot be expected to make again."""
        callback, arguments = self.callbacks[number], arguments_of(self.callbacks[number])
        lost = [name for name, value in vars(callback).items() if name not in (*_OF_FIT, *arguments) and not (
            is_plain(value) or callable(value) or isinstance(value, (ModuleType, os.PathLike)))]
        if lost and number not in self._told_of:
            self._told_of.add(number)
            warn(f'{callback.model.name}: get_state of the callback {type(callback).__name__}: no file can hold '
                 f'{", ".join(lost)}, which a training that is resumed begins anew. Define get_state and set_state.')

    def close(self, after: Optional[BaseException] = None) -> None:
        """Close all callbacks, even if some fail. Their errors are added as notes to the one that ended `fit`, if any;
        else the first is raised."""
        first: Optional[Exception] = None
        for number, callback in enumerate(self.callbacks):
            self.running = 'close', number, ()
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


def _check_attributes(callback: Callback, state: Any) -> None:
    if not isinstance(state, dict):
        raise ValueError(state)
    arguments = arguments_of(callback)
    for name, value in state.items():
        of_class = inspect.getattr_static(type(callback), name, None) if isinstance(name, str) else callable
        if name in _OF_FIT or callable(of_class) or hasattr(type(of_class), '__get__'):
            raise ValueError(name)
        now = vars(callback).get(name, of_class)
        is_free = now is None and not isinstance(callback, CheckedCallback)
        if name in arguments and isinstance(now, (str, os.PathLike)) and now != value or not (
                is_free or _is_alike(now, value)):
            raise ValueError(name)


def _is_alike(now: Any, value: Any) -> bool:
    """Return whether a value may take the place of one: of None any number, array, or dict of these."""
    if value is None or now is None and isinstance(value, dict):
        return value is None or all(_is_alike(None, one) for one in value.values())
    if isinstance(value, bool) or isinstance(now, bool):
        return isinstance(value, bool) and (now is None or isinstance(now, bool))
    numbers = (int, float, np.number)
    kinds = next((kinds for kinds in (numbers, (np.ndarray,), (str,), (list,), (tuple,), (dict,))
                  if isinstance(now, kinds)), (*numbers, np.ndarray))
    return isinstance(value, kinds)


def arguments_of(callback: Callback) -> List[str]:
    """Return the names of the arguments of a callback's constructor, with those of its base classes."""
    inits = [vars(cls)['__init__'] for cls in type(callback).__mro__ if '__init__' in vars(cls)]
    return list(dict.fromkeys(name for init in inits if inspect.isfunction(init)
                              for name in list(inspect.signature(init).parameters)[1:]))
