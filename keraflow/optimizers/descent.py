"""Plain gradient descent, and methods with a separate rate for each value of a parameter.

In the formulas ``p`` is a parameter, ``g`` its gradient, and ``t`` the number of the step, from 1 on. All other letters
are slots: variables kept for each parameter, initially 0.
"""
from typing import Any, Dict, Sequence, Tuple

from keraflow import backend as B
from keraflow.optimizers.base import Optimizer
from keraflow.registry import builtin
from keraflow.schedules import inverse_time
from keraflow.schema import Beta, LearningRate, NonNegative, PositiveFloat, Rate

__all__ = ['SGD', 'RMSprop', 'Adagrad', 'Adadelta', 'Ftrl']


@builtin('optimizer', 'sgd')
class SGD(Optimizer):
    """Stochastic gradient descent, with optional momentum, Nesterov momentum and decay of the rate.

    With ``lr_t = lr / (1 + decay * iterations)``, where ``iterations`` is 0 in the first step::

        v = momentum * v - lr_t * g
        p = p + v                               # nesterov: p + momentum * v - lr_t * g

    Parameters
    ----------
    lr : float or schedule
        Learning rate, above 0, or a schedule (:mod:`keraflow.schedules`).
    momentum : float
        Fraction of the previous step that is added, at least 0 and below 1. With 0 there is no slot, and for the table
        of an :class:`~keraflow.layers.Embedding` only the rows that were looked up are computed.
    decay : float
        How fast the rate falls, at least 0.
    nesterov : bool
        Whether to use Nesterov momentum.
    clipnorm, clipvalue : float, optional
        See :class:`Optimizer`.

    References
    ----------
    .. [1] I. Sutskever, J. Martens, G. Dahl and G. Hinton, "On the importance of initialization and momentum in deep
       learning", ICML, 2013.

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

    @property
    def skips_zeros(self) -> bool:  # type: ignore[override]
        """Whether there is no momentum, which would move a parameter even without a gradient."""
        return not self.momentum

    def coefficients(self, t: Any, lr: Any) -> Dict[str, Any]:
        if self.decay:
            lr = inverse_time(lr, self.decay, B.subtract(t, 1))
        return {'lr': lr, 'momentum': self.momentum}

    def update_rule(self, c: Any, param: Any, gradient: Any, v: Any = None) -> Sequence[Any]:
        step = gradient * c.lr
        if v is None:
            return [param - step]
        v = v * c.momentum - step
        return [param + v * c.momentum - step if self.nesterov else param + v, v]


@builtin('optimizer', 'rmsprop')
class RMSprop(Optimizer):
    """RMSprop: divide gradients by a running root mean square of theirs.

    ::

        a = rho * a + (1 - rho) * g ** 2
        p = p - lr * g / (sqrt(a) + epsilon)

    Parameters
    ----------
    lr : float or schedule
        Learning rate, above 0, or a schedule (:mod:`keraflow.schedules`).
    rho : float
        Decay rate of the mean square, above 0 and below 1.
    epsilon : float
        Keeps the divisor away from 0.
    clipnorm, clipvalue : float, optional
        See :class:`Optimizer`.

    References
    ----------
    .. [1] T. Tieleman and G. Hinton, "Lecture 6.5 - RMSProp", Coursera: Neural Networks for Machine Learning, 2012.

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

    def coefficients(self, t: Any, lr: Any) -> Dict[str, Any]:
        return {'lr': lr, 'rho': self.rho, 'rest': 1 - self.rho, 'epsilon': self.epsilon}

    def update_rule(self, c: Any, param: Any, gradient: Any, a: Any) -> Sequence[Any]:
        a = a * c.rho + B.square(gradient) * c.rest
        return [param - gradient * c.lr / (B.sqrt(a) + c.epsilon), a]


