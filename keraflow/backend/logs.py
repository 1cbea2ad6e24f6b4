"""The logarithms behind probabilities: exact where the probabilities themselves are rounded to 0 or 1.

What a sigmoid or a softmax gives remembers its logarithm, as a function that computes it from the input. An operation
that only moves, copies or picks values does the same to the logarithms as to the probabilities: these are remembered
through it. They are computed where an objective asks for them.
"""
from typing import Any, Callable, Dict, List, Sequence

from keraflow.backend.contract import FLOATS, Backend
from keraflow.facts import Logs, facts_of, remember

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
    """What ``backend.operation(**given)`` made, with its logarithms, if it consists of probabilities.

    Examples
    --------
    >>> from keraflow import backend as B
    >>> p = B.transpose(B.softmax(B.constant([[0., 1000.]])))
    >>> B.eval([p, facts_of(p).logs.of()])[1].tolist()
    [[-1000.0], [0.0]]
    """
    if operation == 'sigmoid':
        x = given['x']
        return remember(made, logs=Logs(lambda: backend.negative(backend.softplus(backend.negative(x))),
                                        lambda: backend.negative(backend.softplus(x))))
    if operation == 'softmax':
        return remember(made, logs=Logs(lambda: backend.log_softmax(**given)))
    return _moved(backend, operation, made, given) if operation in _MOVED else made


def _moved(backend: Backend, operation: str, made: Any, given: Dict[str, Any]) -> Any:
    moved = {name: given[name] for name in _MOVED[operation]}
    tensors = [x for value in moved.values() for x in (value if isinstance(value, (list, tuple)) else [value])]
    known = [facts_of(x).logs for x in tensors]
    if not tensors or None in known or any(made is x for x in tensors) or \
            operation == 'cast' and given['dtype'] not in FLOATS:
        return made

    def again(function: str, parts: Sequence[Callable[[], Any]]) -> Callable[[], Any]:
        def compute() -> Any:
            logs = iter([part() for part in parts])
            filled = {name: [next(logs) for _ in value] if isinstance(value, (list, tuple)) else next(logs)
                      for name, value in moved.items()}
            return _function(backend, function)(**{**given, **filled})
        return compute
    of = again(operation, [logs.of for logs in known if logs])
    rests = [logs.of_rest for logs in known if logs and logs.of_rest]
    of_rest = again(_OPPOSITE.get(operation, operation), rests) if len(rests) == len(known) else None
    if not isinstance(made, list):
        return remember(made, logs=Logs(of, of_rest))
    return [remember(one, logs=Logs(_item(of, number), of_rest and _item(of_rest, number)))
            for number, one in enumerate(made)]


def _item(several: Callable[[], List[Any]], number: int) -> Callable[[], Any]:
    return lambda: several()[number]


def _getitem(x: Any, index: Any) -> Any:
    return x[index]


def _function(backend: Backend, operation: str) -> Callable:
    return _getitem if operation == 'getitem' else getattr(backend, operation)
