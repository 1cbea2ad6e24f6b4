"""Kensors and the calls that made them: the whole mechanism of the graph.

A Kensor records the one call it came from, a call the Kensors it was fed. Everything else about a Kensor (its path,
parameters, regularizers, ...) is derived by one walk over the calls behind it.
"""
import threading
from typing import Any, Callable, Container, Dict, Iterable, List, Optional, Sequence, Tuple

import numpy as np

from keraflow import backend as B
from keraflow.arguments import to_list
from keraflow.backend.contract import TensorSpec
from keraflow.backend.deferral import Deferred
from keraflow.backend.tensor_info import info_of
from keraflow.graph.call_arguments import parts_in, replaced
from keraflow.graph.parameters import parameters_of
from keraflow.graph.records import recording
from keraflow.owned import owned
from keraflow.shapes import unlist

__all__ = ['Call', 'Kensor', 'calls_behind', 'replay', 'symbolic_tensors']


def _is_array(value: Any) -> bool:
    return isinstance(value, np.ndarray)


class Call:
    """One event: this layer was fed these Kensors, with these arguments, and returned these Kensors."""

    __slots__ = ('layer', 'fed', '_arguments', 'inputs', 'outputs', 'number', '_is_only', '_namer', '__weakref__')

    def __init__(self, layer: Any, fed: Sequence['Kensor'], arguments: Optional[Dict[str, Any]] = None):
        self.layer = layer
        self.fed = tuple(fed)
        self._arguments = owned(arguments or {})
        for array in parts_in(self._arguments, _is_array):
            array.setflags(write=False)      # shared with all who read `arguments`
        self.inputs = (*fed, *parts_in(self._arguments))  # everything that it depends on
        self.outputs: Tuple['Kensor', ...] = ()
        self.number = 0                 # among the calls of the layer in the program, then in a model
        self._is_only: Any = None
        self._namer: Any = None         # the model that gave it its number

    @property
    def arguments(self) -> Dict[str, Any]:
        """The arguments of the call besides its input, copied: changing them does not change the call."""
        return replaced(self._arguments, lambda kensor: kensor)

    def run(self, tensors: Dict['Kensor', Any]) -> List[Any]:
        """Compute the output tensors from tensors for the inputs."""
        arguments = replaced(owned(self._arguments), tensors.__getitem__)       # output() may modify its arrays
        return self.layer.run([tensors[kensor] for kensor in self.fed], arguments)

    def again(self, kensors: Dict['Kensor', 'Kensor'], layer: Any = None) -> List['Kensor']:
        """Repeat the call (or a call of another layer in its place) on other Kensors."""
        layer = layer or self.layer
        fed = [kensors[kensor] for kensor in self.fed]
        return to_list(layer(fed if layer.multi_input else unlist(fed),
                             **replaced(self.arguments, kensors.__getitem__)))

    @property
    def is_only(self) -> bool:
        """Whether it is the only call of the layer there."""
        return self.layer.nb_call == 1 if self._is_only is None else self._is_only

    def is_kept_from(self, namer: Any) -> bool:
        """Return whether something other than `namer` gave it its number."""
        return self._namer not in (None, namer)

    def suggest_number(self, number: int, is_only: Optional[bool], namer: Any) -> None:
        """Take `number`, unless something other than `namer` gave it one."""
        if not self.is_kept_from(namer):
            self.number, self._is_only, self._namer = number, is_only, namer


