"""Initial values of parameters: functions from a shape to a float64 NumPy array.

They are drawn from :func:`keraflow.random.generator`, never from a backend: the same seed gives the same values on
every backend. Arguments other than the shape are passed with ``functools.partial(uniform, scale=0.1)``.
"""
import contextvars
from typing import Any, ContextManager, Sequence, Tuple, Type

import numpy as np

from keraflow import backend as B
from keraflow.arguments import takes
from keraflow.backend.tensor_checks import check_shape
from keraflow.contexts import bound
from keraflow.errors import ArgumentError, ArgumentTypeError, KeraFlowError, ShapeError, describe
from keraflow.random import generator
from keraflow.registry import builtin, resolve
from keraflow.schema import Finite, NonNegative, check

__all__ = ['uniform', 'normal', 'lecun_uniform', 'glorot_normal', 'glorot_uniform', 'he_normal', 'he_uniform',
           'orthogonal', 'identity', 'zero', 'one', 'fans', 'get', 'values_of', 'weights_follow']

_weights_follow: contextvars.ContextVar[bool] = contextvars.ContextVar('_weights_follow', default=False)


@builtin('initialization')
def uniform(shape: Sequence[int], scale: NonNegative = 0.05) -> np.ndarray:
    """Draw uniformly from ``-scale`` to ``scale``.

    Parameters
    ----------
    shape : tuple of int
    scale : float
        The largest absolute value.

    Examples
    --------
    >>> from functools import partial
    >>> from keraflow.layers import Dense
    >>> layer = Dense(3, init=partial(uniform, scale=0.1))
    """
    check(scale, NonNegative, 'uniform: scale')
    return generator().uniform(-scale, scale, _checked(shape, 'uniform'))


@builtin('initialization')
def normal(shape: Sequence[int], scale: NonNegative = 0.05) -> np.ndarray:
    """Draw from a Gaussian with mean 0 and standard deviation `scale`.

    Parameters
    ----------
    shape : tuple of int
    scale : float
        Standard deviation.

    Examples
    --------
    >>> normal((3, 4)).shape
    (3, 4)
    """
    check(scale, NonNegative, 'normal: scale')
    return generator().normal(0., scale, _checked(shape, 'normal'))


@builtin('initialization')
def lecun_uniform(shape: Sequence[int]) -> np.ndarray:
    """Draw uniformly with the limit ``sqrt(3 / fan_in)``, a variance of ``1 / fan_in``; see :func:`fans`.

    Parameters
    ----------
    shape : tuple of int

    References
    ----------
    .. [1] Y. LeCun, L. Bottou, G. B. Orr and K.-R. Mueller, "Efficient backprop", Neural Networks: Tricks of the Trade,
       Springer, 1998.
    """
    return uniform(shape, np.sqrt(3. / fans(_checked(shape, 'lecun_uniform'))[0]))


@builtin('initialization')
def glorot_normal(shape: Sequence[int]) -> np.ndarray:
    """Draw from a Gaussian with the variance ``2 / (fan_in + fan_out)``; see :func:`fans`.

    Parameters
    ----------
    shape : tuple of int

    References
    ----------
    .. [1] X. Glorot and Y. Bengio, "Understanding the difficulty of training deep feedforward neural networks",
       AISTATS, 2010.
    """
    return normal(shape, np.sqrt(2. / sum(fans(_checked(shape, 'glorot_normal')))))


@builtin('initialization')
def glorot_uniform(shape: Sequence[int]) -> np.ndarray:
    """Draw uniformly with the limit ``sqrt(6 / (fan_in + fan_out))``, the variance of :func:`glorot_normal`.

    Parameters
    ----------
    shape : tuple of int

    References
    ----------
    .. [1] X. Glorot and Y. Bengio, "Understanding the difficulty of training deep feedforward neural networks",
       AISTATS, 2010.
    """
    return uniform(shape, np.sqrt(6. / sum(fans(_checked(shape, 'glorot_uniform')))))


