"""What happens if a program passes a Kensor to Theano's own functions."""
from typing import List, NoReturn

from keraflow.backend.deferral import Deferred

__all__: List[str] = []


def _refuse(value: Deferred) -> NoReturn:
    raise value.has_no_value('Theano')


# Functions of Theano ask this of an operand; given a Kensor they now say what to write instead.
setattr(Deferred, '_as_TensorVariable', _refuse)
