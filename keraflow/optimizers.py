"""Optimizers: how parameters move, given the gradients of the loss.

An optimizer is written by naming its slots (a variable for each parameter, zero at first), the numbers of a step, and
the rule for one parameter; :class:`Optimizer` does the rest. The numbers of a step are computed once, in float64, and
rounded to the dtype of the parameters at the end, so that a step is the same on every backend.
"""
from types import SimpleNamespace
from typing import Any, Dict, List, Optional, Sequence, Tuple

import numpy as np

from keraflow import backend as B
from keraflow import schema
from keraflow.errors import ArgumentError
from keraflow.registry import builtin, resolve
from keraflow.schema import Beta, NonNegative, PositiveFloat, Rate
from keraflow.serialization import Serializable

__all__ = ['Optimizer', 'SGD', 'RMSprop', 'Adagrad', 'Adadelta', 'Adam', 'Adamax', 'get']


class Optimizer(Serializable):
    """Base of optimizers.

    A subclass defines :attr:`slot_names`, :meth:`numbers` and :meth:`rule`, and stores the learning rate as ``self.lr``.

    Parameters
    ----------
    clipnorm : float, optional
        Scale all gradients by ``clipnorm / max(norm, clipnorm)``, where ``norm`` is the root of the sum of squares over
        all of them together: their direction stays as it is.
    clipvalue : float, optional
        Clip each value of the gradients to ``[-clipvalue, clipvalue]``, after `clipnorm`.

    References
    ----------
    R. Pascanu, T. Mikolov and Y. Bengio, 2013: On the difficulty of training recurrent neural networks (clipnorm).

    Examples
    --------
    >>> class SignDescent(Optimizer):
    ...     def __init__(self, lr: float = 0.01, **kwargs):
    ...         super().__init__(**kwargs)
    ...         self.lr = lr
    ...     def numbers(self, t, lr):
    ...         return {'lr': lr}
    ...     def rule(self, n, param, gradient):
    ...         return [param - n.lr * B.sign(gradient)]
    >>> SignDescent(lr=0.1).lr
    0.1
    """

    kind = 'optimizer'
    quiet_arguments = frozenset({'clipnorm', 'clipvalue'})
    #: Names of the variables that are kept for each parameter.
    slot_names: Tuple[str, ...] = ()

    def __init__(self, clipnorm: Optional[PositiveFloat] = None, clipvalue: Optional[PositiveFloat] = None):
        self.clipnorm = clipnorm
        self.clipvalue = clipvalue
        self._backend: Any = None
        self._lr: Any = None
        self._iterations: Any = None
        self._variables: List[Any] = []
        self._slots: List[List[Any]] = []

    # -- what an optimizer defines ----------------------------------------------------------------------------------

    def numbers(self, t: Any, lr: Any) -> Dict[str, Any]:
        """The numbers of a step by name: Python numbers, or float64 scalars made with ``B.`` from `t` and `lr`.

        Parameters
        ----------
        t : tensor
            How many steps there have been, this one included: 1, 2, ... as a float64 scalar.
        lr : tensor
            The learning rate, a float64 scalar.
        """
        raise NotImplementedError

    def rule(self, n: Any, param: Any, gradient: Any, *slots: Any) -> Sequence[Any]:
        """The new value of a parameter, followed by those of its slots.

        `n` has the numbers of :meth:`numbers` as attributes, in the dtype of the parameter.
        """
        raise NotImplementedError

    # -- what a model uses ------------------------------------------------------------------------------------------

    @property
    def lr(self) -> float:
        """Learning rate. Setting it acts on functions that are compiled already."""
        if 'lr' not in vars(self):
            raise AttributeError(f"'{type(self).__name__}' object has no attribute 'lr'")
        return vars(self)['lr']

    @lr.setter
    def lr(self, value: float) -> None:
        schema.check(value, PositiveFloat, f'{type(self).__name__}: lr')
        vars(self)['lr'] = float(value)     # here the data of the object are looked up when it is saved
        if self._lr is not None:
            self._backend.set_value(self._lr, value)

    def build(self, variables: Sequence[Any]) -> None:
        """Make the slots of these parameters, and start counting steps anew. Not inside a builder."""
        self._backend = B.current()
        self._variables = list(variables)
        self._lr = B.variable(self.lr, dtype='float64', name='lr')
        self._iterations = B.variable(0, dtype='int64', name='iterations')
        self._slots = [[B.variable(np.zeros(B.static_shape(variable)), dtype=B.dtype(variable), name=f'{name}/{index}')
                        for name in self.slot_names] for index, variable in enumerate(self._variables)]

    def updates(self, variables: Sequence[Any], gradients: Sequence[Any]) -> List[Tuple[Any, Any]]:
        """One step, as pairs ``(variable, new value)`` for the parameters, their slots and the count of steps.

        Changes nothing: it may be called by several builders, and several times.

        Raises
        ------
        ArgumentError
            If the variables are not those of the latest :meth:`build`.
        """
        if [id(variable) for variable in variables] != [id(variable) for variable in self._variables]:
            raise ArgumentError(f'{type(self).__name__}: expected the parameters that this optimizer was built for, '
                                'received others. Give each model an optimizer of its own.')
        t = B.add(B.cast(self._iterations, 'float64'), 1)
        numbers = self.numbers(t, B.identity(self._lr))
        gradients = self._clipped(gradients)
        rounded: Dict[str, Any] = {}
        updates = [(self._iterations, B.add(self._iterations, 1))]
        for variable, gradient, slots in zip(variables, gradients, self._slots):
            dtype = B.dtype(variable)
            if dtype not in rounded:
                rounded[dtype] = SimpleNamespace(**{name: _rounded(value, dtype) for name, value in numbers.items()})
            updates += zip([variable, *slots], self.rule(rounded[dtype], variable, gradient, *slots))
        return updates

    def state(self) -> Dict[str, Any]:
        """The variables to save in order to continue later: ``'iterations'``, ``'m/0'``, ``'v/0'``, ``'m/1'``, ..."""
        if self._iterations is None:
            return {}
        return {'iterations': self._iterations, **{
            f'{name}/{index}': slot for index, slots in enumerate(self._slots)
            for name, slot in zip(self.slot_names, slots)}}

    def _clipped(self, gradients: Sequence[Any]) -> Sequence[Any]:
        if self.clipnorm is not None and gradients:
            squares = [B.cast(B.sum(B.square(gradient)), 'float64') for gradient in gradients]
            norm = B.sqrt(sum(squares[1:], squares[0]))
            scale = B.divide(self.clipnorm, B.maximum(norm, self.clipnorm))
            gradients = [gradient * B.cast(scale, B.dtype(gradient)) for gradient in gradients]
        if self.clipvalue is not None:
            gradients = [B.clip(gradient, -self.clipvalue, self.clipvalue) for gradient in gradients]
        return gradients