@builtin('initialization')
def he_normal(shape: Sequence[int]) -> np.ndarray:
    """Draw from a Gaussian with the variance ``2 / fan_in``, for layers before a ``relu``; see :func:`fans`.

    Parameters
    ----------
    shape : tuple of int

    References
    ----------
    .. [1] K. He, X. Zhang, S. Ren and J. Sun, "Delving deep into rectifiers: surpassing human-level performance on
       ImageNet classification", ICCV, 2015.
    """
    return normal(shape, np.sqrt(2. / fans(_checked(shape, 'he_normal'))[0]))


@builtin('initialization')
def he_uniform(shape: Sequence[int]) -> np.ndarray:
    """Draw uniformly with the limit ``sqrt(6 / fan_in)``, the variance of :func:`he_normal`; see :func:`fans`.

    Parameters
    ----------
    shape : tuple of int

    References
    ----------
    .. [1] K. He, X. Zhang, S. Ren and J. Sun, "Delving deep into rectifiers: surpassing human-level performance on
       ImageNet classification", ICCV, 2015.
    """
    return uniform(shape, np.sqrt(6. / fans(_checked(shape, 'he_uniform'))[0]))


@builtin('initialization')
def orthogonal(shape: Sequence[int], scale: Finite = 1.1) -> np.ndarray:
    """Return a random orthogonal matrix times `scale`.

    ``W.T @ W`` (or ``W @ W.T``, if W is wide) is the identity times ``scale ** 2``.

    Parameters
    ----------
    shape : tuple of int
        At least 2 axes. The second one counts the columns, the others are flattened: for a convolution the kernels are
        orthogonal.
    scale : float
        The length of the columns (of the rows if the matrix is wide).

    Raises
    ------
    ShapeError
        For fewer than 2 axes.

    References
    ----------
    .. [1] A. M. Saxe, J. L. McClelland and S. Ganguli, "Exact solutions to the nonlinear dynamics of learning in deep
       linear neural networks", ICLR, 2014.

    Examples
    --------
    >>> W = orthogonal((5, 3), scale=1.)
    >>> bool(np.allclose(W.T @ W, np.eye(3)))
    True
    >>> kernels = orthogonal((2, 6, 5, 5))
    >>> bool(np.allclose(np.sum(kernels[:, 0] * kernels[:, 1]), 0))
    True
    """
    shape = _checked(shape, 'orthogonal')
    if len(shape) < 2:
        raise ShapeError(f'orthogonal: expected a shape of at least 2 axes, received {shape}. '
                         "Use 'normal' for a vector.")
    columns, rows = shape[1], int(np.prod(shape)) // shape[1]
    q, r = np.linalg.qr(generator().normal(size=(max(rows, columns), min(rows, columns))))
    q = q * np.where(np.diag(r) < 0, -1., 1.)   # undoes the signs that qr() chose: all directions become equally likely
    folded = (q if rows >= columns else q.T).reshape(shape[0], *shape[2:], columns)
    return scale * np.ascontiguousarray(np.moveaxis(folded, -1, 1))


@builtin('initialization')
def identity(shape: Sequence[int], scale: Finite = 1.) -> np.ndarray:
    """Return the identity matrix times `scale`.

    Parameters
    ----------
    shape : tuple of int
        ``(n, n)``.
    scale : float
        The value on the diagonal.

    Raises
    ------
    ShapeError
        Unless the shape is that of a square matrix.

    References
    ----------
    .. [1] Q. V. Le, N. Jaitly and G. E. Hinton, "A simple way to initialize recurrent networks of rectified linear
       units", arXiv:1504.00941, 2015.

    Examples
    --------
    >>> identity((2, 2), scale=3)
    array([[3., 0.],
           [0., 3.]])
    """
    shape = _checked(shape, 'identity')
    if len(shape) != 2 or shape[0] != shape[1]:
        raise ShapeError(f'identity: expected the shape of a square matrix (n, n), received {shape}. '
                         "Use 'orthogonal' for others.")
    return scale * np.eye(shape[0])