@builtin('optimizer', 'adagrad')
class Adagrad(Optimizer):
    """Adagrad: divide gradients by the root of the sum of all their squares, so that rare features take larger steps.

    ::

        a = a + g ** 2
        p = p - lr * g / (sqrt(a) + epsilon)

    For the table of an :class:`~keraflow.layers.Embedding` only the rows that were looked up are computed.

    Parameters
    ----------
    lr : float or schedule
        Learning rate, above 0, or a schedule (:mod:`keraflow.schedules`).
    epsilon : float
        Keeps the divisor away from 0.
    clipnorm, clipvalue : float, optional
        See :class:`Optimizer`.

    References
    ----------
    .. [1] J. Duchi, E. Hazan and Y. Singer, "Adaptive subgradient methods for online learning and stochastic
       optimization", Journal of Machine Learning Research, 2011.

    Examples
    --------
    >>> Adagrad().lr
    0.01
    """

    slot_names = ('a',)
    skips_zeros = True

    def __init__(self, lr: LearningRate = 0.01, epsilon: PositiveFloat = 1e-8, **kwargs: Any):
        super().__init__(**kwargs)
        self.lr = lr
        self.epsilon = epsilon

    def coefficients(self, t: Any, lr: Any) -> Dict[str, Any]:
        return {'lr': lr, 'epsilon': self.epsilon}

    def update_rule(self, c: Any, param: Any, gradient: Any, a: Any) -> Sequence[Any]:
        a = a + B.square(gradient)
        return [param - gradient * c.lr / (B.sqrt(a) + c.epsilon), a]


@builtin('optimizer', 'adadelta')
class Adadelta(Optimizer):
    """Adadelta: scale steps by the root mean square of earlier ones over that of the gradients, without tuning a rate.

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
        Decay rate of the mean squares, above 0 and below 1.
    epsilon : float
        Starts the steps, and keeps the divisor away from 0.
    clipnorm, clipvalue : float, optional
        See :class:`Optimizer`.

    References
    ----------
    .. [1] M. D. Zeiler, "ADADELTA: an adaptive learning rate method", arXiv:1212.5701, 2012.

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

    def coefficients(self, t: Any, lr: Any) -> Dict[str, Any]:
        return {'lr': lr, 'rho': self.rho, 'rest': 1 - self.rho, 'epsilon': self.epsilon}

    def update_rule(self, c: Any, param: Any, gradient: Any, a: Any, d: Any) -> Sequence[Any]:
        a = a * c.rho + B.square(gradient) * c.rest
        step = gradient * B.sqrt((d + c.epsilon) / (a + c.epsilon))
        return [param - step * c.lr, a, d * c.rho + B.square(step) * c.rest]


@builtin('optimizer', 'ftrl')
class Ftrl(Optimizer):
    """FTRL-Proximal, for sparse models: each weight follows all its gradients, and `l1` keeps weights at exactly 0.

    ::

        a = a + g ** 2
        rate = lr / (beta + sqrt(a))
        u = p + rate * (d - g)
        p = sign(u) * max(|u| - rate * l1, 0) / (1 + rate * l2)
        d = (u - p) / rate

    The paper stores ``z`` instead of ``d = -z - p / rate``. The steps are the same for a weight that starts at 0, as
    there; from any other start the proximal term pulls towards that start and not towards 0.

    Parameters
    ----------
    lr : float or schedule
        Learning rate, above 0, or a schedule (:mod:`keraflow.schedules`).
    beta : float
        Keeps the first steps small, above 0.
    l1, l2 : float
        Strengths of the penalties ``l1 * sum(|p|)`` and ``l2 / 2 * sum(p ** 2)``, at least 0. They count once, not once
        for each step.
    clipnorm, clipvalue : float, optional
        See :class:`Optimizer`.

    References
    ----------
    .. [1] H. B. McMahan et al., "Ad click prediction: a view from the trenches", KDD, 2013.

    Examples
    --------
    >>> Ftrl(l1=0.1).beta
    1.0
    """

    slot_names = ('a', 'd')

    def __init__(self, lr: LearningRate = 0.1, beta: PositiveFloat = 1., l1: NonNegative = 0., l2: NonNegative = 0.,
                 **kwargs: Any):
        super().__init__(**kwargs)
        self.lr = lr
        self.beta = beta
        self.l1 = l1
        self.l2 = l2

    def coefficients(self, t: Any, lr: Any) -> Dict[str, Any]:
        # A schedule may end at 0, where u / rate must stay finite.
        return {'lr': lr, 'inverse': B.divide(1, B.maximum(lr, 1e-30)), 'beta': self.beta, 'l1': self.l1, 'l2': self.l2}

    def update_rule(self, c: Any, param: Any, gradient: Any, a: Any, d: Any) -> Sequence[Any]:
        a = a + B.square(gradient)
        scale = B.sqrt(a) + c.beta
        rate = c.lr / scale
        u = param + rate * (d - gradient)
        pull = u * scale * c.inverse
        cut = B.clip(pull, -c.l1, c.l1)
        # Rounding must not leave a residue of what is cut to 0.
        param = B.where(B.less_equal(B.abs(pull), c.l1), 0., (u - rate * cut) / (rate * c.l2 + 1.))
        return [param, a, cut + param * c.l2]
