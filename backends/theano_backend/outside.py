"""What a program gives to Theano's own functions."""
from typing import List, NoReturn

from keraflow.backend.deferral import Deferred

__all__: List[str] = []


def _refuse(value: Deferred) -> NoReturn:
    raise value.has_no_value('Theano')


# So that functions of Theano, which ask this of an operand, say what to write when they are given a Kensor.
setattr(Deferred, '_as_TensorVariable', _refuse)
