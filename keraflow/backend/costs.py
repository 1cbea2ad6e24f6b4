"""How many floating-point operations an operation takes: a rule for each kind, which its definition names.

A rule is a function of the backend, the arguments by name and the result. A product and a sum are two operations, every
function of a number is one. Lengths must be known statically.
"""
import math
from typing import Any, Dict

__all__ = ['nothing', 'of_convolution', 'of_deconvolution', 'of_depthwise', 'of_product', 'of_reduction', 'of_result',
           'of_windows', 'size']

Backend = Any      # the contract, whose operations name these rules
Given = Dict[str, Any]


def size(backend: Backend, tensor: Any) -> int:
    """Return the number of values of a tensor, or TypeError if a length is unknown."""
    return math.prod(backend.static_shape(tensor))


def nothing(backend: Backend, given: Given, made: Any) -> int:
    return 0


def of_result(backend: Backend, given: Given, made: Any) -> int:
    """Count one for each value of the result."""
    return size(backend, made)


def of_reduction(backend: Backend, given: Given, made: Any) -> int:
    """Count one for each value of the operand."""
    return size(backend, given['x'])


def of_product(backend: Backend, given: Given, made: Any) -> int:
    """Count a product and a sum for each value of the result and each place of the axis that is summed over."""
    return 2 * size(backend, made) * backend.static_shape(given['x'])[-1]


def of_convolution(backend: Backend, given: Given, made: Any) -> int:
    """Count a product and a sum for each value of the result and each cell of a kernel with all its input channels."""
    input_depth, _, *lengths = backend.static_shape(given['kernels'])
    return 2 * size(backend, made) * input_depth * math.prod(lengths)


def of_deconvolution(backend: Backend, given: Given, made: Any) -> int:
    """Count what the convolution takes of which it is the gradient."""
    _, nb_kernel, *lengths = backend.static_shape(given['kernels'])
    return 2 * size(backend, given['x']) * nb_kernel * math.prod(lengths)


def of_depthwise(backend: Backend, given: Given, made: Any) -> int:
    """Count a product and a sum for each value of the result and each cell of its one kernel."""
    return 2 * size(backend, made) * math.prod(backend.static_shape(given['kernels'])[2:])


def of_windows(backend: Backend, given: Given, made: Any) -> int:
    """Count one for each value of the result and each cell of its window."""
    return size(backend, made) * math.prod(given['pool_size'])
