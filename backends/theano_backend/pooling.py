"""Max pooling with a gradient that goes to a single cell."""
from typing import Any, Sequence

from .configure import T, theano
from .python_convolutions import first_of_windows, spread_to_first

__all__ = ['MaxPool']


class MaxPool(T.signal.pool.Pool):
    """The maximum of each window; on ties the first gets the gradient.

    Theano's own Op passes the whole gradient to each of them. After a ``relu`` many windows are 0 throughout.
    """

    def L_op(self, inputs: Sequence, outputs: Sequence, gradients: Sequence) -> list:
        (x, *windows), (gradient,) = inputs, gradients
        found = ToFirst(self.ignore_border, self.ndim)(x, outputs[0], gradient, *windows)
        return [found, *(theano.gradient.DisconnectedType()() for _ in windows)]


class _FirstOnly:
    """Makes Theano's Ops that search windows for their maxima stop at the first."""

    def c_code(self, node: Any, name: str, *args: Any) -> str:
        found = 'if (a == maximum){'
        # The loops over a window run to r_end: setting their counters to it ends all of them.
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
    """The values of a tensor at the first maximum of each window of another."""

    def perform(self, node: Any, inputs: Sequence, output_storage: Sequence) -> None:
        output_storage[0][0] = first_of_windows(*inputs)

    def grad(self, inputs: Sequence, gradients: Sequence) -> list:
        x, peaks, _, *windows = inputs
        found = ToFirst(self.ignore_border, self.ndim)(x, peaks, gradients[0], *windows)
        return [T.zeros_like(x), T.zeros_like(peaks), found, *(theano.gradient.DisconnectedType()() for _ in windows)]
