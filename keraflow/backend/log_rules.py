"""How logarithms follow from those of the operands: a rule for each operation that computes values.

The definition of an operation names its rule: a function of the backend, the result and the arguments by name, which
returns logarithms if they are known.
"""
import functools
import math
from typing import Any, Callable, Dict, Optional

import numpy as np

from keraflow import shapes
from keraflow.backend.logarithms import GUARD, bounded_log, log_of_difference, log_of_sum, same_gradient
from keraflow.backend.tensor_info import Logs, Step, info_of

#: The relative error of a total that rounding may cause.
ROUNDING = 1e-9

Backend = Any      # the contract, whose operations name these rules
Given = Dict[str, Any]


# -- sources ----------------------------------------------------------------------------------------------------------

def sigmoid(backend: Backend, made: Any, given: Given) -> Logs:
    x = given['x']
    return Logs(Step(lambda: backend.negative(backend.softplus(backend.negative(x)))),
                Step(lambda: backend.negative(backend.softplus(x))), 1.)


def softmax(backend: Backend, made: Any, given: Given) -> Logs:
    return Logs(Step(lambda: backend.log_softmax(**given)), _others(backend, made, given['axis']), 1.)


def _others(backend: Backend, made: Any, axis: Any) -> Step:
    """Return the rest of one of the probabilities along axes: the others."""
    def rest(log: Any) -> Any:
        is_top = backend.greater(log, -math.log(2))         # At most one is more likely than all others.
        others = backend.logsumexp(backend.where(is_top, -math.inf, log), axis, keepdims=True)
        return backend.where(is_top, others, log_of_difference(backend, backend.where(is_top, -1., log)))
    return Step(rest, [(made, 'of')])


def exp(backend: Backend, made: Any, given: Given) -> Logs:
    return Logs(Step(lambda: backend.as_real(given['x'])))


def softplus(backend: Backend, made: Any, given: Given) -> Logs:
    def of() -> Any:
        x = backend.as_real(given['x'])
        # Below -40 log(softplus(x)) is x, even in float64; the maximum keeps the branch not taken finite.
        return backend.where(backend.less(x, -40.), x, backend.log(backend.softplus(backend.maximum(x, -40.))))
    return Logs(Step(of))


# -- arithmetic -------------------------------------------------------------------------------------------------------

def _known(x: Any) -> Optional[Logs]:
    """Return the logarithms of `x` if they are known and not only bounds."""
    logs = info_of(x).logs
    return logs if logs and logs.is_exact else None


def _number(x: Any) -> Optional[float]:
    """Return `x` if it is a number of the program."""
    return float(x) if isinstance(x, (int, float, np.integer, np.floating)) and not isinstance(x, bool) else None


def _with_number_last(given: Given) -> tuple:
    x, y = given['x'], given['y']
    return (x, y) if _number(x) is None else (y, x)


def _same(log: Any) -> Any:
    return log


def _scaled(backend: Backend, x: Any, factor: Optional[float]) -> Optional[Logs]:
    logs = info_of(x).logs
    if not logs or not factor or not 0 < factor < math.inf:      # the product would not be positive and finite
        return None
    shift = math.log(factor)

    def shifted(log: Any) -> Any:
        return backend.add(log, shift) if shift else log
    return Logs(Step(shifted, [(x, 'of')]), logs.rest and Step(shifted, [(x, 'rest')]),
                logs.total * factor, logs.is_exact)


def product(backend: Backend, made: Any, given: Given) -> Optional[Logs]:
    x, y = _with_number_last(given)
    if _number(y) is not None:
        return _scaled(backend, x, _number(y))
    of, one, other = _combined(backend, made, x, y, backend.add), _known(x), _known(y)
    if not of or not one or not other or not one.rest or not other.rest:
        return of
    total = other.total

    def rest(log: Any, rest_of_x: Any, rest_of_y: Any) -> Any:      # (a - x) b + x (b - y) = a b - x y
        return log_of_sum(backend, backend.add(rest_of_x, math.log(total)), backend.add(log, rest_of_y))
    return of._replace(rest=Step(rest, [(x, 'of'), (x, 'rest'), (y, 'rest')]), total=one.total * total)


