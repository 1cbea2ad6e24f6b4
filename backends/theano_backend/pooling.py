"""The largest value of windows, with a gradient that goes to one cell."""
from typing import Any, Sequence

from .configure import T, theano
from .python_convolutions import first_of_windows, spread_to_first

__all__ = ['MaxPool']


class MaxPool(T.signal.pool.Pool):
    """The largest value of each window; the first of equal ones has the gradient.

    Theano's own Op gives each of them the whole gradient. After a ``relu`` many windows are 0 throughout.
    """

    def L_op(self, inputs: Sequence, outputs: Sequence, gradients: Sequence) -> list:
        (x, *windows), (gradient,) = inputs, gradients
        found = ToFirst(self.ignore_border, self.ndim)(x, outputs[0], gradient, *windows)
        return [found, *(theano.gradient.DisconnectedType()() for _ in windows)]


class _FirstOnly:
    """For Theano's Ops that look for the largest values of windows: a window is done with when one is found."""

    def c_code(self, node: Any, name: str, *args: Any) -> str:
        found = 'if (a == maximum){'
        ends = (f'm{axis} = r_end[{axis}];' for axis in range(self.ndim))  # type: ignore[attr-defined]
        return super().c_code(node, name, *args).replace(found, found + ' '.join(ends))  # type: ignore[misc]


class ToFirst(_FirstOnly, T.signal.pool.MaxPoolGrad):
    """The gradient of :class:`MaxPool`."""

    def perform(self, node: Any, inputs: Sequence, output_storage: Sequence) -> None:
        output_storage[0][0] = spread_to_first(*inputs)

    def grad(self, inputs: Sequence, gradients: Sequence) -> list:
        x, peaks, _, *windows = inputs
        found = OfFirst(self.ignore_border, ndim=self.ndim)(x, peaks, gradients[0], *windows)
        return [T.zeros_like(x), T.zeros_like(peaks), found, *(theano.gradient.DisconnectedType()() for _ in windows)]


class OfFirst(_FirstOnly, T.signal.pool.DownsampleFactorMaxGradGrad):
    """The values of a tensor where another one has the first of the largest values of a window."""

    def perform(self, node: Any, inputs: Sequence, output_storage: Sequence) -> None:
        output_storage[0][0] = first_of_windows(*inputs)

    def grad(self, inputs: Sequence, gradients: Sequence) -> list:
        x, peaks, _, *windows = inputs
        found = ToFirst(self.ignore_border, self.ndim)(x, peaks, gradients[0], *windows)
        return [T.zeros_like(x), T.zeros_like(peaks), found, *(theano.gradient.DisconnectedType()() for _ in windows)]
