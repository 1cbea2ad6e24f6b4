"""The properties of each method of the contract, declared once at its definition.

:func:`operation` decorates the definition of every operation and declares its properties; :func:`checked_method`
decorates other methods whose arguments are checked. Everything that needs a property reads the record in
:data:`METHODS`: the checks of arguments, logarithms, masks of Kensors, layouts, and what a file may name.
"""
import dataclasses
import functools
import inspect
from typing import (Any, Callable, Dict, FrozenSet, Literal, Mapping, NamedTuple, Optional, Sequence, Tuple, Union,
                    get_type_hints)

import numpy as np

from keraflow.backend import costs

__all__ = ['METHODS', 'MethodInfo', 'SecondInteger', 'checked_method', 'operation']

#: Names of arguments that are tensors, arrays, numbers or lists of numbers in every operation.
_OPERANDS = frozenset({'x', 'y', 'condition', 'kernels', 'bias', 'indices', 'weights', 'min_value',
                       'max_value'})
#: Names of arguments whose numbers become part of the result, and take its dtype.
_VALUES = frozenset({'x', 'y', 'kernels', 'bias', 'tensors', 'min_value', 'max_value', 'alpha', 'edges', 'value', 'low',
                     'high', 'mean', 'std'})

Given = Dict[str, Any]


class SecondInteger(NamedTuple):
    """A requirement on the second operand of an operation if both are integers.

    Attributes
    ----------
    expected : str
        The requirement in words.
    is_right : function
        Takes the backend and the operand as a tensor; returns where the requirement holds.
    is_wrong : function
        Takes the operand as an array; returns where it does not hold.
    """

    expected: str
    is_right: Callable[[Any, Any], Any]
    is_wrong: Callable[[np.ndarray], np.ndarray]