def quotient(backend: Backend, made: Any, given: Given) -> Optional[Logs]:
    x, y = given['x'], given['y']
    divisor = _number(y)
    if divisor is not None:
        return _scaled(backend, x, divisor and 1 / divisor)
    of = _combined(backend, made, x, y, backend.subtract)
    return of and of._replace(**_rest_of_share(backend, made, x, y))


def _rest_of_share(backend: Backend, made: Any, x: Any, y: Any) -> dict:
    """Return the rest of ``x / y``, where `y` is a sum with `x`: the share of the other addends."""
    logs = _known(y)
    addends = logs.addends if logs else ()
    found = [place for place, (one, _) in enumerate(addends)
             if one is x or _number(x) is not None and _number(one) == _number(x)]
    if not found:
        return {}
    axes = addends[found[0]][1]
    if axes is not None:
        return {'rest': _others(backend, made, axes), 'total': 1.}
    other = addends[1 - found[0]][0]
    if _number(other) is not None:
        return {'rest': Step(lambda log: backend.subtract(math.log(other), log), [(y, 'of')]), 'total': 1.}
    return {'rest': Step(backend.subtract, [(other, 'of'), (y, 'of')]), 'total': 1.}


def _combined(backend: Backend, made: Any, x: Any, y: Any, join: Callable) -> Optional[Logs]:
    """Return that of a product or quotient, one part of which may be any tensor: known where it is positive."""
    if _known(x) and _known(y):
        return Logs(Step(join, [(x, 'of'), (y, 'of')]))
    if not _known(x) and not _known(y):
        return None

    def compute(log: Any) -> Any:
        weight = backend.cast(y if _known(x) else x, backend.dtype(made))
        counts = backend.greater(weight, 0)
        of_weight = backend.log(backend.where(counts, weight, 1.))
        return backend.where(counts, join(log, of_weight) if _known(x) else join(of_weight, log),
                             bounded_log(backend, made))
    return Logs(Step(compute, [(x if _known(x) else y, 'of')]), is_exact=False)


def sum_of_two(backend: Backend, made: Any, given: Given) -> Optional[Logs]:
    x, y = _with_number_last(given)
    number, one, other = _number(y), _known(x), _known(y)
    if number is not None:
        return _increased(backend, x, number, 'of')
    if not one or not other:
        return None
    add = functools.partial(log_of_sum, backend)
    rest = Step(add, [(x, 'rest'), (y, 'rest')]) if one.rest and other.rest else None
    return Logs(Step(add, [(x, 'of'), (y, 'of')]), rest, one.total + other.total,
                addends=((x, None), (y, None)))


def _increased(backend: Backend, x: Any, number: float, part: str) -> Optional[Logs]:
    """Return that of ``x + number``; if `part` is the rest, the rest of `x` to its total, plus the number."""
    logs, other = _known(x), 'rest' if part == 'of' else 'of'
    if not logs or number < 0:
        return None

    def compute(log: Any) -> Any:
        if number == 0:
            return log
        bound = math.log(number)
        value = log_of_sum(backend, log, backend.add(backend.zeros_like(log), bound))
        return same_gradient(backend, log, value, bound) if number <= GUARD else value
    return Logs(Step(compute, [(x, part)]), logs.rest and Step(_same, [(x, other)]), logs.total + number,
                addends=((x, None), (number, None)) if part == 'of' and number else ())


def difference(backend: Backend, made: Any, given: Given) -> Optional[Logs]:
    x, y = given['x'], given['y']
    whole, logs = _number(x), _known(y)
    if _number(y) == 0:
        return _increased(backend, x, 0., 'of')
    if whole is None or not logs:
        return None
    if logs.rest:
        more = whole - logs.total
        return _increased(backend, y, 0. if abs(more) <= ROUNDING * whole else more, 'rest')
    if whole != 1:
        return None
    # 1 - y may be negative unless y is at most 1: what is computed is then only a bound.
    return Logs(Step(_same, [(y, 'rest')]), Step(_same, [(y, 'of')]), 1., is_exact=logs.total == 1)


def square(backend: Backend, made: Any, given: Given) -> Optional[Logs]:
    return _powered(backend, given['x'], 2.)


def root(backend: Backend, made: Any, given: Given) -> Optional[Logs]:
    return _powered(backend, given['x'], 0.5)


def power(backend: Backend, made: Any, given: Given) -> Optional[Logs]:
    return _powered(backend, given['x'], given['y'])


