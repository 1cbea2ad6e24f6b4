"""Adam and its relatives: running means of gradients and of their magnitudes.

In the formulas ``p`` is a parameter, ``g`` its gradient, and ``t`` the number of the step, from 1 on. All other letters
are slots: variables kept for each parameter, initially 0.
"""
from typing import Any, Dict, List, Optional, Sequence, Tuple

import numpy as np

from keraflow import backend as B
from keraflow.optimizers.base import Optimizer
from keraflow.registry import builtin
from keraflow.schema import Beta, LearningRate, NonNegative, PositiveFloat

__all__ = ['Adam', 'Adamax', 'AdamW', 'Nadam']


@builtin('optimizer', 'adam')
class Adam(Optimizer):
    """Adam: a running mean of the gradients, divided by the root of a running mean of their squares.

    With ``lr_t = lr * sqrt(1 - beta_2 ** t) / (1 - beta_1 ** t)``, which corrects the bias of means that start at 0::

        m = beta_1 * m + (1 - beta_1) * g
        v = beta_2 * v + (1 - beta_2) * g ** 2
        p = p - lr_t * m / (sqrt(v) + epsilon)

    Parameters
    ----------
    lr : float or schedule
        Learning rate, above 0, or a schedule (:mod:`keraflow.schedules`).
    beta_1, beta_2 : float
        Decay rates of the means, above 0 and below 1.
    epsilon : float
        Keeps the divisor away from 0.
    clipnorm, clipvalue : float, optional
        See :class:`Optimizer`.

    References
    ----------
    .. [1] D. P. Kingma and J. Ba, "Adam: a method for stochastic optimization", ICLR, 2015.

    Examples
    --------
    >>> Adam().beta_2
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

    def coefficients(self, t: Any, lr: Any) -> Dict[str, Any]:
        correction = B.divide(B.sqrt(_bias_correction(self.beta_2, t)), _bias_correction(self.beta_1, t))
        return {'lr': B.multiply(lr, correction), 'beta_1': self.beta_1, 'rest_1': 1 - self.beta_1,
                'beta_2': self.beta_2, 'rest_2': 1 - self.beta_2, 'epsilon': self.epsilon}

    def update_rule(self, c: Any, param: Any, gradient: Any, m: Any, v: Any) -> Sequence[Any]:
        m = m * c.beta_1 + gradient * c.rest_1
        v = v * c.beta_2 + B.square(gradient) * c.rest_2
        return [param - m * c.lr / (B.sqrt(v) + c.epsilon), m, v]


@builtin('optimizer', 'adamax')
class Adamax(Optimizer):
    """Adam with the largest recent gradient, decaying, in place of the root mean square.

    ::

        m = beta_1 * m + (1 - beta_1) * g
        u = max(beta_2 * u, |g|)
        p = p - lr / (1 - beta_1 ** t) * m / (u + epsilon)

    Parameters
    ----------
    lr : float or schedule
        Learning rate, above 0, or a schedule (:mod:`keraflow.schedules`).
    beta_1, beta_2 : float
        Decay rates of the mean and the maximum, above 0 and below 1.
    epsilon : float
        Keeps the divisor away from 0.
    clipnorm, clipvalue : float, optional
        See :class:`Optimizer`.

    References
    ----------
    .. [1] D. P. Kingma and J. Ba, "Adam: a method for stochastic optimization", ICLR, 2015, section 7.1.

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

    def coefficients(self, t: Any, lr: Any) -> Dict[str, Any]:
        return {'lr': B.divide(lr, _bias_correction(self.beta_1, t)), 'beta_1': self.beta_1, 'rest_1': 1 - self.beta_1,
                'beta_2': self.beta_2, 'epsilon': self.epsilon}

    def update_rule(self, c: Any, param: Any, gradient: Any, m: Any, u: Any) -> Sequence[Any]:
        m = m * c.beta_1 + gradient * c.rest_1
        u = B.maximum(u * c.beta_2, B.abs(gradient))
        return [param - m * c.lr / (u + c.epsilon), m, u]


