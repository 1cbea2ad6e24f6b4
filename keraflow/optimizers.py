"""Optimizers: how parameters move, given the gradients of the loss.

In the formulas ``p`` is a parameter, ``g`` its gradient, ``t`` the number of the step from 1 on. Every other letter is
kept in a slot: a variable for each parameter, 0 at first.
"""
from typing import Any, Tuple

import numpy as np

from keraflow import backend as B
from keraflow.optimizer import Optimizer
from keraflow.registry import builtin, resolve
from keraflow.schedules import inverse_time
from keraflow.schema import Beta, LearningRate, NonNegative, PositiveFloat, Rate

__all__ = ['Optimizer', 'SGD', 'RMSprop', 'Adagrad', 'Adadelta', 'Adam', 'Adamax', 'get']


@builtin('optimizer', 'sgd')
class SGD(Optimizer):
    """Stochastic gradient descent, with momentum, Nesterov's momentum and a decaying rate where wanted.

    With ``lr_t = lr / (1 + decay * iterations)``, where ``iterations`` is 0 in the first step::

        v = momentum * v - lr_t * g
        p = p + v                               # nesterov: p + momentum * v - lr_t * g

    Parameters
    ----------
    lr : float or schedule
        Learning rate, above 0, or what gives it for each step (:mod:`keraflow.schedules`).
    momentum : float
        Share of the last step that is repeated, at least 0 and below 1. With 0 no slot is kept.
    decay : float
        How fast the rate falls, at least 0.
    nesterov : bool
        Whether to look ahead along the momentum.
    clipnorm, clipvalue : float, optional
        See :class:`Optimizer`.

    References
    ----------
    I. Sutskever, J. Martens, G. Dahl and G. Hinton, 2013: On the importance of initialization and momentum in deep
    learning.

    Examples
    --------
    >>> optimizer = SGD(lr=0.1, momentum=0.9, nesterov=True, clipnorm=1.)
    >>> optimizer.lr = 0.05
    >>> optimizer.pack_init_param()['lr']
    0.05
    """

    def __init__(self, lr: LearningRate = 0.01, momentum: Rate = 0., decay: NonNegative = 0., nesterov: bool = False,
                 **kwargs: Any):
        super().__init__(**kwargs)
        self.lr = lr
        self.momentum = momentum
        self.decay = decay
        self.nesterov = nesterov

    @property
    def slot_names(self) -> Tuple[str, ...]:  # type: ignore[override]
        """``('v',)``, the last step, if there is momentum."""
        return ('v',) if self.momentum else ()

    def numbers(self, t, lr):
        if self.decay:
            lr = inverse_time(lr, self.decay, B.subtract(t, 1))
        return {'lr': lr, 'momentum': self.momentum}

    def rule(self, n, param, gradient, v=None):
        step = gradient * n.lr
        if v is None:
            return [param - step]
        v = v * n.momentum - step
        return [param + v * n.momentum - step if self.nesterov else param + v, v]


@builtin('optimizer', 'rmsprop')
class RMSprop(Optimizer):
    """Gradients divided by a running root mean square of theirs.

    ::

        a = rho * a + (1 - rho) * g ** 2
        p = p - lr * g / (sqrt(a) + epsilon)

    Parameters
    ----------
    lr : float or schedule
        Learning rate, above 0, or what gives it for each step (:mod:`keraflow.schedules`).
    rho : float
        Share of the mean square that is kept in each step, above 0 and below 1.
    epsilon : float
        Keeps the divisor away from 0.
    clipnorm, clipvalue : float, optional
        See :class:`Optimizer`.

    References
    ----------
    T. Tieleman and G. Hinton, 2012: Lecture 6.5 - RMSProp, COURSERA: Neural networks for machine learning.

    Examples
    --------
    >>> RMSprop(lr=0.01).rho
    0.9
    """

    slot_names = ('a',)

    def __init__(self, lr: LearningRate = 0.001, rho: Beta = 0.9, epsilon: PositiveFloat = 1e-8, **kwargs: Any):
        super().__init__(**kwargs)
        self.lr = lr
        self.rho = rho
        self.epsilon = epsilon

    def numbers(self, t, lr):
        return {'lr': lr, 'rho': self.rho, 'rest': 1 - self.rho, 'epsilon': self.epsilon}

    def rule(self, n, param, gradient, a):
        a = a * n.rho + B.square(gradient) * n.rest
        return [param - gradient * n.lr / (B.sqrt(a) + n.epsilon), a]