def _powered(backend: Backend, x: Any, power: Any) -> Optional[Logs]:
    logs, number = _known(x), _number(power)
    if not logs:
        return None

    def compute(log: Any) -> Any:       # 0 ** 0 is 1
        return backend.multiply(power, backend.where(backend.equal(power, 0), 0., log))
    if number == 1:
        return _increased(backend, x, 0., 'of')
    return Logs(Step(compute, [(x, 'of')]), total=1. if logs.total == 1 and number and number > 0 else math.inf)


# -- reductions and bounds --------------------------------------------------------------------------------------------

def sum_along_axes(backend: Backend, made: Any, given: Given) -> Optional[Logs]:
    x, known = given['x'], _known(given['x'])
    if not known:
        return None
    shape = backend.static_shape(x)
    axes = shapes.normalize_axes(given['axis'], len(shape))
    logs = _folded(backend.logsumexp, known, given, shapes.product([shape[axis] for axis in axes]))
    return logs._replace(addends=((x, axes),)) if given['keepdims'] else logs


def mean(backend: Backend, made: Any, given: Given) -> Optional[Logs]:
    def of_mean(log: Any, axis: Any, keepdims: bool) -> Any:
        # The number of values may be known only in the run.
        count = backend.logsumexp(backend.zeros_like(log), axis, keepdims)
        return backend.subtract(backend.logsumexp(log, axis, keepdims), count)
    known = _known(given['x'])
    return _folded(of_mean, known, given, 1) if known else None


def _folded(fold: Callable, logs: Logs, given: Given, scale: Optional[int]) -> Logs:
    """Return that of a sum whose total is `scale` times that of the addends, which have `logs`."""
    x = given['x']
    compute = functools.partial(fold, axis=given['axis'], keepdims=given['keepdims'])
    rest = Step(compute, [(x, 'rest')]) if logs.rest and scale else None
    return Logs(Step(compute, [(x, 'of')]), rest, logs.total * scale if scale else math.inf)


def product_along_axes(backend: Backend, made: Any, given: Given) -> Optional[Logs]:
    logs, x = _known(given['x']), given['x']
    compute = functools.partial(backend.sum, axis=given['axis'], keepdims=given['keepdims'])
    return Logs(Step(compute, [(x, 'of')]), total=1. if logs.total == 1 else math.inf) if logs else None


def not_negative(backend: Backend, made: Any, given: Given) -> Optional[Logs]:
    return _increased(backend, given['x'], 0., 'of') if given.get('max_value') is None else None


def clipped(backend: Backend, made: Any, given: Given) -> Optional[Logs]:
    bounds = [_number(given[name]) for name in ('min_value', 'max_value')]
    if any(bound is None and given[name] is not None for bound, name in zip(bounds, ('min_value', 'max_value'))):
        return None
    return _kept(backend, given['x'], *bounds)


def bounded_below(backend: Backend, made: Any, given: Given) -> Optional[Logs]:
    x, y = _with_number_last(given)
    return None if _number(y) is None else _kept(backend, x, _number(y), None)


def bounded_above(backend: Backend, made: Any, given: Given) -> Optional[Logs]:
    x, y = _with_number_last(given)
    return None if _number(y) is None else _kept(backend, x, None, _number(y))


def _kept(backend: Backend, x: Any, lower: Optional[float], upper: Optional[float]) -> Optional[Logs]:
    """Return that of `x` between two bounds."""
    logs = info_of(x).logs
    if not logs or upper is not None and upper <= 0:
        return None
    total, of = logs.total, _bounds(backend, lower, upper)
    if logs.rest is None or lower is not None and lower >= total:
        return Logs(Step(of, [(x, 'of')]), None, max(total, lower or 0.), logs.is_exact)
    rest = _bounds(backend, None if upper is None else total - upper, None if lower is None else total - lower)
    return Logs(Step(of, [(x, 'of')]), Step(rest, [(x, 'rest')]), total, logs.is_exact)


def _bounds(backend: Backend, lower: Optional[float], upper: Optional[float]) -> Callable[[Any], Any]:
    low, high = (None if bound is None or bound <= 0 else math.log(bound) for bound in (lower, upper))

    def compute(log: Any) -> Any:
        kept = backend.clip(log, low, high)
        return same_gradient(backend, log, kept, low) if low is not None and low <= math.log(GUARD) else kept
    return compute
