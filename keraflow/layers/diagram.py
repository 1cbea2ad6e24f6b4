"""A graph of layers, described for a picture."""
from collections import Counter
from typing import Any, Dict, List, NamedTuple, Optional, Sequence, Set, Tuple

from keraflow import schema
from keraflow.layers.summary import count_values
from keraflow.plots import Box, Diagram, Edge, family_of, settings_text
from keraflow.shapes import is_shape, unlist

__all__ = ['Counts', 'DescribedCall', 'Describer', 'diagram_of']

#: How many parameters there are, and how many of them training changes; None if that is not known.
Counts = Tuple[Optional[int], Optional[int]]


class DescribedCall(NamedTuple):
    """A call in a graph.

    Attributes
    ----------
    name : str
        Of the layer.
    layer : Layer
    fed : list
        The shapes of its inputs.
    shapes : sequence
        Those of its outputs.
    sources : list of (int, int, bool)
        Where each input and each Kensor among its arguments comes from: which call, which of its outputs, and whether
        it is an argument.
    ends : list of int
        Which outputs of the network it gives, counted from 1.
    """

    name: str
    layer: Any
    fed: List[Any]
    shapes: Sequence[Any]
    sources: List[Tuple[int, int, bool]]
    ends: List[int]


class Describer:
    """Describe a network by boxes, edges, and what is inside of the boxes.

    What is inside a layer is described where it is met first. Of a layer that is no network only the layers inside it
    are known, not how they are joined.
    """

    def __init__(self) -> None:
        self._seen: Set[int] = set()

    # -- what it asks of layers, which those of a plan answer in another way ------------------------------------------

    def class_of(self, layer: Any) -> type:
        """Return the class that is shown."""
        return type(layer)

    def counts(self, layer: Any, input_shape: Any) -> Counts:
        """Return the numbers of parameters, unless they are not made yet."""
        trainable, fixed = count_values(layer)
        is_known = layer.built or layer.nb_call > 0 or trainable + fixed > 0
        return (trainable + fixed, trainable) if is_known else (None, None)

    def calls(self, network: Any) -> List[DescribedCall]:
        """Return the calls of a network, each after those that feed it; none for another layer."""
        calls = getattr(network, 'calls', ())
        place = {kensor: (number, output) for number, call in enumerate(calls)
                 for output, kensor in enumerate(call.outputs)}
        ends: Dict[int, List[int]] = {}
        for number, kensor in enumerate(network.outputs if calls else (), 1):
            ends.setdefault(place[kensor][0], []).append(number)
        return [DescribedCall(
            network.names.of[id(call.layer)], call.layer, [kensor.shape for kensor in call.fed],
            [kensor.shape for kensor in call.outputs],
            [(*place[kensor], position >= len(call.fed)) for position, kensor in enumerate(call.inputs)],
            ends.get(number, [])) for number, call in enumerate(calls)]

    def parts(self, host: Any, input_shape: Any) -> Dict[str, Any]:
        """Return the layers inside a host by name."""
        return dict(host.layer_ids())

    def row(self, host: Any) -> Sequence[Any]:
        """Return the layers of a host one after the other, if they are fed so: of a Sequential that is no model."""
        return host.layers if hasattr(host, 'calls') else ()

    # -- what it makes of the answers ---------------------------------------------------------------------------------

    def diagram(self, layer: Any, name: str, input_shape: Any = None) -> Diagram:
        """Describe a network, or what is inside of a layer."""
        self._seen.add(id(layer))
        calls = self.calls(layer)
        boxes, edges = self._graph(calls) if calls else self._inside(layer, input_shape)
        return Diagram(name, self.class_of(layer).__name__, boxes, edges, *self.counts(layer, input_shape))

    def _graph(self, calls: Sequence[DescribedCall]) -> Tuple[List[Box], List[Edge]]:
        nb_end = sum(len(call.ends) for call in calls)
        times, so_far = Counter(id(call.layer) for call in calls), Counter[int]()
        boxes = []
        for call in calls:
            so_far[id(call.layer)] += 1
            word = f'output {", ".join(map(str, call.ends))}' if nb_end > 1 else 'output'
            shape = call.fed if getattr(call.layer, 'multi_input', False) else unlist(call.fed)
            boxes.append(self._box(call.layer, call.name, shape)._replace(
                shapes=call.shapes, number=so_far[id(call.layer)], nb_call=times[id(call.layer)],
                output=word if call.ends else ''))
        return boxes, [Edge(source, number, output, is_argument) for number, call in enumerate(calls)
                       for source, output, is_argument in call.sources]

    def _inside(self, host: Any, input_shape: Any) -> Tuple[List[Box], List[Edge]]:
        layers = self.parts(host, input_shape)
        fed = (host.embedded_inputs(input_shape) if input_shape not in (None, []) else None) or {}
        boxes = []
        for name, layer in layers.items():
            shape = fed[name][1] if name in fed else None
            outputs = layer.output_shape(shape) if shape is not None else None
            shapes = [] if outputs is None else [outputs] if is_shape(outputs) else outputs
            boxes.append(self._box(layer, name, shape)._replace(shapes=shapes))
        numbers = {id(layer): number for number, layer in enumerate(layers.values())}
        row = [numbers[id(layer)] for layer in self.row(host)]
        return boxes, [Edge(*pair) for pair in zip(row, row[1:])]

    def _box(self, layer: Any, name: str, input_shape: Any) -> Box:
        cls = self.class_of(layer)
        has_inside = id(layer) not in self._seen and (self.calls(layer) or self.parts(layer, input_shape))
        inside = self.diagram(layer, name, input_shape) if has_inside else None
        kind = f'B.{layer.operation}' if cls.__name__ == 'Operation' else cls.__name__
        return Box(name, kind, family_of(cls), (), *self.counts(layer, input_shape), settings=_settings(cls, layer),
                   inside=inside)


def diagram_of(network: Any) -> Diagram:
    """Return the calls of a network as boxes, with what is inside the layers."""
    return Describer().diagram(network, network.name)


def _settings(cls: type, layer: Any) -> str:
    """Return the arguments that a layer was made with, unless they are the default ones."""
    defaults = {name: one.default for name, one in schema.arguments_of(cls).items()}
    known = {**vars(layer).get('_passed', {}), **vars(layer)}
    return settings_text({name: known.get(name, default) for name, default in defaults.items()}, defaults)
