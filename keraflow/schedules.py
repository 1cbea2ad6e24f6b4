"""Learning rate schedules: functions of the number of steps, passed to an optimizer in place of a number.

A schedule is called with the number of steps taken so far, 0 in the first step, as a float64 scalar. It returns the
learning rate, computed with ``B.`` functions as part of the compiled step. Any such function of the program works, too.
"""
from typing import Any, Sequence

import numpy as np

from keraflow import backend as B
from keraflow.errors import ArgumentError
from keraflow.registry import builtin, resolve
from keraflow.schema import Fraction, Natural, NonNegative, PositiveFloat, PositiveInt
from keraflow.serialization import Serializable

__all__ = ['Schedule', 'ExponentialDecay', 'InverseTimeDecay', 'PolynomialDecay', 'CosineDecay', 'PiecewiseConstant',
           'get', 'inverse_time']


class Schedule(Serializable):
    """Base of schedules: called with the number of steps taken so far, it returns the learning rate of the next.

    Examples
    --------
    >>> class SquareRootDecay(Schedule):
    ...     def __init__(self, lr: PositiveFloat):
    ...         self.lr = lr
    ...     def __call__(self, step):
    ...         return B.divide(self.lr, B.sqrt(B.add(step, 1)))
    >>> from keraflow.optimizers import Adam
    >>> Adam(lr=SquareRootDecay(0.1)).lr
    SquareRootDecay(lr=0.1)
    """

    kind = 'schedule'
    required_methods = {'__call__': ()}

    def __call__(self, step: Any) -> Any:
        raise NotImplementedError


@builtin('schedule')
class ExponentialDecay(Schedule):
    """Decay exponentially, ``lr * decay ** (step / nb_step)``: multiplied by `decay` every `nb_step` steps.

    Parameters
    ----------
    lr : float
        Learning rate of the first step, above 0.
    decay : float
        The fraction of the rate that is left after `nb_step` steps, from 0 to 1.
    nb_step : int
        At least 1.
    staircase : bool
        Whether the rate only changes every `nb_step` steps: ``step / nb_step`` is rounded down.

    Examples
    --------
    >>> from keraflow.optimizers import SGD
    >>> optimizer = SGD(lr=ExponentialDecay(0.1, decay=0.5, nb_step=1000))
    """

    def __init__(self, lr: PositiveFloat, decay: Fraction, nb_step: PositiveInt = 1, staircase: bool = False):
        self.lr = lr
        self.decay = decay
        self.nb_step = nb_step
        self.staircase = staircase

    def __call__(self, step: Any) -> Any:
        return B.multiply(B.power(self.decay, _periods(step, self.nb_step, self.staircase)), self.lr)


@builtin('schedule')
class InverseTimeDecay(Schedule):
    """Decay as ``lr / (1 + decay * step / nb_step)``: fast at first, ever slower, and never zero.

    Parameters
    ----------
    lr : float
        Learning rate of the first step, above 0.
    decay : float
        How fast the rate falls, at least 0. The rate is halved after ``nb_step / decay`` steps.
    nb_step : int
        At least 1.
    staircase : bool
        Whether the rate only changes every `nb_step` steps: ``step / nb_step`` is rounded down.

    References
    ----------
    .. [1] H. Robbins and S. Monro, "A stochastic approximation method", Annals of Mathematical Statistics, 1951.
    """

    def __init__(self, lr: PositiveFloat, decay: NonNegative, nb_step: PositiveInt = 1, staircase: bool = False):
        self.lr = lr
        self.decay = decay
        self.nb_step = nb_step
        self.staircase = staircase

    def __call__(self, step: Any) -> Any:
        return inverse_time(self.lr, self.decay, _periods(step, self.nb_step, self.staircase))


@builtin('schedule')
class PolynomialDecay(Schedule):
    """Go from `lr` to `final_lr` as ``final_lr + (lr - final_lr) * (1 - step / nb_step) ** power``, and stay there.

    Parameters
    ----------
    lr : float
        Learning rate of the first step, above 0.
    nb_step : int
        At least 1.
    final_lr : float
        At least 0.
    power : float
        1 for a straight line, more for a rate that falls sooner; above 0.
    """

    def __init__(self, lr: PositiveFloat, nb_step: PositiveInt, final_lr: NonNegative = 0., power: PositiveFloat = 1.):
        self.lr = lr
        self.nb_step = nb_step
        self.final_lr = final_lr
        self.power = power

    def __call__(self, step: Any) -> Any:
        left = B.power(B.subtract(1, _share(step, self.nb_step)), self.power)
        return B.add(B.multiply(left, self.lr - self.final_lr), self.final_lr)


