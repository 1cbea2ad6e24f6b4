"""What is recorded about the logarithms of a tensor.

The output of a sigmoid or a softmax is rounded to 0 or 1 far out; its logarithm, computed from the input, is not. An
operation that moves, copies or selects values does the same to the logarithms; for others the rules of
:mod:`keraflow.backend.log_rules` apply, which their definitions name. Nothing is computed until it is needed
(:mod:`keraflow.backend.logarithms`).
"""
import functools
from typing import Any, Callable, Dict, Optional

from keraflow.backend.contract import FLOATS, METHODS, Backend
from keraflow.backend.method_info import MethodInfo
from keraflow.backend.tensor_info import Logs, Step, annotate, info_of

__all__ = ['remember_logs']


def remember_logs(backend: Backend, method: MethodInfo, made: Any, given: Dict[str, Any]) -> Any:
    """Return the result of a method of the backend, with its logarithms recorded if they are known.

    Examples
    --------
    >>> from keraflow import backend as B
    >>> from keraflow.backend.logarithms import log_of
    >>> p = B.transpose(B.softmax(B.constant([[0., 1000.]]))) * 1.
    >>> B.eval([p, log_of(B.current(), p)])[1].tolist()
    [[-1000.0], [0.0]]
    """
    if not (method.logs or method.moves_values) or any(made is value for value in given.values()):
        return made
    logs = method.logs(backend, made, given) if method.logs else None
    if logs is not None:
        return annotate(made, logs=logs)
    return _moved(backend, method, made, given) if method.moves_values else made


def _moved(backend: Backend, method: MethodInfo, made: Any, given: Dict[str, Any]) -> Any:
    """Return the logarithms of moved, copied or selected values; those of tensors without known ones are bounded."""
    moved = {name: given[name] for name in method.values}
    parts = [x for value in moved.values() for x in (value if isinstance(value, (list, tuple)) else [value])]
    all_logs = [info_of(x).logs for x in parts]
    known = [logs for logs in all_logs if logs]
    if not known or any(made is x for x in parts) or method.converts and given['dtype'] not in FLOATS:
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
    has_rest = len(totals) == 1 and all(logs.rest for logs in known)      # rests to different totals do not mix
    is_exact = len(known) == len(parts) and all(logs.is_exact for logs in known)

    def logs_of_one(number: Optional[int] = None) -> Logs:
        rest = step(method.opposite or method.name, 'rest', number) if has_rest else None
        return Logs(step(method.name, 'of', number), rest, max(totals), is_exact)
    if not isinstance(made, list):
        return annotate(made, logs=logs_of_one())
    return [annotate(one, logs=logs_of_one(number)) for number, one in enumerate(made)]


def _function(backend: Backend, operation: str) -> Callable:
    return getattr(backend, operation, None) or functools.partial(METHODS[operation].method, backend)      # getitem