class Kensor(Deferred['Kensor']):
    """A symbolic tensor that remembers how it was made.

    Arithmetic, comparisons (also ``==``; use ``x is y`` for identity), slices, and the functions of
    :mod:`keraflow.backend` make further Kensors.

    Attributes
    ----------
    name : str
        ``dense1/output``, or ``dense1_0``, ``dense1_1`` for a layer with several calls. If a call has several outputs,
        the number of the output follows: ``split1/output.1``, ``split1_0.1``.
    shape : tuple of (int or None)
        Static shape, with the batch.
    dtype : str
    mask_shape : tuple or None
        Static shape of the mask, if there is one.
    call : Call
        The call that made it.
    features : int or None
        The axis of the features (the channels of images), counted from the end, if known.
    """

    dtype: Any

    def __init__(self, call: Call, shape: tuple, dtype: str, mask_shape: Optional[tuple],
                 features: Optional[int] = None):
        self.shape = shape
        self.dtype = dtype
        self.mask_shape = mask_shape
        self.call = call
        self.features = features
        self.backend_name = B.name()
        self._tensor: Any = None

    def __deepcopy__(self, memo: Dict[int, Any]) -> Any:
        return self     # a copy would not be an output of the call

    def __repr__(self) -> str:
        return f'<Kensor {self.name} {self.shape} {self.dtype}>'

    @property
    def name(self) -> str:
        """Name of the call; see above."""
        return output_name(self, self.layer.name) if self.call.is_only else self.numbered_name

    @property
    def numbered_name(self) -> str:
        """``dense1_0`` even for the only call of a layer: the name in paths and files."""
        return numbered_name(self, f'{self.layer.name}_{self.call.number}')

    @property
    def layer(self) -> Any:
        """The layer that made it."""
        return self.call.layer

    @property
    def spec(self) -> TensorSpec:
        """Shape, dtype and name for the backend."""
        return TensorSpec(self.shape, self.dtype, self.name)

    @property
    def path(self) -> List[list]:
        """The calls behind it in topological order, each once, as ``[input names, layer name, output name(s)]``."""
        return [[[kensor.numbered_name for kensor in call.inputs], call.layer.name,
                 unlist([kensor.numbered_name for kensor in call.outputs])]
                for call in calls_behind([self]) if call.inputs]

    @property
    def trainable_params(self) -> List[Any]:
        """The variables that training changes, in the order of the path, each once."""
        return [one.variable for one in self._parameters_behind() if one.trainable]

    def _parameters_behind(self) -> List[Any]:
        return parameters_of(call.layer for call in calls_behind([self]))

    @property
    def regularizers(self) -> List[tuple]:
        """Pairs of a variable and its regularizer."""
        return [(one.variable, one.regularizer) for one in self._parameters_behind() if one.regularizer]

    @property
    def constraints(self) -> List[tuple]:
        """Pairs of a variable and its constraint."""
        return [(one.variable, one.constraint) for one in self._parameters_behind() if one.constraint]

    def defer(self, operation: str, args: Sequence[Any], kwargs: Dict[str, Any]) -> 'Kensor':
        return _operate(operation, args, kwargs)

    @property
    def tensor(self) -> Any:
        """The backend's symbolic tensor, made on first use by replaying the path from the tensors of the Inputs."""
        if self._tensor is None:
            symbolic_tensors([self])
        return self._tensor

    @property
    def updates(self) -> List[tuple]:
        """Pairs of a state variable and its new value, for a symbolic run of the path in training mode."""
        with B.phase('train'), recording() as record:
            symbolic_tensors([self], keep=False)
        return record.updates


def on_operation(operate: Callable) -> Callable:
    """Set how ``operate(operation, args, kwargs)`` makes a Kensor: by a layer, which this module cannot import."""
    global _operate
    _operate = operate
    return operate


_operate: Callable


def calls_behind(kensors: Iterable[Kensor], given: Container[Kensor] = ()) -> List[Call]:
    """Return all calls that the Kensors depend on, each once, after those that feed it, first inputs first.

    Calls that only `given` Kensors depend on are left out.
    """
    ordered: List[Call] = []
    seen = set()
    stack = [(kensor.call, False) for kensor in reversed(list(kensors)) if kensor not in given]
    # Without recursion: a chain of calls may be longer than Python's stack.
    while stack:
        call, fed = stack.pop()
        if fed:
            ordered.append(call)
        elif id(call) not in seen:
            seen.add(id(call))
            stack.append((call, True))
            stack.extend((kensor.call, False) for kensor in reversed(call.inputs) if kensor not in given)
    return ordered


def replay(calls: Iterable[Call], tensors: Dict[Kensor, Any]) -> Dict[Kensor, Any]:
    """Run calls on other tensors.

    Parameters
    ----------
    calls : iterable of Call
        In the order of :func:`calls_behind`.
    tensors : dict
        A tensor for each Input's Kensor (and for any Kensor that need not be computed). The computed ones are added.
    """
    for call in calls:
        if call.outputs[0] not in tensors:
            tensors.update(zip(call.outputs, call.run(tensors)))
    return tensors


_PLACING = threading.Lock()


def symbolic_tensors(kensors: Sequence[Kensor], keep: bool = True) -> List[Any]:
    """Return the backend's symbolic tensors of some Kensors, connected to the tensors of the Inputs."""
    calls = calls_behind(kensors)
    with _PLACING:      # an Input has one tensor, whichever thread is first
        known = {kensor: kensor._tensor for call in calls for kensor in call.outputs
                 if kensor._tensor is not None and (keep or not call.inputs)}      # the others may be of another phase
        for call in calls:
            if not call.inputs and call.outputs[0] not in known:
                known[call.outputs[0]] = call.outputs[0]._tensor = call.layer.mark(B.placeholder(*call.outputs[0].spec))
    tensors = B.symbolic(lambda: replay(calls, known), [])
    if keep:
        for kensor, tensor in tensors.items():
            kensor._tensor = tensor
    return [tensors[kensor] for kensor in kensors]


def numbered_name(kensor: Kensor, call_name: str) -> str:
    """Name an output of a call that has this name: ``conv0_1``, or ``split0_1.0`` if there are several outputs."""
    outputs = kensor.call.outputs
    return call_name if len(outputs) == 1 else f'{call_name}.{next(i for i, it in enumerate(outputs) if it is kensor)}'


def output_name(kensor: Kensor, layer_name: str) -> str:
    """Name an output of the only call of a layer that has this name: ``conv0/output``, ``split0/output.0``."""
    return numbered_name(kensor, f'{layer_name}/output')


def mask_shape_of(tensor: Any) -> Optional[tuple]:
    """Return the static shape of a tensor's mask, if it has one."""
    mask = info_of(tensor).mask
    return None if mask is None else B.static_shape(mask)
