"""What arguments may be, declared once: as annotations of ``__init__``, and of functions that are ``@checked``.

The same annotations check calls in Python and arguments in files. An annotation is a plain type, a union, a sequence or
dict of such, or one of the names of :mod:`keraflow.schema.types`, which say more than the type.
"""
from keraflow.schema.checking import check, expected, hints_of, is_open, kind_in, takes_list
from keraflow.schema.classes import (NO_SLOT, Slot, arguments_of, bind, check_arguments, kinds_of, passed_on,
                                     signature_of, slots_of)
from keraflow.schema.marks import DType, Rule
from keraflow.schema.signature import Argument, Signature
from keraflow.schema.types import (Activation, Axes, Beta, Constraint, Constraints, Execution, Finite, Fraction,
                                   Function, Initialization, LearningRate, Name, Natural, NonNegative, Objective, Path,
                                   PositiveFloat, PositiveInt, Rate, Regularizer, Regularizers)

__all__ = ['Activation', 'Argument', 'Axes', 'Beta', 'Constraint', 'Constraints', 'DType', 'Execution', 'Finite',
           'Fraction', 'Function', 'Initialization', 'LearningRate', 'NO_SLOT', 'Name', 'Natural', 'NonNegative',
           'Objective', 'Path', 'PositiveFloat', 'PositiveInt', 'Rate', 'Regularizer', 'Regularizers', 'Rule',
           'Signature', 'Slot', 'arguments_of', 'bind', 'check', 'check_arguments', 'expected', 'hints_of', 'is_open',
           'kind_in', 'kinds_of', 'passed_on', 'signature_of', 'slots_of', 'takes_list']
