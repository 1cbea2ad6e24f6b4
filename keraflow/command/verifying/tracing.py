"""Follow a run of a network layer by layer, those inside others and outside of loops over time included."""
import contextlib
from collections import Counter
from typing import Any, Callable, Dict, Iterator, List, NamedTuple, Optional, Sequence, Tuple

import numpy as np

from keraflow import backend as B
from keraflow.backend.contract import FLOATS
from keraflow.backend.watching import Watcher, watching
from keraflow.graph.addresses import layer_names
from keraflow.graph.parameters import parameters_of
from keraflow.graph.records import recording
from keraflow.layers.base.weights import owners
from keraflow.layers.network import Network
from keraflow.training.model_function import ModelFunction
from keraflow.training.predictor import Predictor

__all__ = ['LayerRun', 'Place', 'Tracer', 'in_order', 'traced']


class LayerRun(NamedTuple):
    """A run of a layer, as plain data.

    Attributes
    ----------
    layer : str
        Its name in the network, ``host/0`` for an embedded one.
    cls : str
    run : int or None
        The number among its runs, if there are several.
    fed : list of str
        The places of its inputs, which an earlier run or an Input gave: ``'3.0'`` or ``'x'``. What its host computed
        for it has a place of its own, ``'5<0'`` for its first input.
    host : int or None
        The number of the run inside which it ran; runs are numbered as they end.
    gives : list of str
        The places of its outputs: those of a run inside it that it hands on, else its own number, ``'4.0'``.
    parameters : list of str
        Those of the layer itself, if this is its first run.
    begins : int
        How many runs had ended when it began.
    """

    layer: str
    cls: str
    run: Optional[int]
    fed: List[str]
    host: Optional[int]
    gives: List[str]
    parameters: List[str]
    begins: int

    @property
    def name(self) -> str:
        """The name of the layer, with the number of the run if it is not the only one."""
        return self.layer if self.run is None else f'{self.layer} (call {self.run + 1})'


class Place(NamedTuple):
    """A tensor of a run that the run itself, or what its host computes for it, has made.

    Attributes
    ----------
    key : str
        Its place.
    run : int
        The number of the run.
    item : int
        Which of its inputs or outputs.
    is_input : bool
    """

    key: str
    run: int
    item: int
    is_input: bool


def in_order(begins: Sequence[int], nb_input: Sequence[int], nb_output: Sequence[int]) -> List[Place]:
    """Return places for all inputs and outputs of runs in the order in which they are computed.

    Of each run are given how many had ended when it began, and how many inputs and outputs it has.
    """
    # A run begins after those that had ended, and before those inside it, which end before it.
    events = sorted([*((begin, 0, -number) for number, begin in enumerate(begins)),
                     *((number, 1, number) for number in range(len(begins)))])
    return [Place(f'{run}<{item}' if kind == 0 else f'{run}.{item}', run, item, kind == 0)
            for _, kind, signed in events for run in [abs(signed)]
            for item in range((nb_output if kind else nb_input)[run])]


class _Seen:
    def __init__(self, layer: Any, tensors: Sequence[Any], host: Optional['_Seen'], begins: int):
        self.begins = begins
        self.layer = layer
        self.tensors = list(tensors)
        self.host = host
        self.outputs: List[Any] = []


class Tracer(Watcher):
    """Keeps what each run of a layer is given and returns. What runs in a loop over time exists only there."""

    def __init__(self) -> None:
        self.runs: List[_Seen] = []
        self._open: List[_Seen] = []
        self._nb_loop = 0

    def layer(self, layer: Any, tensors: List[Any], arguments: Dict[str, Any],
              run: Callable[[], List[Any]]) -> List[Any]:
        if self._nb_loop:
            return run()
        one = _Seen(layer, tensors, self._open[-1] if self._open else None, len(self.runs))
        self._open.append(one)
        try:
            one.outputs = run()
        finally:
            self._open.pop()
        self.runs.append(one)
        return one.outputs

    def loop(self, run: Callable[[Callable], Any], step: Callable, sequence: Any) -> Any:
        self._nb_loop += 1
        try:
            return run(step)
        finally:
            self._nb_loop -= 1


