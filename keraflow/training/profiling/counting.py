"""Count what a run of layers computes, from static shapes, and keep what each layer was given."""
import contextlib
import math
from typing import Any, Callable, Dict, Iterator, List, Sequence, Set

import numpy as np

from keraflow import backend as B
from keraflow.backend.contract import FLOATS
from keraflow.backend.method_info import MethodInfo
from keraflow.backend.watching import Watcher
from keraflow.graph.records import runs_frozen

__all__ = ['Cost', 'Counter', 'PartRun', 'nb_bytes']


class Cost:
    """What operations take.

    Attributes
    ----------
    flop : int
        The floating-point operations of a run forward.
    flop_backward : int
        Those of its gradients: for each operand that a gradient flows to, as many as forward.
    nb_byte : int
        The bytes that the operations read and write forward.
    nb_byte_kept : int
        The bytes of results that must be kept for the gradients.
    nb_uncounted : int
        The number of operations whose lengths are not known statically, of which nothing is counted.
    """

    names = 'flop', 'flop_backward', 'nb_byte', 'nb_byte_kept', 'nb_uncounted'
    __slots__ = names

    def __init__(self) -> None:
        self.flop = self.flop_backward = self.nb_byte = self.nb_byte_kept = self.nb_uncounted = 0

    def add(self, other: 'Cost') -> None:
        """Add the cost of others."""
        for name in self.names:
            setattr(self, name, getattr(self, name) + getattr(other, name))

    def repeat(self, nb_time: int, nb_counted: int) -> None:
        """Multiply what was counted some times, once for each of several steps, by the number of steps."""
        for name in self.names:
            setattr(self, name, getattr(self, name) * nb_time // nb_counted)


class PartRun:
    """One run of a part of the step, such as a layer, with what it was given and what it computed.

    Attributes
    ----------
    layer : Layer or None
    tensors, arguments
        Inputs and other arguments of the run.
    outputs : list of tensor
    gets_gradient : list of bool
        For each input whether a gradient flows to it.
    is_frozen : bool
        Whether it is part of a layer that is not trainable.
    is_loop, is_in_loop : bool
        Whether it is a loop over time, or ran in one: then its tensors exist only there.
    inner : list of PartRun
        The runs inside it.
    cost : Cost
        With that of the runs inside.
    """

    def __init__(self, layer: Any = None, tensors: Sequence[Any] = (), arguments: Any = None,
                 gets_gradient: Sequence[bool] = ()):
        self.layer = layer
        self.tensors = list(tensors)
        self.arguments = arguments or {}
        self.outputs: List[Any] = []
        self.gets_gradient = list(gets_gradient)
        self.is_frozen = runs_frozen()
        self.is_loop = self.is_in_loop = False
        self.inner: List[PartRun] = []
        self.cost = Cost()

    def all_inside(self) -> Iterator['PartRun']:
        """Yield the runs inside it, those in these, and so on."""
        for one in self.inner:
            yield one
            yield from one.all_inside()


class Counter(Watcher):
    """Count a run in which every length is known statically.

    Parameters
    ----------
    data : sequence of tensor
        What no gradient flows to.
    trained : iterable of variable
        The variables that gradients are computed for.
    """

    def __init__(self, data: Sequence[Any], trained: Sequence[Any]):
        self.whole = PartRun()
        self._now = [self.whole]
        self._alive: List[Any] = [*data]        # so that no other tensor gets the id() of one
        self._data = set(map(id, data))
        self._constants = set(self._data)
        self._trained = set(map(id, trained))
        self._memory: Dict[int, int] = {}       # for a view, whose memory it has
        self._kept: Set[int] = set()

    def gets_gradient(self, x: Any) -> bool:
        """Return whether a gradient flows to a tensor."""
        if B.is_variable(x):
            return id(x) in self._trained
        return id(x) not in self._constants and B.dtype(x) in FLOATS

    @contextlib.contextmanager
    def part(self, run: PartRun) -> Iterator[PartRun]:
        """Count what is computed inside the block as one part."""
        self._now.append(run)
        try:
            yield run
        finally:
            self._now.pop()
        self._now[-1].inner.append(run)
        self._now[-1].cost.add(run.cost)

    # -- what a watcher is told -------------------------------------------------------------------------------------

    def layer(self, layer: Any, tensors: List[Any], arguments: Dict[str, Any],
              run: Callable[[], List[Any]]) -> List[Any]:
        with self.part(PartRun(layer, tensors, arguments, [self.gets_gradient(x) for x in tensors])) as part:
            part.outputs = run()
        return part.outputs

    def loop(self, run: Callable[[Callable], Any], step: Callable, sequence: Any) -> Any:
        nb_run = 0

        def counted(*given: Any) -> Any:
            nonlocal nb_run
            nb_run += 1
            return step(*given)
        with self.part(PartRun()) as part:
            part.is_loop = True
            made = run(counted)
            nb_step = B.static_shape(sequence)[0]
            part.cost.nb_uncounted += nb_step is None
            for one in [part, *part.all_inside()]:
                one.is_in_loop = True
                # A step that is written out was counted for each time step, one of a loop once.
                one.cost.repeat(nb_step or 1, nb_run)
        return made

    def operation(self, method: MethodInfo, given: Dict[str, Any], made: Any) -> None:
        results = [one for one in (made if isinstance(made, list) else [made]) if B.is_tensor(one)]
        operands = [one for value in given.values() for one in (value if isinstance(value, (list, tuple)) else [value])
                    if B.is_tensor(one)]
        if not results:
            return
        self._alive += [*results, *operands]
        receiving = [] if method.name == 'stop_gradient' else [one for one in operands if self.gets_gradient(one)]
        if not receiving:
            self._constants.update(map(id, results))
        if method.is_view:
            self._memory[id(results[0])] = self._owner(operands[0])
            return
        cost = self._now[-1].cost
        try:
            is_real = any(B.dtype(one) in FLOATS for one in [*operands, *results])
            flop = method.flop(B.current(), given, made) if is_real else 0
            cost.nb_byte += sum(map(nb_bytes, [*operands, *results]))
        except TypeError:       # a length is None
            cost.nb_uncounted += 1
            return
        cost.flop += flop
        cost.flop_backward += flop * len(receiving)
        if receiving and method.gradient_needs != 'nothing':
            self._keep(operands if method.gradient_needs == 'operands' else results, cost)

    def _keep(self, tensors: Sequence[Any], cost: Cost) -> None:
        for one in tensors:
            owner = self._owner(one)
            if not (B.is_variable(one) or owner in self._kept or owner in self._data):
                self._kept.add(owner)
                cost.nb_byte_kept += nb_bytes(one)

    def _owner(self, x: Any) -> int:
        return self._memory.get(id(x), id(x))


def nb_bytes(tensor: Any) -> int:
    """Return the size of a tensor in memory, or TypeError if a length is unknown."""
    return math.prod(B.static_shape(tensor)) * np.dtype(B.dtype(tensor)).itemsize
