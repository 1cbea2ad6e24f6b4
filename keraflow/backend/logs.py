"""What is remembered of the logarithms of a tensor.

What a sigmoid or a softmax gives is rounded to 0 or 1 far out; its logarithm, from the input, is not. An operation that
moves, copies or picks values does the same to the logarithms; what others do is said by the rules of
:mod:`keraflow.backend.log_rules`. Nothing is computed before it is asked for (:mod:`keraflow.backend.logarithms`).
"""
from typing import Any, Callable, Dict, Optional, Sequence

from keraflow.backend.contract import FLOATS, Backend
from keraflow.backend.log_rules import RULES
from keraflow.backend.tensor_info import Logs, Step, annotate, info_of

__all__ = ['remember_logs']

#: The arguments of operations whose values are moved, copied or picked.
_MOVED: Dict[str, Sequence[str]] = {
    **dict.fromkeys(('as_real', 'cast', 'expand_dims', 'flatten', 'gather', 'getitem', 'identity', 'max', 'min',
                     'repeat', 'require', 'reshape', 'reverse', 'split', 'squeeze', 'squeeze_axes', 'stop_gradient',
                     'tile', 'transpose', 'with_static_shape'), ['x']),
    **dict.fromkeys(('concatenate', 'stack'), ['tensors']),
    **dict.fromkeys(('maximum', 'minimum', 'switch'), ['x', 'y'])}
#: Of ``1 - p`` another value is the largest.
_OPPOSITE = {'max': 'min', 'min': 'max', 'maximum': 'minimum', 'minimum': 'maximum'}


def remember_logs(backend: Backend, operation: str, made: Any, given: Dict[str, Any]) -> Any:
    """What ``backend.operation(**given)`` made, with its logarithms, where they are known.

    Examples
    --------
    >>> from keraflow import backend as B
    >>> from keraflow.backend.logarithms import log_of
    >>> p = B.transpose(B.softmax(B.constant([[0., 1000.]]))) * 1.
    >>> B.eval([p, log_of(B.current(), p)])[1].tolist()
    [[-1000.0], [0.0]]
    """
    if operation not in RULES and operation not in _MOVED or any(made is value for value in given.values()):
        return made
    logs = RULES[operation](backend, made, given) if operation in RULES else None
    if logs is not None:
        return annotate(made, logs=logs)
    return _moved(backend, operation, made, given) if operation in _MOVED else made


def _moved(backend: Backend, operation: str, made: Any, given: Dict[str, Any]) -> Any:
    """What was moved, copied or picked: of the tensors whose logarithms are not known they are bounded."""
    moved = {name: given[name] for name in _MOVED[operation]}
    parts = [x for value in moved.values() for x in (value if isinstance(value, (list, tuple)) else [value])]
    all_logs = [info_of(x).logs for x in parts]
    known = [logs for logs in all_logs if logs]
    if not known or any(made is x for x in parts) or operation == 'cast' and given['dtype'] not in FLOATS:
        return made

    def step(function: str, part: str, number: Optional[int] = None) -> Step:
        def compute(*logs: Any) -> Any:
            rest = iter(logs)
            filled = {name: [next(rest) for _ in value] if isinstance(value, (list, tuple)) else next(rest)
                      for name, value in moved.items()}
            made = _function(backend, function)(**{**given, **filled})
            return made if number is None else made[number]
        return Step(compute, [(x, part) for x in parts])
    totals = {1. if logs is None else logs.total for logs in all_logs}
    has_rest = len(totals) == 1 and all(logs.rest for logs in known)
    of_rest = _OPPOSITE.get(operation, operation)

    def logs_of_one(number: Optional[int] = None) -> Logs:
        return Logs(step(operation, 'of', number), step(of_rest, 'rest', number) if has_rest else None, max(totals),
                    len(known) == len(parts) and all(logs.is_exact for logs in known))
    if not isinstance(made, list):
        return annotate(made, logs=logs_of_one())
    return [annotate(one, logs=logs_of_one(number)) for number, one in enumerate(made)]


def _getitem(x: Any, index: Any) -> Any:
    return x[index]


def _function(backend: Backend, operation: str) -> Callable:
    return _getitem if operation == 'getitem' else getattr(backend, operation)
