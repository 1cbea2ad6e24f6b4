"""What is changed of embedded layers after they came into their slots, as data: the argument ``embedded_arguments``.

A host makes its inner layers itself, so that a file of it has no place for them. What is changed of one, by freezing it
for example, is kept as ``{'0': {'trainable': False}}``: arguments by slot, nested where hosts are. A model that a host
makes has its layers by their names.
"""
from typing import Any, Dict, Optional, Tuple

from keraflow import schema
from keraflow.deprecation import current_names
from keraflow.errors import ArgumentError, nearest
from keraflow.layers.base.slots import is_layer, kept_values
from keraflow.owned import owned
from keraflow.sameness import same
from keraflow.schema import check
from keraflow.serialization.serializable import snapshot

__all__ = ['NESTED', 'EmbeddedArguments', 'EmbeddedChanges']

#: The argument of a layer for those that it embeds.
NESTED = 'embedded_arguments'
EmbeddedArguments = Optional[Dict[str, Dict[str, Any]]]


class EmbeddedChanges:
    """What a host is told, and what it tells, of changes of the layers that it embeds.

    Parameters
    ----------
    host : Layer
        Of which it asks ``name`` and the layers in the slots.
    given : dict, optional
        The host's argument ``embedded_arguments``.
    """

    __slots__ = ('_host', '_given', '_came_with')

    def __init__(self, host: Any, given: EmbeddedArguments):
        self._host = host
        self._given = given or {}
        #: By id the layer, and what may be changed of it as it was when it came.
        self._came_with: Dict[int, Tuple[Any, Dict[str, Any]]] = {}

    def layers(self) -> Dict[str, Any]:
        """The layers that ``embedded_arguments`` are for, by the keys there: the numbers of their slots."""
        return {str(number): layer for number, layer in enumerate(self._host._slots.layers)}

    def are_complete(self) -> bool:
        """Whether all layers have come."""
        return self._host._slots.is_complete

    def note(self, layer: Any) -> None:
        """Note what may be changed of a layer, so that a change is seen."""
        self._came_with.setdefault(id(layer), (layer, _attributes_of(layer)))
        layer._changes.note_parts()

    def note_parts(self) -> None:
        """Note what may be changed of the layers of a graph; others are noted when they come into their slots."""

    def give(self, layer: Any, key: str) -> None:
        """Change the layer that comes into a slot as ``embedded_arguments`` says."""
        self.note(layer)
        _change(layer, self._given.get(key, {}), f'{self._host.name}: {NESTED}: {key}')

    def take(self, arguments: EmbeddedArguments) -> None:
        """Change what the host embeds, or will embed, as other ``embedded_arguments`` say."""
        self._given = owned(arguments or {})
        for key, layer in self.layers().items():
            self.give(layer, key)

    def now(self) -> Dict[str, Dict[str, Any]]:
        """The ``embedded_arguments`` with which a layer like the host embeds what the host does now."""
        if not self.are_complete():
            return owned(self._given)
        found: Dict[str, Dict[str, Any]] = {}
        for key, layer in self.layers().items():
            _, before = self._came_with[id(layer)]
            changed = {name: owned(value) for name, value in _followed(layer).items()
                       if not same(before.get(name), snapshot(value))}
            inside = layer.embedded_changes()
            if inside:
                changed[NESTED] = inside
            if changed:
                found[key] = changed
        return found

    def added_to(self, arguments: Dict[str, Any]) -> Dict[str, Any]:
        """The arguments of the host with ``embedded_arguments``, but for layers that are among these: they say it
        themselves."""
        given = {id(one) for value in arguments.values() for one in kept_values(value)}
        layers = self.layers()
        changes = {key: changed for key, changed in self.now().items()
                   if key not in layers or id(layers[key]) not in given}
        return {**arguments, NESTED: changes} if changes else arguments

    def check_keys(self, what: str) -> None:
        """Raise unless each of ``embedded_arguments`` is for a layer that there is."""
        layers = self.layers()
        for key in self._given:
            if key not in layers:
                raise ArgumentError(f"{self._host.name}: {NESTED}: there is no {what} '{key}'. It has "
                                    f"{', '.join(layers) or 'none'}.")


def _attributes_of(layer: Any) -> Dict[str, Any]:
    """The arguments of a layer that follow its attributes, as they are now; but for layers, which are in slots of their
    own."""
    return {name: snapshot(value) for name, value in _followed(layer).items()}


def _change(layer: Any, arguments: Dict[str, Any], where: str) -> None:
    """Give a layer other arguments than it was made with.

    Raises
    ------
    ArgumentError, ArgumentTypeError
        For one that the layer does not have, or a value that it may not have; the message begins with `where`.
    """
    for name, value in current_names(type(layer), arguments, where, is_told=False).items():
        if name == NESTED:
            check(value, EmbeddedArguments, f'{where}: {name}')
            layer._changes.take(value)
            continue
        if name not in _followed(layer):
            raise ArgumentError(f"{where}: there is no argument '{name}' that can be changed. "
                                f'{nearest(name, _followed(layer))}')
        setattr(layer, name, schema.arguments_of(type(layer))[name].taken(value, where))


def _followed(layer: Any) -> Dict[str, Any]:
    return {name: vars(layer).get(name) for name in layer._kept
            if not any(map(is_layer, kept_values(vars(layer).get(name))))}