@builtin('optimizer', 'adamw')
class AdamW(Adam):
    """:class:`Adam` with a weight decay that is not part of the gradient, so that Adam does not rescale it.

    It adds ``p = p - lr * weight_decay * p``, with the previous `p`, to the step of Adam, for all parameters including
    biases, as in the paper, whose factor of ``p`` is the whole product ``lr * weight_decay``.

    Parameters
    ----------
    lr : float or schedule
        Learning rate, above 0, or a schedule (:mod:`keraflow.schedules`). It scales the decay, too.
    weight_decay : float
        At least 0.
    beta_1, beta_2, epsilon : float
        See :class:`Adam`.
    clipnorm, clipvalue : float, optional
        See :class:`Optimizer`.

    References
    ----------
    .. [1] I. Loshchilov and F. Hutter, "Decoupled weight decay regularization", ICLR, 2019.

    Examples
    --------
    >>> AdamW(weight_decay=0.05).beta_1
    0.9
    """

    def __init__(self, lr: LearningRate = 0.001, weight_decay: NonNegative = 0.01, **kwargs: Any):
        super().__init__(lr=lr, **kwargs)
        self.weight_decay = weight_decay

    def coefficients(self, t: Any, lr: Any) -> Dict[str, Any]:
        return {**super().coefficients(t, lr), 'decay': B.multiply(lr, self.weight_decay)}

    def update_rule(self, c: Any, param: Any, gradient: Any, m: Any, v: Any) -> Sequence[Any]:
        moved, m, v = super().update_rule(c, param, gradient, m, v)
        return [moved - param * c.decay, m, v]


@builtin('optimizer', 'nadam')
class Nadam(Optimizer):
    """Adam with Nesterov momentum: it steps along the mean of the next step.

    With a momentum that rises to `beta_1`, ``mu_t = beta_1 * (1 - 0.96 ** (t * momentum_decay) / 2)``, and the products
    ``P_t = mu_1 * ... * mu_t``::

        m = mu_t * m + (1 - mu_t) * g
        v = beta_2 * v + (1 - beta_2) * g ** 2
        ahead = mu_(t+1) * m / (1 - P_(t+1)) + (1 - mu_t) * g / (1 - P_t)
        p = p - lr * ahead / (sqrt(v / (1 - beta_2 ** t)) + epsilon)

    Parameters
    ----------
    lr : float or schedule
        Learning rate, above 0, or a schedule (:mod:`keraflow.schedules`).
    beta_1, beta_2 : float
        Final decay rates of the means, above 0 and below 1.
    epsilon : float
        Keeps the divisor away from 0.
    momentum_decay : float
        How fast the momentum rises from half of `beta_1`, at least 0.
    clipnorm, clipvalue : float, optional
        See :class:`Optimizer`.

    References
    ----------
    .. [1] T. Dozat, "Incorporating Nesterov momentum into Adam", ICLR Workshop, 2016.

    Examples
    --------
    >>> Nadam().momentum_decay
    0.004
    """

    slot_names = ('m', 'v')

    def __init__(self, lr: LearningRate = 0.002, beta_1: Beta = 0.9, beta_2: Beta = 0.999,
                 epsilon: PositiveFloat = 1e-8, momentum_decay: NonNegative = 0.004, **kwargs: Any):
        super().__init__(**kwargs)
        self.lr = lr
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.momentum_decay = momentum_decay
        self._product: Any = None

    def build(self, variables: Sequence[Any], names: Optional[Sequence[str]] = None, owner: Any = None) -> None:
        super().build(variables, names, owner)
        self._product = B.variable(1., dtype='float64', name='product')

    def updates(self, variables: Sequence[Any], gradients: Sequence[Any]) -> List[Tuple[Any, Any]]:
        t = B.add(B.cast(self._iterations, 'float64'), 1)
        return [*super().updates(variables, gradients), (self._product, B.multiply(self._product, self._momentum(t)))]

    def state(self) -> Dict[str, Any]:
        state = super().state()
        return {**state, 'product': self._product} if state else state  # nothing is built yet

    def coefficients(self, t: Any, lr: Any) -> Dict[str, Any]:
        now, then = self._momentum(t), self._momentum(B.add(t, 1))
        product = B.multiply(self._product, now)    # of the variable as it was before the step
        return {'mu': now, 'rest': B.subtract(1, now), 'beta_2': self.beta_2, 'rest_2': 1 - self.beta_2,
                'of_m': B.divide(B.multiply(lr, then), B.subtract(1, B.multiply(product, then))),
                'of_g': B.divide(B.multiply(lr, B.subtract(1, now)), B.subtract(1, product)),
                'scale': B.divide(1, B.sqrt(_bias_correction(self.beta_2, t))), 'epsilon': self.epsilon}

    def update_rule(self, c: Any, param: Any, gradient: Any, m: Any, v: Any) -> Sequence[Any]:
        m = m * c.mu + gradient * c.rest
        v = v * c.beta_2 + B.square(gradient) * c.rest_2
        return [param - (m * c.of_m + gradient * c.of_g) / (B.sqrt(v) * c.scale + c.epsilon), m, v]

    def _momentum(self, t: Any) -> Any:
        warmth = B.power(0.96, B.multiply(t, self.momentum_decay))
        return B.multiply(B.subtract(1, B.multiply(warmth, 0.5)), self.beta_1)


def _bias_correction(beta: float, t: Any) -> Any:
    """Return ``1 - beta ** t``, the bias correction of a running mean after `t` steps, exact even for a beta near 1."""
    return B.negative(B.expm1(B.multiply(t, float(np.log(beta)))))