@builtin('optimizer', 'sgd')
class SGD(Optimizer):
    """Stochastic gradient descent, with momentum, Nesterov's momentum and a decaying rate where wanted.

    With ``lr_t = lr / (1 + decay * iterations)``, where ``iterations`` is 0 in the first step::

        v = momentum * v - lr_t * g
        p = p + v                               # nesterov: p + momentum * v - lr_t * g

    Parameters
    ----------
    lr : float
        Learning rate, above 0.
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

    def __init__(self, lr: PositiveFloat = 0.01, momentum: Rate = 0., decay: NonNegative = 0., nesterov: bool = False,
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
            lr = B.divide(lr, B.add(B.multiply(B.subtract(t, 1), self.decay), 1))
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
    lr : float
        Learning rate, above 0.
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

    def __init__(self, lr: PositiveFloat = 0.001, rho: Beta = 0.9, epsilon: PositiveFloat = 1e-8, **kwargs: Any):
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
    lr : float
        Learning rate, above 0.
    epsilon : float
        Keeps the divisor away from 0.
    clipnorm, clipvalue : float, optional
        See :class:`Optimizer`.

    References
    ----------
    J. Duchi, E. Hazan and Y. Singer, 2011: Adaptive subgradient methods for online learning and stochastic optimization.

    Examples
    --------
    >>> Adagrad().lr
    0.01
    """

    slot_names = ('a',)

    def __init__(self, lr: PositiveFloat = 0.01, epsilon: PositiveFloat = 1e-8, **kwargs: Any):
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
    lr : float
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

    def __init__(self, lr: PositiveFloat = 1., rho: Beta = 0.95, epsilon: PositiveFloat = 1e-8, **kwargs: Any):
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
    lr : float
        Learning rate, above 0.
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

    def __init__(self, lr: PositiveFloat = 0.001, beta_1: Beta = 0.9, beta_2: Beta = 0.999,
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
    lr : float
        Learning rate, above 0.
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

    def __init__(self, lr: PositiveFloat = 0.002, beta_1: Beta = 0.9, beta_2: Beta = 0.999,
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


def _rounded(value: Any, dtype: str) -> Any:
    return B.cast(value, dtype) if B.is_tensor(value) else B.constant(value, dtype)
