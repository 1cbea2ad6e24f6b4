"""Constraints: what replaces a parameter after each update."""
from typing import Any

from keraflow import backend as B
from keraflow.errors import ShapeError
from keraflow.registry import builtin, resolve
from keraflow.schema import Axes, PositiveFloat
from keraflow.serialization import Serializable

__all__ = ['Constraint', 'MaxNorm', 'NonNeg', 'UnitNorm', 'get']


class Constraint(Serializable):
    """Base of constraints: called with a parameter, it returns the value to replace it, of the same shape."""

    kind = 'constraint'
    required_methods = {'__call__': ()}

    def __call__(self, param: Any) -> Any:
        raise NotImplementedError


@builtin('constraint', 'maxnorm')
class MaxNorm(Constraint):
    """Limit norms to `m`: ``w * clip(norm, 0, m) / (epsilon + norm)``, where ``norm = sqrt(sum(w ** 2, axis))``.

    Parameters
    ----------
    m : float
        The largest norm, above 0.
    axis : int or list of int
        The axes over which squares are added up. 0 gives the weights ``W (input_dim, output_dim)`` of a Dense one norm
        for each output. For a convolution's ``W (input_depth, nb_kernel, rows, cols)`` write ``[0, 2, 3]``: one norm
        for each kernel.

    Raises
    ------
    ShapeError
        If the parameter does not have such an axis.

    References
    ----------
    .. [1] N. Srivastava, G. Hinton, A. Krizhevsky, I. Sutskever and R. Salakhutdinov, "Dropout: a simple way to prevent
       neural networks from overfitting", Journal of Machine Learning Research, 2014.

    Examples
    --------
    >>> from keraflow.layers import Dense
    >>> layer = Dense(3, constraints={'W': MaxNorm(1.5)})
    """

    def __init__(self, m: PositiveFloat = 2, axis: Axes = 0):
        self.m = m
        self.axis = axis

    def __call__(self, param: Any) -> Any:
        norm = _norm(param, self.axis, 'MaxNorm')
        return B.multiply(param, B.divide(B.minimum(norm, self.m), B.add(norm, B.epsilon())))


@builtin('constraint', 'nonneg')
class NonNeg(Constraint):
    """Clip negative values: ``max(w, 0)``.

    Examples
    --------
    >>> from keraflow.layers import Dense
    >>> layer = Dense(3, constraints=['nonneg'])
    """

    def __call__(self, param: Any) -> Any:
        return B.maximum(param, 0)


@builtin('constraint', 'unitnorm')
class UnitNorm(Constraint):
    """Scale norms to 1: ``w / (epsilon + sqrt(sum(w ** 2, axis)))``. Zero vectors stay zero.

    Parameters
    ----------
    axis : int or list of int
        The axes over which squares are added up, as in :class:`MaxNorm`.

    Raises
    ------
    ShapeError
        If the parameter does not have such an axis.

    References
    ----------
    .. [1] T. Salimans and D. P. Kingma, "Weight normalization: a simple reparameterization to accelerate training of
       deep neural networks", NIPS, 2016.
    """

    def __init__(self, axis: Axes = 0):
        self.axis = axis

    def __call__(self, param: Any) -> Any:
        return B.divide(param, B.add(_norm(param, self.axis, 'UnitNorm'), B.epsilon()))


def get(value: Any) -> Any:
    """Return the constraint with a name (``'maxnorm'``), or of a class, or an object itself.

    Raises
    ------
    ArgumentError
        If none has that name.

    Examples
    --------
    >>> get('maxnorm').m
    2
    """
    return resolve('constraint', value)


def _norm(param: Any, axis: Axes, where: str) -> Any:
    ndim = B.ndim(param)
    for one in axis if isinstance(axis, (list, tuple)) else [axis]:
        if not -ndim <= one < ndim:
            raise ShapeError(f'{where}: there is no axis {one} in a parameter of {ndim} '
                             f"{'axis' if ndim == 1 else 'axes'}, {B.static_shape(param)}. Pass another axis=.")
    return B.norm(param, axis, keepdims=True)
