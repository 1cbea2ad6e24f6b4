"""What a layer says for the shape of its input alone, before it is built: no backend is asked, and nothing is drawn."""
import functools
from typing import Any, Callable

from keraflow.shapes import is_shape

__all__ = ['for_shapes']


def for_shapes(method: Callable) -> Callable:
    """A method of ``input_shape`` that answers for one shape where a layer that takes several inputs is fed with one,
    and nothing, ``None``, for a shape that is not known."""
    if hasattr(method, '_is_for_shapes'):
        return method

    @functools.wraps(method)
    def answer(self: Any, input_shape: Any, *args: Any, **kwargs: Any) -> Any:
        if self.multi_input and is_shape(input_shape):
            input_shape = [input_shape]
        if input_shape is None or self.multi_input and any(shape is None for shape in input_shape):
            return None
        return method(self, input_shape, *args, **kwargs)
    setattr(answer, '_is_for_shapes', True)
    return answer
