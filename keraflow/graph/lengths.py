"""Lengths that are only known with the data."""
from typing import Any

from keraflow import backend as B

__all__ = ['equally_long']


def equally_long(x: Any, other: Any, message: str) -> Any:
    """Return `x`, with a check at run time that its unknown lengths equal those of another tensor.

    On a length of 1 the backends disagree: one broadcasts it, the other refuses it. The sample axis is not checked.

    Parameters
    ----------
    x, other : tensor
    message : str
        The message of the DataError; ``{}`` is replaced by the number of the axis.

    Examples
    --------
    >>> def add(x, y):
    ...     return [x + equally_long(y, x, 'expected one length along axis {}.')], []
    >>> run = B.compile(add, [B.TensorSpec((None, None), 'float32')] * 2)
    >>> run([[1., 2.]], [[3.]])
    Traceback (most recent call last):
    keraflow.errors.DataError: expected one length along axis 1.
    """
    for axis, lengths in enumerate(zip(B.static_shape(x), B.static_shape(other))):
        if axis and lengths == (None, None):
            x = B.require(x, B.equal(B.shape(x)[axis], B.shape(other)[axis]), message.format(axis))
    return x
