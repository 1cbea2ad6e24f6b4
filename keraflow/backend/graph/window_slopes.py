"""The gradients of convolutions and pooling.

A convolution is linear in its input and in its kernels. Its two gradients are so, too, and the gradient of each of the
three is given by the other two.
"""
from typing import Any, List

from keraflow.backend.graph.nodes import Known, Node, Operation, apply
from keraflow.backend.graph.slopes import slopes

__all__: List[str] = []


def _like_third(x: Known, y: Known, like: Known, **static: Any) -> Known:
    return Known(like.shape, x.dtype)


def _one_and_two(kernels: Node) -> Node:
    return apply('transpose', [kernels], axes=(1, 0, *range(2, kernels.ndim)))


def _steps_of_transposed(static: dict) -> dict:
    return {**static, 'dilation': (1,) * len(static['strides'])}


for _name in ('unconv', 'correlate', 'undepthwise', 'correlate_depthwise'):
    Operation(_name, _like_third)


def _slopes_of_three(forward: str, of_input: str, of_kernels: str) -> None:
    """Enter the rules of a product of windows with kernels and of its two gradients: each by the other two."""
    slopes(forward, lambda g, made, x, kernels, **static: apply(of_input, [g, kernels, x], **static),
           lambda g, made, x, kernels, **static: apply(of_kernels, [x, g, kernels], **static))
    slopes(of_input, lambda h, made, g, kernels, like, **static: apply(forward, [h, kernels], **static),
           lambda h, made, g, kernels, like, **static: apply(of_kernels, [h, g, kernels], **static))
    slopes(of_kernels, lambda h, made, x, g, like, **static: apply(of_input, [g, h, x], **static),
           lambda h, made, x, g, like, **static: apply(forward, [x, h], **static))


_slopes_of_three('conv', 'unconv', 'correlate')
_slopes_of_three('depthwise_conv', 'undepthwise', 'correlate_depthwise')
slopes('conv_transpose',
       lambda g, made, x, kernels, **static: apply('conv', [g, _one_and_two(kernels)], **_steps_of_transposed(static)),
       lambda g, made, x, kernels, **static: _one_and_two(apply(
           'correlate', [g, x, _one_and_two(kernels)], **_steps_of_transposed(static))))


# -- pooling ----------------------------------------------------------------------------------------------------------

def _like_second_of_three(g: Known, made: Known, x: Known, **static: Any) -> Known:
    return Known(made.shape, g.dtype)


Operation('unmax_pool', _like_third)
Operation('firsts_of_windows', _like_second_of_three)
Operation('unmean_pool', lambda g, like, **static: Known(like.shape, g.dtype))

# Which cell is the largest does not depend continuously on the cells.
slopes('max_pool', lambda g, made, x, **static: apply('unmax_pool', [g, made, x], **static))
slopes('unmax_pool', lambda h, made, g, peaks, x, **static: apply('firsts_of_windows', [h, peaks, x], **static))
slopes('firsts_of_windows', lambda g, made, h, peaks, x, **static: apply('unmax_pool', [g, peaks, x], **static))
slopes('mean_pool', lambda g, made, x, **static: apply('unmean_pool', [g, x], **static))
slopes('unmean_pool', lambda h, made, g, like, **static: apply('mean_pool', [h], **static))
