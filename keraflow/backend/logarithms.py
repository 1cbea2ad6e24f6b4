"""Logarithms of probabilities and rates: exact as far as they are recorded (:mod:`keraflow.backend.logs`)."""
import functools
from typing import Any, Dict, Optional

import numpy as np

from keraflow.backend.tensor_info import Step, info_of
from keraflow.config import setting

__all__ = ['GUARD', 'bounded_log', 'log_of', 'log_of_difference', 'log_of_rest', 'log_of_sum', 'same_gradient']

#: Numbers this small only keep a logarithm finite: they bound its value, but not its gradient.
GUARD = 1e-5

Backend = Any      # the contract, whose operations name what is computed here


def log_of(backend: Backend, x: Any) -> Any:
    """Return the logarithm of a tensor: the recorded one, else :func:`bounded_log`.

    It is computed from those that it depends on, each of which is computed once, without recursion: chains of them may
    be long.

    Examples
    --------
    >>> from keraflow import backend as B
    >>> B.eval(log_of(B.current(), B.sigmoid(B.constant([-1000.])) * 1.)).tolist()
    [-1000.0]
    """
    return _computed(backend, x, 'of')


def log_of_rest(backend: Backend, x: Any) -> Any:
    """Return the logarithm of ``1 - x`` as far as it or that of `x` is recorded, else bounded."""
    logs = info_of(x).logs
    if logs and abs(logs.total - 1) > GUARD:
        return log_of_difference(backend, log_of(backend, x))
    return _computed(backend, x, 'rest')


def _computed(backend: Backend, x: Any, part: str) -> Any:
    found: Dict[tuple, Any] = {}
    waiting = [(x, part)]
    while waiting:
        step = _step(backend, *waiting[-1])
        missing = [need for need in step.needs if _key(*need) not in found]
        if missing:
            waiting.extend(missing)
        else:
            found[_key(*waiting.pop())] = step.compute(*[found[_key(*need)] for need in step.needs])
    return found[_key(x, part)]


def _key(x: Any, part: str) -> tuple:
    return id(x), part      # by identity: == of tensors is elementwise


def _step(backend: Backend, x: Any, part: str) -> Step:
    logs = info_of(x).logs
    if logs is None:
        return Step(lambda: bounded_log(backend, x if part == 'of' else 1. - x))
    if part == 'of':
        return logs.of
    return logs.rest or Step(functools.partial(log_of_difference, backend), [(x, 'of')])


def bounded_log(backend: Backend, x: Any, bound: Optional[float] = None) -> Any:
    """Return the logarithm, bounded to that of `bound` (epsilon) and 0, but with the gradient ``1 / x`` below, too.

    At x = 0, where that slope is infinite, it is 1 / epsilon.
    """
    if not backend.is_tensor(x):
        return np.log(np.clip(x, setting('epsilon').value, 1.))
    x = backend.as_real(x)
    epsilon, kept, tiny = setting('epsilon').value, backend.stop_gradient(x), np.finfo(backend.dtype(x)).tiny
    bound = epsilon if bound is None else bound
    slope = backend.divide(1., backend.where(backend.less(kept, tiny), epsilon, kept))
    # The second term is 0, but has the gradient that the bound removes.
    return backend.add(backend.log(backend.clip(x, bound, 1.)), backend.where(
        backend.less(kept, bound), backend.multiply(slope, backend.subtract(x, kept)), 0.))


def log_of_difference(backend: Backend, log: Any) -> Any:
    """Return the logarithm of ``1 - exp(log)``."""
    # The operands of the branch not taken are kept finite.
    # Each of the two forms is accurate on its side of log(1 / 2), about -0.7; near 0 the first cancels.
    far = backend.log1p(backend.negative(backend.exp(backend.minimum(log, -0.5))))
    rest = backend.negative(backend.expm1(backend.clip(log, -1., 0.)))
    return backend.where(backend.less(log, -0.7), far,
                         bounded_log(backend, rest, float(np.finfo(backend.dtype(rest)).tiny)))


def log_of_sum(backend: Backend, one: Any, other: Any) -> Any:
    """Return the logarithm of ``exp(one) + exp(other)``; -inf adds nothing."""
    parts = [backend.add(one, backend.zeros_like(other)), backend.add(other, backend.zeros_like(one))]   # of one shape
    return backend.logsumexp(backend.stack(parts), 0)


def same_gradient(backend: Backend, log: Any, value: Any, bound: float) -> Any:
    """Return `value` with the gradient of `log` where that is below `bound`."""
    finite = backend.maximum(log, np.finfo(backend.dtype(log)).min)      # -inf minus -inf would be NaN
    moved = backend.add(backend.stop_gradient(value), backend.subtract(finite, backend.stop_gradient(finite)))
    return backend.where(backend.less(log, bound), moved, value)
