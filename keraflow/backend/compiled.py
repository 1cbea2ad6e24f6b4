"""Functions of arrays: what they are given, and when they are built."""
import threading
from typing import Any, Callable, List, Optional, Sequence

import numpy as np

from keraflow.errors import ArgumentError, ShapeError
from keraflow.shapes import agree

__all__ = ['Compiled', 'arrays_for']


def arrays_for(specs: Sequence[Any], given: Sequence[Any]) -> List[np.ndarray]:
    """Return what a program gives to a function of :meth:`Backend.function` as arrays of the dtypes of its inputs.

    They are copies. Numbers out of range become infinite, as in a cast.

    Raises
    ------
    ArgumentError
        For another number of arrays than inputs.
    ShapeError
        For a shape that does not agree with the static one.
    """
    if len(given) != len(specs):
        raise ArgumentError(f'function: expected {len(specs)} array(s), received {len(given)}.')
    with np.errstate(all='ignore'):
        arrays = [np.asarray(one).astype(spec.dtype, order='C') for one, spec in zip(given, specs)]
    for array, spec in zip(arrays, specs):
        if not agree(spec.shape, array.shape):
            raise ShapeError(f'function: expected an array of shape {tuple(spec.shape)}, received {array.shape}.')
    return arrays


class Compiled:
    """A function of arrays that is built once: by its first call, in whichever thread, or before that by :meth:`build`.

    Parameters
    ----------
    make : function
        Builds and returns the function.

    Examples
    --------
    >>> run = Compiled(lambda: print('built') or abs)
    >>> run(-1), run(-2)
    built
    (1, 2)
    """

    def __init__(self, make: Callable[[], Callable]):
        self._make = make
        self._run: Optional[Callable] = None
        self._building = threading.RLock()

    def build(self) -> Callable:
        """Return the function, building it if necessary."""
        if self._run is None:
            with self._building:
                self._run = self._run or self._make()      # another thread may have built it meanwhile
        return self._run

    def __call__(self, *arrays: Any) -> Any:
        return (self._run or self.build())(*arrays)

    def of_batches(self, arrays: Sequence[Any], batch_size: int) -> List[list]:
        """Run batches of consecutive samples, and return the outputs of each, in order.

        A backend may run several in one call of its library, and return their outputs joined along the first axis.
        """
        return [self(*[array[start:start + batch_size] for array in arrays])
                for start in range(0, len(arrays[0]), batch_size)]
