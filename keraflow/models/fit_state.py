"""The state of a running ``fit``: as plain data, and restored from them."""
from typing import Any, Callable, Dict, List

import numpy as np

from keraflow.training.loop import Loop
from keraflow.training.scores import Scores

__all__ = ['fit_state', 'restorer']

#: The hooks after which training can be resumed, in the middle of which another callback may save it.
_HOOKS = ('on_train_begin', 'on_epoch_begin', 'on_batch_begin', 'on_batch_end', 'on_epoch_end')
_PARTS = ('begin', 'train', 'validate', 'end')
_COUNTS = ('epoch', 'nb_batch', 'nb_val_batch', 'nb_step', 'nb_in_epoch', 'nb_left_out')


def fit_state(loop: Loop) -> Dict[str, Any]:
    """Return where a ``fit`` is, as plain data."""
    at, running = loop.at, loop.callbacks.running
    is_inside = at.part == 'train' and at.has_taken
    validation = None if loop.validation is None else loop.validation.position(
        at.val_portion, at.nb_of_val_portion, at.part == 'validate' and at.nb_val_batch > 0)
    return {
        **{name: getattr(at, name) for name in _COUNTS}, 'part': at.part, 'has_taken': at.has_taken,
        'is_stopped': bool(loop.model.stop_training), 'order': at.order,
        'totals': [None if one is None else one.total for one in (at.meter, at.val_meter)],
        'data': [loop.source.position(at.portion, at.nb_of_portion, is_inside), validation],
        'history': [dict(logs) for logs in loop.history], 'data_wait': list(loop.history.data_wait),
        'nb_skipped': list(loop.history.nb_skipped),
        'hook': None if running is None or running[0] not in _HOOKS else list(running),
        'callbacks': [[type(one).__name__, state] for one, state in
                      zip(loop.callbacks.callbacks, loop.callbacks.states())],
        'prepared': [weighting for weighting, one in loop.functions.train_loops if one in loop.prepared],
        'changes': loop.changes}


def restorer(loop: Loop, state: Any) -> Callable[[], None]:
    """Check the state of a ``fit``, and return what restores it, which cannot fail.

    Raises
    ------
    KeyError, TypeError, ValueError
        If it is damaged.
    """
    # The first files of this version are of before batches could be left out.
    state = {'nb_left_out': 0, 'nb_skipped': [0] * len(state['history']), **state}
    counts = {name: _count(state[name]) for name in _COUNTS}
    if not counts['epoch'] - loop.first_epoch - len(state['history']) in (-1, 0):
        raise ValueError(state['history'])
    totals = [_total(one, loop) for one in _pair(state['totals'])]
    hook = None if state['hook'] is None else _hook(state['hook'], len(state['callbacks']))
    history = [Scores({str(name): value for name, value in logs.items()}) for logs in state['history']]
    order, data_wait = state['order'], [float(one) for one in state['data_wait']]
    nb_skipped = [_count(one) for one in state['nb_skipped']]
    if order is not None:
        if min(order[name] for name in ('seed', 'number', 'epoch')) < 0:
            raise ValueError(order)
        with loop.model._stream.drawing_again(order):      # raises if it is not one
            pass
    if state['part'] not in _PARTS or state['part'] != 'begin' and totals[0] is None:
        raise ValueError(state['part'])
    positions = [None if one is None else _position(one) for one in _pair(state['data'])]
    states = _states(loop, state['callbacks'])
    prepared = [loop.functions.checked_weighting(one) for one in state['prepared']]
    changes, is_stopped, has_taken = list(state['changes']), bool(state['is_stopped']), bool(state['has_taken'])

    def restore() -> None:
        at = loop.at
        for name, value in counts.items():
            setattr(at, name, value)
        at.part, at.is_stopped, at.has_taken, at.order, at.hook = state['part'], is_stopped, has_taken, order, hook
        at.meter, at.val_meter = (loop.functions.meter(one) for one in totals)
        at.states = states
        loop.history.extend(history)
        loop.history.data_wait.extend(data_wait)
        loop.history.nb_skipped.extend(nb_skipped)
        for source, position in zip((loop.source, loop.validation), positions):
            if source is not None and position is not None:
                source.resume(position)
        loop.prepared = [loop.functions.train_loop(one) for one in prepared]
        loop.changes = changes
    return restore


def _pair(value: Any) -> List[Any]:
    if not isinstance(value, list) or len(value) != 2:
        raise ValueError(value)
    return value


def _count(value: Any) -> int:
    if type(value) is not int or value < 0:
        raise ValueError(value)
    return value


def _total(value: Any, loop: Loop) -> Any:
    nothing = loop.functions.totals.nothing()
    if value is not None and (not isinstance(value, np.ndarray) or (value.shape, value.dtype) !=
                              (nothing.shape, nothing.dtype)):
        raise ValueError(value)
    return value


def _hook(value: Any, nb_callback: int) -> tuple:
    method, number, args = value
    if method not in _HOOKS or not 0 <= _count(number) < nb_callback or not isinstance(args, tuple):
        raise ValueError(value)
    return method, number, args


def _position(value: Any) -> Dict[str, Any]:
    first, varies = value.get('first'), value.get('varies', False)
    if not all(one is None or isinstance(one, str) for one in (value['digest'], first)) or type(varies) is not bool:
        raise ValueError(value)
    return {'begun': value['begun'], 'number': _count(value['number']), 'digest': value['digest'], 'first': first,
            'varies': varies}


def _states(loop: Loop, saved: List[Any]) -> Dict[int, Any]:
    """Return the states for callbacks by number: those of the same class, in order."""
    waiting: Dict[str, List[Any]] = {}
    for name, state in saved:
        waiting.setdefault(name, []).append(state)
    states = {}
    for number, callback in enumerate(loop.callbacks.callbacks):
        found = waiting.get(type(callback).__name__)
        for state in found.pop(0) if found else ():
            callback.check_state(state)
            states[number] = state
    return states
