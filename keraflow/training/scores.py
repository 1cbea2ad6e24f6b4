"""Loss and metrics by name, as ``evaluate`` returns them, and ``fit`` for each epoch."""
import dis
import sys
from typing import Dict, Iterator

from keraflow.errors import ArgumentTypeError

__all__ = ['Scores']

_UNPACKING = dis.opmap['UNPACK_SEQUENCE'], dis.opmap['UNPACK_EX']


class Scores(Dict[str, float]):
    """A dict of numbers by name that refuses to be unpacked: ``loss, acc = model.evaluate(x, y)`` would bind strings.

    Otherwise it is like any dict, even in a loop.

    Raises
    ------
    ArgumentTypeError
        If it is unpacked.

    Examples
    --------
    >>> scores = Scores(loss=0.25, acc=0.5)
    >>> scores, scores['loss'], list(scores)
    ({'loss': 0.25, 'acc': 0.5}, 0.25, ['loss', 'acc'])
    >>> loss, acc = scores.values()
    >>> loss, acc = scores
    Traceback (most recent call last):
    keraflow.errors.ArgumentTypeError: expected numbers to be taken by name, received loss, acc to be unpacked, ...
    """

    def __iter__(self) -> Iterator[str]:
        # A loop over a dict is fine, and differs only by the instruction that asks for the iterator. Where there is no
        # such instruction, as in compiled code, this is a dict like any other.
        caller = sys._getframe(1)
        if caller.f_code.co_code[max(caller.f_lasti, 0)] in _UNPACKING:
            names = ', '.join(self.keys())
            raise ArgumentTypeError(f'expected numbers to be taken by name, received {names} to be unpacked, which '
                                    "gives these names. Write scores['loss'], or unpack scores.values().")
        return super().__iter__()
