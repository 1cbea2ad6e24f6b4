"""Address any tensor of a run of a network by name: outputs of its layers, and of the layers embedded in those."""
import re
from typing import Any, Dict, List, NamedTuple, Optional

from keraflow.errors import GraphError
from keraflow.graph.kensor import Kensor
from keraflow.graph.records import RunRecord

__all__ = ['TensorAddress', 'find_address', 'layer_names']

#: ``host/0/output``, ``host/0/output.1`` for the only run of a layer; ``host/0_1``, ``host/0_1.1`` for its second.
_NAME = re.compile(r'(?P<layer>.+?)(?:/output|_(?P<run>\d+))(?:\.(?P<output>\d+))?')


class TensorAddress(NamedTuple):
    """The address of a tensor: a Kensor of the network, or an output of a run of an embedded layer."""

    name: str
    kensor: Optional[Kensor]
    layer: Any = None
    run: Optional[int] = None
    output: Optional[int] = None

    def tensor(self, where: str, tensors: Dict[Kensor, Any], record: RunRecord) -> Any:
        """Return the tensor from a run, given the tensors of all Kensors and the recorded outputs of the layers.

        Raises
        ------
        GraphError
            The layer did not run that often, or has no such output.
        """
        if self.kensor is not None:
            return tensors[self.kensor]
        runs: List[List[Any]] = record.outputs.get(id(self.layer), [])
        if len(runs) <= (self.run or 0) or self.run is None and len(runs) > 1:
            is_short = runs and self.run is None
            advice = f', whose outputs are called {self._stem}_0, {self._stem}_1 and so on' if is_short else ''
            raise GraphError(f"{where}: there is no '{self.name}': the layer ran {len(runs)} time(s){advice}.")
        outputs = runs[self.run or 0]
        if len(outputs) <= (self.output or 0) or self.output is None and len(outputs) > 1:
            advice = f": write '{self.name}.0' for the first one" if self.output is None else ''
            raise GraphError(f"{where}: there is no '{self.name}': the layer gave {len(outputs)} tensor(s){advice}.")
        return outputs[self.output or 0]

    @property
    def _stem(self) -> str:
        return _NAME.fullmatch(self.name)['layer']      # type: ignore[index]      # find_address matched it


def layer_names(network: Any) -> Dict[int, str]:
    """Return the names by which :meth:`get_layer` finds the layers of a network and those inside them, by ``id()``.

    A layer found in several places has the name of the first, as in the names of parameters.
    """
    found: Dict[int, str] = {}

    def visit(host: Any, prefix: str) -> None:
        for name, layer in host.layer_ids().items():
            if id(layer) not in found:
                found[id(layer)] = prefix + name
                visit(layer, f'{prefix}{name}/')
    visit(network, '')
    return found


def find_address(network: Any, name: str) -> TensorAddress:
    """Return the address that a name means.

    Raises
    ------
    GraphError
        If it names neither a Kensor nor a layer.
    """
    match = _NAME.fullmatch(name)
    if '/' not in name or match is None or '/' not in match['layer']:
        return TensorAddress(name, network.get_kensor(name))
    run, output = (None if number is None else int(number) for number in (match['run'], match['output']))
    return TensorAddress(name, None, network.get_layer(match['layer']), run, output)