@builtin('initialization')
def zero(shape: Sequence[int]) -> np.ndarray:
    """Return zeros.

    Parameters
    ----------
    shape : tuple of int

    Examples
    --------
    >>> zero((3,))
    array([0., 0., 0.])
    """
    return np.zeros(_checked(shape, 'zero'))


@builtin('initialization')
def one(shape: Sequence[int]) -> np.ndarray:
    """Return ones.

    Parameters
    ----------
    shape : tuple of int

    Examples
    --------
    >>> one((3,))
    array([1., 1., 1.])
    """
    return np.ones(_checked(shape, 'one'))


def fans(shape: Sequence[int]) -> Tuple[float, float]:
    """Count the inputs of an output, and the outputs that an input reaches: ``(fan_in, fan_out)``.

    Parameters
    ----------
    shape : tuple of int
        ``(input_dim, output_dim)``; with 3 to 5 axes a convolution's kernels, ``(input_depth, nb_kernel, *lengths)``;
        for any other shape both fans are the square root of the number of values.

    Examples
    --------
    >>> fans((20, 30))
    (20, 30)
    >>> fans((3, 8, 5, 5))
    (75, 200)
    """
    shape = _checked(shape, 'fans')
    if len(shape) == 2:
        return shape[0], shape[1]
    if 3 <= len(shape) <= 5:
        receptive = int(np.prod(shape[2:]))
        return shape[0] * receptive, shape[1] * receptive
    return float(np.sqrt(np.prod(shape))), float(np.sqrt(np.prod(shape)))


def get(value: Any) -> Any:
    """Return the initialization with a name (``'glorot_uniform'``), or a function itself.

    Raises
    ------
    ArgumentError
        If none has that name.

    Examples
    --------
    >>> get('zeros')
    Traceback (most recent call last):
    ...
    keraflow.errors.ArgumentError: there is no initialization 'zeros'. Did you mean 'zero'?
    """
    return resolve('initialization', value)


def weights_follow() -> ContextManager[None]:
    """Draw no values inside the block, in this thread: what is built there is given its weights next."""
    return bound(_weights_follow, True)


def values_of(init: Any, shape: Sequence[int], where: str) -> np.ndarray:
    """Return the values of an initialization, by name or as a function, as an array even if it returns a tensor.

    Raises
    ------
    ShapeError
        For values of another shape; the message starts with `where`.
    """
    if _weights_follow.get():
        return np.zeros(_checked(shape, where), B.floatx())
    function = get(init)
    if not takes(function, tuple(shape)):
        raise ArgumentTypeError(f'{where}: init: expected a function of the shape, received {describe(function)}, '
                                'which takes other arguments. Pass further ones with functools.partial.')
    values = function(tuple(shape))
    check_shape(values, shape, f'{where}: init')
    return B.eval(values) if B.is_tensor(values) else np.asarray(values)


def _checked(shape: Any, where: str) -> Tuple[int, ...]:
    def refuse(advice: str, error: Type[KeraFlowError] = ArgumentTypeError) -> None:
        raise error(f'{where}: expected a shape, a tuple of integers such as (64, 10), received {describe(shape)}.'
                    f'{advice}')

    if not isinstance(shape, (tuple, list)):
        refuse(f' Write ({shape},).' if isinstance(shape, (int, np.integer)) else '')
    for length in shape:
        if isinstance(length, (float, np.floating)):
            refuse(f' Write int({length}) or use // instead of /.')
        if not isinstance(length, (int, np.integer)) or isinstance(length, bool):
            refuse(' The shape of a parameter must be fully known.' if length is None else '')
        if length < 1:
            refuse(' Every length is at least 1.', ArgumentError)
    return tuple(map(int, shape))
