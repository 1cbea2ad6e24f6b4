"""The one name that each layer and each Kensor has in a network.

A layer named by the user has that name everywhere. Any other gets its name from the first network that takes it, by
class and position, the same in each run of a program; its :attr:`name` is that from then on, and networks that share
the layer use it, too. A network that joins layers with the same name numbers them anew, and refuses their own names as
ambiguous. Calls are numbered in the same way.
"""
from collections import Counter
from typing import Any, Dict, Sequence

from keraflow.errors import GraphError
from keraflow.graph.kensor import Call, Kensor, numbered_name, output_name
from keraflow.graph.naming import check_only, distinct, two_of_one_name

__all__ = ['Names']


class Names:
    """The names in a network, fixed when it is made.

    Attributes
    ----------
    layers : dict
        The layers by name.
    of : dict
        The names by the ``id()`` of the layer.
    kensors : dict
        The numbered names by Kensor: ``dense1_0``, ``split1_0.1``; an Input has its own.

    Raises
    ------
    GraphError
        If an Input has the name of a Kensor.
    """

    def __init__(self, network: Any, layers: Sequence[Any], calls: Sequence[Call], namer: Any):
        self._network = network
        users = Counter(layer.user_name for layer in layers)
        names = distinct([layer._name.kept_from(namer) for layer in layers], [layer.name_prefix for layer in layers])
        self.layers: Dict[str, Any] = {}
        for layer, name in zip(layers, names):
            if layer.user_name is not None and (users[layer.user_name] > 1 or name != layer.user_name):
                raise GraphError(f'{network.name}: {two_of_one_name(layer.user_name)}')
            layer._name.suggest(name, namer)
            self.layers[name] = layer
        self.of: Dict[int, str] = {id(layer): name for name, layer in self.layers.items()}
        self.kensors: Dict[Kensor, str] = {}
        self._times = Counter(id(call.layer) for call in calls)
        self._name_kensors(calls, namer)

    def _name_kensors(self, calls: Sequence[Call], namer: Any) -> None:
        prefixes = [f'{self.of[id(call.layer)]}_' for call in calls]
        kept = [f'{prefix}{call.number}' if call.is_kept_from(namer) else None
                for call, prefix in zip(calls, prefixes)]
        seen: set = set()
        for call, prefix, name in zip(calls, prefixes, distinct(kept, prefixes, first=0)):
            call.suggest_number(int(name[len(prefix):]), self._is_only(call), namer)
            for kensor in call.outputs:
                its_name = numbered_name(kensor, name) if call.inputs else prefix[:-1]
                if its_name in seen:
                    raise GraphError(f"{self._network.name}: '{its_name}' is the name of an Input and of what "
                                     f'{its_name[:its_name.rindex("_")]} gives. Give the Input another name.')
                seen.add(its_name)
                self.kensors[kensor] = its_name

    def _is_only(self, call: Call) -> bool:
        return self._times[id(call.layer)] == 1

    def short(self, kensor: Kensor) -> str:
        """Return the name of a Kensor for messages: ``conv0/output`` if the layer has one call in the network."""
        is_short = self._is_only(kensor.call) and kensor.call.inputs
        return output_name(kensor, self.of[id(kensor.layer)]) if is_short else self.kensors[kensor]

    def layer(self, name: str) -> Any:
        """Return the layer with a name; None if there is none.

        Raises
        ------
        GraphError
            If two layers have that name elsewhere.
        """
        found = [layer for its_name, layer in self.layers.items() if name in (its_name, layer.name)]
        check_only([self.of[id(layer)] for layer in found], f"{self._network.name}: '{name}'", 'layers')
        return next(iter(found), None)

    def kensor(self, name: str) -> Kensor:
        """Return the Kensor with a name.

        Raises
        ------
        GraphError
            If there is none, or two have that name elsewhere.
        """
        found = [kensor for kensor, numbered in self.kensors.items()
                 if name in (numbered, self.short(kensor), kensor.name)]
        if not found:
            raise GraphError(f"{self._network.name}: there is no Kensor '{name}'. There are "
                             f"{', '.join(map(self.short, self.kensors))}.")
        check_only(list(map(self.short, found)), f"{self._network.name}: '{name}'", 'Kensors')
        return found[0]
