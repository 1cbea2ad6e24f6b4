"""A model that is only planned, described for a picture."""
from typing import Any, Dict, List, Optional, Sequence, Tuple

from keraflow.layers.base.planned import shapes_of_parameters
from keraflow.layers.diagram import Counts, DescribedCall, Describer
from keraflow.models.sketches import GraphSketch, class_of, size_of
from keraflow.plots import Diagram

__all__ = ['planned_diagram']


def planned_diagram(sketch: Any, name: str) -> Diagram:
    """Describe a sketch of a model, or of a layer: what a picture of what it becomes shows, as far as it is known."""
    return _PlanDescriber().diagram(sketch, name)


class _PlanDescriber(Describer):
    """Asks sketches, which have neither parameters nor slots."""

    def class_of(self, layer: Any) -> type:
        return class_of(layer)

    def counts(self, layer: Any, input_shape: Any) -> Counts:
        number: Optional[int] = layer.nb_parameter if _is_graph(layer) else size_of(
            None if input_shape is None else shapes_of_parameters(layer, input_shape))
        return number, 0 if vars(layer).get('trainable') is False else None

    def calls(self, network: Any) -> List[DescribedCall]:
        if not _is_graph(network):
            return []
        place: Dict[str, Tuple[int, int]] = {}
        ends, made = network.outputs, []
        for number, call in enumerate(network.planned):
            place.update((name, (number, output)) for output, name in enumerate(call.outputs))
            sources = [(*place[name], False) for name in call.inputs]
            sources += [(*place[name], True) for name in call.arguments]
            fed = [network.known[name].shape for name in call.inputs]
            made.append(DescribedCall(call.layer, call.sketch, fed, call.shapes, sources, [
                ends.index(name) + 1 for name in call.outputs if name in ends]))
        return made

    def parts(self, host: Any, input_shape: Any) -> Dict[str, Any]:
        row = self.row(host)
        if row:
            return {str(number): layer for number, layer in enumerate({id(layer): layer for layer in row}.values())}
        inner = None if input_shape in (None, []) else host.embedded_inputs(input_shape)
        return {name: layer for name, (layer, _) in (inner or {}).items()}

    def row(self, host: Any) -> Sequence[Any]:
        return host.row if isinstance(host, GraphSketch) else ()


def _is_graph(layer: Any) -> bool:
    return isinstance(layer, GraphSketch) and bool(layer.planned)