@builtin('optimizer', 'adagrad')
class Adagrad(Optimizer):
    """Gradients divided by the root of the sum of all their squares: what seldom moves takes larger steps.

    ::

        a = a + g ** 2
        p = p - lr * g / (sqrt(a) + epsilon)

    Parameters
    ----------
    lr : float or schedule
        Learning rate, above 0, or what gives it for each step (:mod:`keraflow.schedules`).
    epsilon : float
        Keeps the divisor away from 0.
    clipnorm, clipvalue : float, optional
        See :class:`Optimizer`.

    References
    ----------
    J. Duchi, E. Hazan and Y. Singer, 2011: Adaptive subgradient methods for online learning and
    stochastic optimization.

    Examples
    --------
    >>> Adagrad().lr
    0.01
    """

    slot_names = ('a',)

    def __init__(self, lr: LearningRate = 0.01, epsilon: PositiveFloat = 1e-8, **kwargs: Any):
        super().__init__(**kwargs)
        self.lr = lr
        self.epsilon = epsilon

    def numbers(self, t, lr):
        return {'lr': lr, 'epsilon': self.epsilon}

    def rule(self, n, param, gradient, a):
        a = a + B.square(gradient)
        return [param - gradient * n.lr / (B.sqrt(a) + n.epsilon), a]


@builtin('optimizer', 'adadelta')
class Adadelta(Optimizer):
    """Steps with the root mean square of earlier steps over that of the gradients: no learning rate needs to be found.

    ::

        a = rho * a + (1 - rho) * g ** 2
        step = g * sqrt(d + epsilon) / sqrt(a + epsilon)
        p = p - lr * step
        d = rho * d + (1 - rho) * step ** 2

    Parameters
    ----------
    lr : float or schedule
        Factor of the steps, above 0; 1 in the paper.
    rho : float
        Share of the mean squares that is kept in each step, above 0 and below 1.
    epsilon : float
        Starts the steps, and keeps the divisor away from 0.
    clipnorm, clipvalue : float, optional
        See :class:`Optimizer`.

    References
    ----------
    M. D. Zeiler, 2012: ADADELTA: an adaptive learning rate method.

    Examples
    --------
    >>> Adadelta().lr
    1.0
    """

    slot_names = ('a', 'd')

    def __init__(self, lr: LearningRate = 1., rho: Beta = 0.95, epsilon: PositiveFloat = 1e-8, **kwargs: Any):
        super().__init__(**kwargs)
        self.lr = lr
        self.rho = rho
        self.epsilon = epsilon

    def numbers(self, t, lr):
        return {'lr': lr, 'rho': self.rho, 'rest': 1 - self.rho, 'epsilon': self.epsilon}

    def rule(self, n, param, gradient, a, d):
        a = a * n.rho + B.square(gradient) * n.rest
        step = gradient * B.sqrt((d + n.epsilon) / (a + n.epsilon))
        return [param - step * n.lr, a, d * n.rho + B.square(step) * n.rest]