@dataclasses.dataclass(frozen=True, eq=False)
class MethodInfo:
    """The properties of a method that are known before it is called.

    Attributes
    ----------
    method : function
        Its definition in the contract.
    is_operation : bool
        Whether it computes tensors, so that it accepts Kensors.
    is_checked : bool
        Whether its arguments are checked before a backend is called.
    keeps_mask : bool or function
        Whether each sample and each time step keeps its position, so that the result has the mask of the input; or a
        function that decides this from the arguments by name and the largest rank of the inputs.
    broadcasts : bool
        Whether its operands broadcast.
    moves_values : bool
        Whether the values of its result are values of its operands: moved, copied or selected.
    opposite : str
        For an operation that selects values, the one that selects the same values of ``1 - x``.
    is_real : bool
        Whether its result is real even for integers and bools.
    keeps_layout : bool
        Whether it may compute on the transpositions of its operands (:mod:`keraflow.backend.layouts`): it is
        elementwise, works along axes that stay, or is a reduction with `keepdims`.
    draws : bool
        Whether it draws random numbers.
    second_integer : SecondInteger, optional
        The requirement on its second operand if both are integers.
    takes_any_number : bool
        Whether only the shape of its operands counts, or where they are 0: numbers then need not fit a dtype.
    dtype : function, optional
        Takes the backend and the arguments by name, and returns the dtype of its numbers, if that is not the one of the
        operands.
    converts : bool
        Whether it is meant to change numbers to what a dtype can hold.
    check : function, optional
        ``check(backend, given, sizes)`` raises if something is wrong, given the arguments by name and the static shapes
        of the operands.
    logs : function, optional
        ``logs(backend, made, given)`` returns the logarithms of its result, if they are known
        (:mod:`keraflow.backend.log_rules`).
    flop : function
        ``flop(backend, given, made)`` returns how many floating-point operations it takes
        (:mod:`keraflow.backend.costs`).
    gradient_needs : {'operands', 'result', 'nothing'}
        What is kept in memory until its gradient is computed.
    is_view : bool
        Whether its result has the memory of `x`.
    old_name : str
        A name by which programs and files may still call it.
    more_operands : frozenset of str
        Operands besides those with the usual names.
    """

    method: Callable
    is_operation: bool = False
    is_checked: bool = False
    keeps_mask: Union[bool, Callable[[Mapping[str, Any], int], bool]] = True
    broadcasts: bool = False
    moves_values: bool = False
    opposite: str = ''
    is_real: bool = False
    keeps_layout: bool = False
    draws: bool = False
    second_integer: Optional[SecondInteger] = None
    takes_any_number: bool = False
    dtype: Optional[Callable[[Any, Given], str]] = None
    converts: bool = False
    check: Optional[Callable[[Any, Given, Dict[str, Any]], None]] = None
    logs: Optional[Callable] = None
    flop: Callable[[Any, Given, Any], int] = costs.of_result
    gradient_needs: Literal['operands', 'result', 'nothing'] = 'operands'
    is_view: bool = False
    old_name: str = ''
    more_operands: FrozenSet[str] = frozenset()

    @functools.cached_property
    def name(self) -> str:
        """The name in the contract."""
        return self.method.__name__

    @functools.cached_property
    def signature(self) -> inspect.Signature:
        """Its arguments, without `self`."""
        signature = inspect.signature(self.method)
        return signature.replace(parameters=list(signature.parameters.values())[1:])

    @functools.cached_property
    def names(self) -> Tuple[str, ...]:
        """The names of its arguments."""
        return tuple(self.signature.parameters)

    @functools.cached_property
    def defaults(self) -> Dict[str, Any]:
        """Its optional arguments."""
        return {one.name: one.default for one in self.signature.parameters.values() if one.default is not one.empty}

    @functools.cached_property
    def hints(self) -> Dict[str, Any]:
        """The annotations of its arguments, except those that allow anything."""
        hints = get_type_hints(self.method, include_extras=True)
        return {name: hints[name] for name in self.names if hints.get(name, Any) is not Any}

    @functools.cached_property
    def operands(self) -> Tuple[str, ...]:
        """The names of the arguments that are tensors, arrays, numbers or lists of numbers."""
        return tuple(name for name in self.names if name in _OPERANDS or name in self.more_operands)

    @functools.cached_property
    def values(self) -> Tuple[str, ...]:
        """The names of the arguments whose numbers take the dtype of the result."""
        return tuple(name for name in self.names if name in _VALUES)

    @functools.cached_property
    def takes_only_operands(self) -> bool:
        """Whether it takes several operands and nothing else."""
        return len(self.names) > 1 and self.names == self.operands and not self.defaults

    @functools.cached_property
    def is_function_of_one(self) -> bool:
        """Whether it computes one tensor from one tensor and plain arguments, and does nothing else."""
        gives_one = get_type_hints(self.method).get('return', Any) is Any
        needed = [name for name in self.operands if name not in self.defaults]
        return self.is_operation and gives_one and not self.draws and len(needed) == 1

    def leaves_steps(self, given: Mapping[str, Any], ndim: int) -> bool:
        """Return whether the result has the samples and time steps of its inputs, which have at most `ndim` axes.

        Examples
        --------
        >>> from keraflow.backend.contract import METHODS
        >>> [METHODS['sum'].leaves_steps({'axis': axis}, 3) for axis in (-1, 1)]
        [True, False]
        """
        return self.keeps_mask(given, ndim) if callable(self.keeps_mask) else self.keeps_mask

    def arguments(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Dict[str, Any]:
        """Return the arguments of a call by name, defaults included."""
        return {**self.defaults, **dict(zip(self.names, args)), **kwargs}


#: The recorded properties of the methods of the contract, by name.
METHODS: Dict[str, MethodInfo] = {}


def operation(method: Optional[Callable] = None, **properties: Any) -> Any:
    """Define an operation, with the properties that differ from the defaults of :class:`MethodInfo`.

    Examples
    --------
    >>> from keraflow.backend.contract import METHODS
    >>> METHODS['repeat'].moves_values, METHODS['repeat'].is_real, METHODS['divide'].is_real
    (True, False, True)
    """
    return _recorded(method, is_operation=True, **properties)


def checked_method(method: Optional[Callable] = None, **properties: Any) -> Any:
    """Define a method that is not an operation, but whose arguments are checked like those of operations."""
    return _recorded(method, **properties)


def _recorded(method: Optional[Callable], **properties: Any) -> Any:
    if method is None:
        return functools.partial(_recorded, **properties)
    METHODS[method.__name__] = MethodInfo(method, is_checked=True, **properties)
    return method