@builtin('schedule')
class CosineDecay(Schedule):
    """Fall from `lr` to `final_lr` along half a cosine wave, after an optional linear warmup.

    ``lr * (step + 1) / nb_warmup`` in the first `nb_warmup` steps; then, with ``s = (step - nb_warmup) / nb_step``,
    ``final_lr + (lr - final_lr) * (1 + cos(pi * s)) / 2``; and `final_lr` from ``s = 1`` on.

    Parameters
    ----------
    lr : float
        The largest rate, above 0.
    nb_step : int
        Steps of the half wave, at least 1.
    final_lr : float
        At least 0.
    nb_warmup : int
        Steps of the warmup, at least 0.

    References
    ----------
    .. [1] I. Loshchilov and F. Hutter, "SGDR: stochastic gradient descent with warm restarts", ICLR, 2017.
    .. [2] P. Goyal et al., "Accurate, large minibatch SGD: training ImageNet in 1 hour", arXiv:1706.02677, 2017 (the
       warmup).

    Examples
    --------
    >>> from keraflow.optimizers import Adam
    >>> optimizer = Adam(lr=CosineDecay(0.001, nb_step=10000, nb_warmup=500))
    """

    def __init__(self, lr: PositiveFloat, nb_step: PositiveInt, final_lr: NonNegative = 0., nb_warmup: Natural = 0):
        self.lr = lr
        self.nb_step = nb_step
        self.final_lr = final_lr
        self.nb_warmup = nb_warmup

    def __call__(self, step: Any) -> Any:
        wave = B.add(B.cos(B.multiply(_share(B.subtract(step, self.nb_warmup), self.nb_step), np.pi)), 1)
        lr = B.add(B.multiply(wave, (self.lr - self.final_lr) / 2), self.final_lr)
        if not self.nb_warmup:
            return lr
        rise = B.divide(B.multiply(B.add(step, 1), self.lr), self.nb_warmup)
        return B.where(B.less(step, self.nb_warmup), rise, lr)


@builtin('schedule')
class PiecewiseConstant(Schedule):
    """Use ``values[i]`` from step ``boundaries[i - 1]`` up to but not including step ``boundaries[i]``.

    Parameters
    ----------
    boundaries : list of int
        The steps at which the rate changes, in increasing order.
    values : list of float
        The rates, above 0; one more than `boundaries`.

    Raises
    ------
    ArgumentError
        If the boundaries do not increase, or there is not one more value than boundaries.

    Examples
    --------
    >>> schedule = PiecewiseConstant([1000, 5000], [0.1, 0.01, 0.001])
    """

    def __init__(self, boundaries: Sequence[Natural], values: Sequence[PositiveFloat]):
        if len(values) != len(boundaries) + 1:
            raise ArgumentError(f'PiecewiseConstant: values: expected {len(boundaries) + 1}, one more than boundaries, '
                                f'received {len(values)}.')
        if any(later <= earlier for earlier, later in zip(boundaries, boundaries[1:])):
            raise ArgumentError('PiecewiseConstant: boundaries: expected each above the one before, '
                                f'received {boundaries}.')
        self.boundaries = boundaries
        self.values = values

    def __call__(self, step: Any) -> Any:
        lr = B.constant(self.values[0], 'float64')
        for boundary, value in zip(self.boundaries, self.values[1:]):
            lr = B.where(B.less(step, boundary), lr, value)
        return lr


def get(value: Any) -> Any:
    """Return a schedule, given as a function or an object.

    Raises
    ------
    ArgumentTypeError
        If it is something else.

    Examples
    --------
    >>> get(PiecewiseConstant([1000], [0.1, 0.01])).values
    [0.1, 0.01]
    """
    return resolve('schedule', value)


def inverse_time(lr: Any, decay: float, time: Any) -> Any:
    """Return ``lr / (1 + decay * time)``."""
    return B.divide(lr, B.add(B.multiply(time, decay), 1))


def _periods(step: Any, nb_step: int, staircase: bool) -> Any:
    periods = B.divide(step, nb_step)
    return B.floor(periods) if staircase else periods


def _share(step: Any, nb_step: int) -> Any:
    """Return the fraction of `nb_step` steps that is over, at most 1."""
    return B.minimum(B.divide(step, nb_step), 1)