def traced(network: Network, arrays: Sequence[np.ndarray],
           phase: str) -> Tuple[List[LayerRun], Dict[str, np.ndarray]]:
    """Run a network in a phase, and return the runs of its layers and what they gave.

    Returns
    -------
    (list of LayerRun, dict)
        The arrays are ``value/3.0``, the first output of the run with number 3, ``value/5<0``, what was computed for
        another one; in the phase ``'train'`` also
        ``gradient/3.0``, ``gradient/x`` and ``parameter/dense1/W``, the gradients of a weighted sum of all outputs.
    """
    predictor, names = Predictor(network), layer_names(network)
    runs: List[LayerRun] = []
    labels: List[str] = []

    def build(*x: Any) -> tuple:
        tracer = Tracer()
        with B.phase(phase), recording():
            with watching(tracer):
                tensors = predictor.tensors(x)
            inputs = {name: tensors[kensor] for name, kensor in zip(network.input_names(), network.inputs)}
            places, found = _places(tracer.runs, inputs)
            outputs = {f'value/{place}': tensor for place, tensor in found.items()}
            if phase == 'train':
                outputs.update(_gradients(network, [tensors[one] for one in network.outputs], {**inputs, **found}))
        runs[:] = _described(tracer.runs, names, places, network)
        labels[:] = outputs
        return list(outputs.values()), []
    function = ModelFunction(build, predictor.input_specs(), [network], network._stream, lambda: [network])
    with _kept_states(network):
        made = [np.asarray(one) for one in function(*arrays)]
    return runs, dict(zip(labels, made))


def _places(runs: Sequence[_Seen], inputs: Dict[str, Any]) -> Tuple[Dict[int, str], Dict[str, Any]]:
    """Return the place of each tensor by its ``id()``, the first one where it has several, and tensors by place."""
    places = {id(tensor): name for name, tensor in inputs.items()}
    found = {}
    for place in in_order([one.begins for one in runs], [len(one.tensors) for one in runs],
                          [len(one.outputs) for one in runs]):
        one = runs[place.run]
        tensor = (one.tensors if place.is_input else one.outputs)[place.item]
        if id(tensor) not in places:
            places[id(tensor)] = place.key
            found[place.key] = tensor
    return places, found


def _described(runs: Sequence[_Seen], names: Dict[int, str], places: Dict[int, str],
               network: Network) -> List[LayerRun]:
    numbers = {id(one): number for number, one in enumerate(runs)}
    own: Dict[int, List[str]] = {}
    for name, (layer, _) in owners(network).items():
        own.setdefault(id(layer), []).append(name)
    made = []
    times, nb_run = Counter(id(one.layer) for one in runs), Counter[int]()
    for one in runs:
        key = id(one.layer)
        made.append(LayerRun(names.get(key, one.layer.name), type(one.layer).__name__,
                             nb_run[key] if times[key] > 1 else None,
                             [places[id(tensor)] for tensor in one.tensors],
                             None if one.host is None else numbers[id(one.host)],
                             [places[id(tensor)] for tensor in one.outputs], own.pop(key, []), one.begins))
        nb_run[key] += 1
    return made


def _gradients(network: Network, outputs: Sequence[Any], tensors: Dict[str, Any]) -> Dict[str, Any]:
    """Return the gradients of a weighted sum of the outputs, for tensors by place and for trainable parameters."""
    reals = [one for one in outputs if B.dtype(one) in FLOATS]
    wanted = {f'gradient/{place}': one for place, one in tensors.items() if B.dtype(one) in FLOATS}
    wanted.update({f'parameter/{one.name}': one.variable for one in parameters_of([network])
                   if B.dtype(one.variable) in FLOATS and one.trainable})
    if not reals or not wanted:
        return {}
    loss = _weighted_sum(reals[0])
    for one in reals[1:]:
        loss = B.add(loss, B.cast(_weighted_sum(one), B.dtype(loss)))
    return dict(zip(wanted, B.gradients(loss, list(wanted.values()))))


def _weighted_sum(tensor: Any) -> Any:
    """Return the sum of all values of a tensor times numbers without a pattern, so that none cancels another."""
    flat = B.flatten(tensor) if B.ndim(tensor) else B.expand_dims(tensor, 0)
    places = B.cast(B.arange(B.shape(flat)[0]), 'float64')
    return B.sum(B.multiply(flat, B.cast(B.cos(places * 1.3 + 0.5), B.dtype(flat))))


@contextlib.contextmanager
def _kept_states(network: Network) -> Iterator[None]:
    """Leave the place in the stream of random numbers as it was: each run of the network draws the same."""
    stream = network._stream
    position = stream.position
    try:
        yield
    finally:
        stream.begin(stream.seed, stream.number, stream.epoch, position)
