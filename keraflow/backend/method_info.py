"""What is known of each method of the contract, said once where it is defined.

:func:`operation` stands above the definition of every operation and says its properties; :func:`checked_method` stands
above other methods whose arguments are checked. Whatever asks something of an operation reads the record that they
leave in :data:`METHODS`: the checks of arguments, logarithms, masks of Kensors, layouts, and what a file may name.
"""
import dataclasses
import functools
import inspect
from typing import Any, Callable, Dict, FrozenSet, Mapping, NamedTuple, Optional, Sequence, Tuple, Union, get_type_hints

import numpy as np

__all__ = ['METHODS', 'MethodInfo', 'SecondInteger', 'checked_method', 'operation']

#: The names of arguments that are tensors, arrays, numbers or lists of numbers, whichever the operation.
_OPERANDS = frozenset({'x', 'y', 'condition', 'kernels', 'bias', 'indices', 'weights', 'min_value',
                       'max_value'})
#: The names of arguments whose numbers become part of the result, and take its dtype.
_VALUES = frozenset({'x', 'y', 'kernels', 'bias', 'tensors', 'min_value', 'max_value', 'alpha', 'edges', 'value', 'low',
                     'high', 'mean', 'std'})

Given = Dict[str, Any]


class SecondInteger(NamedTuple):
    """What the second operand of an operation must be where both are integers.

    Attributes
    ----------
    expected : str
        In words.
    is_right : function
        From the backend and the operand as a tensor to where it is so.
    is_wrong : function
        From the operand as an array to where it is not.
    """

    expected: str
    is_right: Callable[[Any, Any], Any]
    is_wrong: Callable[[np.ndarray], np.ndarray]


@dataclasses.dataclass(frozen=True, eq=False)
class MethodInfo:
    """What is known of a method before it is called.

    Attributes
    ----------
    method : function
        Its definition in the contract.
    is_operation : bool
        Whether it computes tensors, so that Kensors may be given.
    is_checked : bool
        Whether its arguments are checked before a backend is called.
    keeps_mask : bool or function
        Whether each sample and each time step stays at its place, so that the mask of what it is given is that of the
        result; or a function of the arguments by name and of the greatest rank among the inputs that says it.
    broadcasts : bool
        Whether its operands broadcast.
    moves_values : bool
        Whether the values of its result are values of its operands: moved, copied or picked.
    opposite : str
        Of what picks values the operation that picks the same ones of ``1 - x``.
    is_real : bool
        Whether its result is real also for integers and bools.
    keeps_layout : bool
        Whether it may compute on the transpositions of its operands (:mod:`keraflow.backend.layouts`): it works value
        by value or along axes that stay, or it is a reduction, which has `keepdims`.
    draws : bool
        Whether it draws random numbers.
    second_integer : SecondInteger, optional
        What its second operand must be where both are integers.
    takes_any_number : bool
        Whether of what it is given only the shape counts, or what is 0: numbers then need to fit no dtype.
    dtype : function, optional
        From the backend and the arguments by name to the dtype that its numbers take, unless it is that of the
        operands.
    converts : bool
        Whether it is asked to change numbers to what a dtype can hold.
    check : function, optional
        ``check(backend, given, sizes)`` raises what is wrong, from the arguments by name and the static shapes of those
        that are operands.
    logs : function, optional
        ``logs(backend, made, given)``: the logarithms of what it made, where they are known
        (:mod:`keraflow.backend.log_rules`).
    old_name : str
        A name by which programs and files may still call it.
    more_operands : frozenset of str
        Operands beside those with the usual names.
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
    old_name: str = ''
    more_operands: FrozenSet[str] = frozenset()

    @functools.cached_property
    def name(self) -> str:
        """Its name in the contract."""
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
        """The annotations of its arguments that allow less than anything."""
        hints = get_type_hints(self.method, include_extras=True)
        return {name: hints[name] for name in self.names if hints.get(name, Any) is not Any}

    @functools.cached_property
    def operands(self) -> Tuple[str, ...]:
        """The names of those arguments that are tensors, arrays, numbers or lists of numbers."""
        return tuple(name for name in self.names if name in _OPERANDS or name in self.more_operands)

    @functools.cached_property
    def values(self) -> Tuple[str, ...]:
        """The names of those arguments whose numbers take the dtype of the result."""
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
        """Whether the samples and time steps of the result are those of its inputs, which have `ndim` axes at most.

        Examples
        --------
        >>> from keraflow.backend.contract import METHODS
        >>> [METHODS['sum'].leaves_steps({'axis': axis}, 3) for axis in (-1, 1)]
        [True, False]
        """
        return self.keeps_mask(given, ndim) if callable(self.keeps_mask) else self.keeps_mask

    def arguments(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Dict[str, Any]:
        """The arguments of a call by name, defaults included."""
        return {**self.defaults, **dict(zip(self.names, args)), **kwargs}


#: What was said of the methods of the contract, by name.
METHODS: Dict[str, MethodInfo] = {}


def operation(method: Optional[Callable] = None, **properties: Any) -> Any:
    """Define an operation, with the properties in which it differs from the defaults of :class:`MethodInfo`.

    Examples
    --------
    >>> from keraflow.backend.contract import METHODS
    >>> METHODS['repeat'].moves_values, METHODS['repeat'].is_real, METHODS['divide'].is_real
    (True, False, True)
    """
    return _recorded(method, is_operation=True, **properties)


def checked_method(method: Optional[Callable] = None, **properties: Any) -> Any:
    """Define a method that is no operation and whose arguments are checked as those of operations are."""
    return _recorded(method, **properties)


def _recorded(method: Optional[Callable], **properties: Any) -> Any:
    if method is None:
        return functools.partial(_recorded, **properties)
    METHODS[method.__name__] = MethodInfo(method, is_checked=True, **properties)
    return method
