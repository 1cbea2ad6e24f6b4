"""Names for annotations that say more than a type: ``PositiveInt``, ``Activation`` and others."""
import os
import re
from typing import Annotated, Any, Callable, Dict, List, Literal, Sequence, Union

from keraflow.schema.marks import Kind, PerParameter, Rule, number

__all__ = ['Activation', 'Axes', 'Beta', 'Constraint', 'Constraints', 'Execution', 'Finite', 'Fraction', 'Function',
           'Initialization', 'LearningRate', 'Name', 'Natural', 'NonNegative', 'Objective', 'Path', 'PositiveFloat',
           'PositiveInt', 'Rate', 'Regularizer', 'Regularizers']

_NAME = re.compile(r'[A-Za-z0-9_](?:[A-Za-z0-9_.\-]{0,126}[A-Za-z0-9_\-])?')

PositiveInt = Annotated[int, Rule('an integer of at least 1', lambda value: value >= 1, (('minimum', 1),))]
Natural = Annotated[int, Rule('an integer of at least 0', lambda value: value >= 0, (('minimum', 0),))]
Finite = Annotated[float, number('a finite number', lambda value: True)]
PositiveFloat = Annotated[float, number('a number above 0', lambda value: value > 0, exclusiveMinimum=0)]
NonNegative = Annotated[float, number('a number of at least 0', lambda value: value >= 0, minimum=0)]
Rate = Annotated[float, number('a number of at least 0 and below 1', lambda value: 0 <= value < 1, minimum=0,
                               exclusiveMaximum=1)]
Beta = Annotated[float, number('a number above 0 and below 1', lambda value: 0 < value < 1, exclusiveMinimum=0,
                               exclusiveMaximum=1)]
Fraction = Annotated[float, number('a number from 0 to 1', lambda value: 0 <= value <= 1, minimum=0, maximum=1)]
Name = Annotated[str, Rule("a name of letters, digits, '_', '-' and '.' (at most 128)",
                           lambda value: bool(_NAME.fullmatch(value)), (('pattern', f'^{_NAME.pattern}$'),))]
Path = Annotated[Union[str, os.PathLike], Rule('a path', lambda value: '\0' not in str(os.fspath(value)))]
Axes = Union[int, List[int]]
#: How a loop over batches runs: by the kernels of a library one by one; with the update of the parameters compiled into
#: one; compiled as a whole; or as the backend sees fit.
Execution = Literal['auto', 'plain', 'compiled', 'whole']

Activation = Annotated[Union[str, Callable], Kind('activation')]
Initialization = Annotated[Union[str, Callable], Kind('initialization')]
Regularizer = Annotated[Any, Kind('regularizer')]
Constraint = Annotated[Any, Kind('constraint')]
Objective = Annotated[Union[str, Callable], Kind('objective')]
LearningRate = Union[PositiveFloat, Annotated[Union[str, Callable], Kind('schedule')]]
Function = Annotated[Callable, Kind('function')]
_ByParameter = Union[Dict[str, Any], Sequence[Any], None]
Regularizers = Annotated[_ByParameter, PerParameter('regularizer', 'l2')]
Constraints = Annotated[_ByParameter, PerParameter('constraint', 'nonneg')]