@builtin('optimizer', 'adam')
class Adam(Optimizer):
    """A running mean of the gradients, divided by the root of a running mean of their squares; a good first choice.

    With ``lr_t = lr * sqrt(1 - beta_2 ** t) / (1 - beta_1 ** t)``, which makes up for means that start at 0::

        m = beta_1 * m + (1 - beta_1) * g
        v = beta_2 * v + (1 - beta_2) * g ** 2
        p = p - lr_t * m / (sqrt(v) + epsilon)

    Parameters
    ----------
    lr : float or schedule
        Learning rate, above 0, or what gives it for each step (:mod:`keraflow.schedules`).
    beta_1, beta_2 : float
        Shares of the means that are kept in each step, above 0 and below 1.
    epsilon : float
        Keeps the divisor away from 0.
    clipnorm, clipvalue : float, optional
        See :class:`Optimizer`.

    References
    ----------
    D. P. Kingma and J. Ba, 2015: Adam: a method for stochastic optimization.

    Examples
    --------
    >>> get('adam').beta_2
    0.999
    """

    slot_names = ('m', 'v')

    def __init__(self, lr: LearningRate = 0.001, beta_1: Beta = 0.9, beta_2: Beta = 0.999,
                 epsilon: PositiveFloat = 1e-8, **kwargs: Any):
        super().__init__(**kwargs)
        self.lr = lr
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon

    def numbers(self, t, lr):
        correction = B.divide(B.sqrt(_missing(self.beta_2, t)), _missing(self.beta_1, t))
        return {'lr': B.multiply(lr, correction), 'beta_1': self.beta_1, 'rest_1': 1 - self.beta_1,
                'beta_2': self.beta_2, 'rest_2': 1 - self.beta_2, 'epsilon': self.epsilon}

    def rule(self, n, param, gradient, m, v):
        m = m * n.beta_1 + gradient * n.rest_1
        v = v * n.beta_2 + B.square(gradient) * n.rest_2
        return [param - m * n.lr / (B.sqrt(v) + n.epsilon), m, v]


@builtin('optimizer', 'adamax')
class Adamax(Optimizer):
    """Adam with the largest of the latest gradients, fading, in the place of the root mean square.

    ::

        m = beta_1 * m + (1 - beta_1) * g
        u = max(beta_2 * u, |g|)
        p = p - lr / (1 - beta_1 ** t) * m / (u + epsilon)

    Parameters
    ----------
    lr : float or schedule
        Learning rate, above 0, or what gives it for each step (:mod:`keraflow.schedules`).
    beta_1, beta_2 : float
        Shares of the mean and the maximum that are kept in each step, above 0 and below 1.
    epsilon : float
        Keeps the divisor away from 0.
    clipnorm, clipvalue : float, optional
        See :class:`Optimizer`.

    References
    ----------
    D. P. Kingma and J. Ba, 2015: Adam: a method for stochastic optimization (section 7.1).

    Examples
    --------
    >>> Adamax().lr
    0.002
    """

    slot_names = ('m', 'u')

    def __init__(self, lr: LearningRate = 0.002, beta_1: Beta = 0.9, beta_2: Beta = 0.999,
                 epsilon: PositiveFloat = 1e-8, **kwargs: Any):
        super().__init__(**kwargs)
        self.lr = lr
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon

    def numbers(self, t, lr):
        return {'lr': B.divide(lr, _missing(self.beta_1, t)), 'beta_1': self.beta_1, 'rest_1': 1 - self.beta_1,
                'beta_2': self.beta_2, 'epsilon': self.epsilon}

    def rule(self, n, param, gradient, m, u):
        m = m * n.beta_1 + gradient * n.rest_1
        u = B.maximum(u * n.beta_2, B.abs(gradient))
        return [param - m * n.lr / (u + n.epsilon), m, u]


def get(value: Any) -> Any:
    """The optimizer of a name (``'adam'``), a class, or an object.

    Raises
    ------
    ArgumentError
        If there is none of that name.

    Examples
    --------
    >>> get('sgd').lr
    0.01
    """
    return resolve('optimizer', value)


def _missing(beta: float, t: Any) -> Any:
    """``1 - beta ** t``: what a running mean that started at 0 lacks after `t` steps, exact also for a beta near 1."""
    return B.negative(B.expm1(B.multiply(t, float(np.log(beta)))))
