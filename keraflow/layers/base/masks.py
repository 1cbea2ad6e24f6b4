"""Masks: bool tensors ``(batch, time)``, True where a step counts."""
import contextlib
import contextvars
import functools
import inspect
from typing import Any, Callable, Iterator, Literal, Sequence

import numpy as np

from keraflow import backend as B
from keraflow.backend.tensor_checks import check_fits
from keraflow.backend.tensor_info import annotate, info_of
from keraflow.contexts import bound
from keraflow.errors import ArgumentError
from keraflow.shapes import agree

__all__ = ['LOWEST', 'check_mask_value', 'counted_in_windows', 'counted_samples', 'full_mask', 'inherit_mask',
           'joint_mask', 'loses_mask', 'running_on_parts', 'sample_count', 'step_mask', 'with_default_mask']

#: Replaces masked values when a maximum is sought: finite, so that gradients are, and 0 after softmax.
LOWEST = -1e30

_counted: contextvars.ContextVar[Any] = contextvars.ContextVar('_counted', default=None)
_nb_sample: contextvars.ContextVar[Any] = contextvars.ContextVar('_nb_sample', default=None)


@contextlib.contextmanager
def running_on_parts(samples: Any, nb_sample: Any) -> Iterator[None]:
    """Run layers inside the block on parts of samples, which count where ``(batch,)`` is True; ``None`` means all."""
    with bound(_counted, samples), bound(_nb_sample, nb_sample):
        yield


def counted_samples() -> Any:
    """Return the samples set by :func:`running_on_parts`, for what is computed over the samples of a batch."""
    return _counted.get()


def sample_count(x: Any) -> Any:
    """Return the number of samples of a tensor: the length of its first axis.

    It differs if :func:`running_on_parts` says that its rows are parts of samples.
    """
    return B.shape(x)[0] if _nb_sample.get() is None else _nb_sample.get()


def check_mask_value(value: float, dtype: str, where: str) -> None:
    """Raise unless numbers of this dtype can equal `value`."""
    if value != value:
        raise ArgumentError(f'{where}: expected a number that equals itself, received {value}. Replace it in '
                            'the data, for example by -1, and mask that.')
    check_fits(np.asarray(value), dtype, where, 'Choose one that the data can have, or another dtype.')


def step_mask(x: Any, mask_value: float) -> Any:
    """Return True for the steps of ``(batch, time, ...)`` in which any value is not `mask_value`."""
    mask = B.not_equal(x, np.asarray(mask_value, B.dtype(x)))   # rounded as the data are
    return B.any(mask, axis=list(range(2, B.ndim(x)))) if B.ndim(x) > 2 else mask


def full_mask(x: Any) -> Any:
    """Return True for all steps of ``(batch, time, ...)``."""
    return step_mask(B.zeros_like(x), 1)


def joint_mask(masks: Sequence[Any]) -> Any:
    """Return True where all masks are; ``None`` is a mask that is True everywhere."""
    joint = None
    for mask in masks:
        if mask is not None:
            joint = mask if joint is None else B.logical_and(joint, mask)
    return joint


def counted_in_windows(mask: Any, window: int, stride: int, pad: Literal['valid', 'same'], dilation: int = 1) -> Any:
    """Count the unmasked steps of each window over the time of a series."""
    found = B.conv(B.expand_dims(B.cast(mask, B.floatx()), -1), B.ones((1, 1, window)), (stride,), pad, (dilation,),
                   'channels_last')
    return B.squeeze(found, -1)


def with_default_mask(output: Callable) -> Callable:
    """Let the argument ``mask`` of a method ``output`` default to the mask of its input.

    It is a list of masks for a list of inputs. This also holds if a subclass calls the method.
    """
    if hasattr(output, '_is_given_mask'):   # inherited: done for the base class
        return output
    place = list(inspect.signature(output).parameters).index('mask') - 2    # without self and x

    @functools.wraps(output)
    def run(self: Any, x: Any, *args: Any, **kwargs: Any) -> Any:
        if 'mask' not in kwargs and len(args) <= place:
            masks = [info_of(one).mask if self.reads_mask else None for one in (x if self.multi_input else [x])]
            kwargs['mask'] = masks if self.multi_input else masks[0]
        return output(self, x, *args, **kwargs)
    setattr(run, '_is_given_mask', True)
    return run


def inherit_mask(tensor: Any, inputs: Sequence[Any]) -> Any:
    """Give a computed tensor the mask of an input with the same first axes (batch, time), unless its mask is known."""
    if not info_of(tensor).says_mask:
        shape = B.static_shape(tensor)
        for mask in (info_of(it).mask for it in inputs):
            if mask is not None and agree(shape[:B.ndim(mask)], B.static_shape(mask)):
                return annotate(tensor, mask=mask)
    return tensor


def loses_mask(inputs: Sequence[Any], outputs: Sequence[Any]) -> bool:
    """Return whether an input has a mask and no output has one."""
    return any(info_of(it).mask is not None for it in inputs) and all(info_of(it).mask is None for it in outputs)
