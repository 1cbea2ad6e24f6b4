"""What is changed of embedded layers after they came into their slots, as data: the argument ``embedded_arguments``.

A host makes its inner layers itself, so that a file of it has no place for them. What is changed of one, by freezing it
for example, is kept as ``{'0': {'trainable': False}}``: arguments by slot, nested where hosts are. A model that a host
makes has its layers by their names.
"""
from typing import Any, Dict, Optional, Tuple

from keraflow import schema
from keraflow.annotations import check
from keraflow.deprecation import current_names
from keraflow.errors import ArgumentError, nearest
from keraflow.layers.base.access import LayerAccess
from keraflow.layers.base.slots import is_layer, kept_values
from keraflow.owned import owned
from keraflow.sameness import same
from keraflow.serialization.serializable import snapshot

__all__ = ['NESTED', 'ChangeableHost', 'EmbeddedArguments']

#: The argument of a layer for those that it embeds.
NESTED = 'embedded_arguments'
EmbeddedArguments = Optional[Dict[str, Dict[str, Any]]]


class ChangeableHost(LayerAccess):
    """The part of :class:`~keraflow.layers.Layer` that keeps what is changed of the layers that it embeds."""

    def __init__(self, embedded_arguments: EmbeddedArguments) -> None:
        self._embedded_arguments = embedded_arguments or {}

    def changeable_layers(self) -> Dict[str, Any]:
        """The layers that ``embedded_arguments`` are for, by the keys there: the numbers of their slots."""
        return {str(number): layer for number, layer in enumerate(self._slots.layers)}

    def give_arguments(self, layer: Any, key: str) -> None:
        """Change the layer that comes into a slot as ``embedded_arguments`` says."""
        self.note_arguments(layer)
        _change(layer, self._embedded_arguments.get(key, {}), f'{self.name}: {NESTED}: {key}')

    def note_arguments(self, layer: Any) -> None:
        """Note what may be changed of a layer, so that a change is seen."""
        self._slots.came_with.setdefault(id(layer), (layer, _attributes_of(layer)))
        layer.note_parts()

    def note_parts(self) -> None:
        """Note what may be changed of the layers of a graph; others are noted when they come into their slots."""

    @property
    def _notes_are_complete(self) -> bool:
        return self._slots.is_complete

    def take_embedded_arguments(self, arguments: EmbeddedArguments) -> None:
        """Change what it embeds, or will embed, as ``embedded_arguments`` says."""
        self._embedded_arguments = owned(arguments or {})
        for key, layer in self.changeable_layers().items():
            self.give_arguments(layer, key)

    def embedded_changes(self) -> Dict[str, Dict[str, Any]]:
        """The ``embedded_arguments`` with which a layer like this one embeds what this one does now."""
        if not self._notes_are_complete:
            return owned(self._embedded_arguments)
        return _changes_of(self.changeable_layers(), self._slots.came_with)

    def _remembered_arguments(self) -> Dict[str, Any]:
        arguments = super()._remembered_arguments()
        given = {id(one) for value in arguments.values() for one in kept_values(value)}     # which say it themselves
        layers = self.changeable_layers()
        changes = {key: changed for key, changed in self.embedded_changes().items()
                   if key not in layers or id(layers[key]) not in given}
        return {**arguments, NESTED: changes} if changes else arguments

    def check_embedded_keys(self, what: str) -> None:
        """Raise unless each of ``embedded_arguments`` is for a layer that there is."""
        layers = self.changeable_layers()
        for key in self._embedded_arguments:
            if key not in layers:
                raise ArgumentError(f"{self.name}: {NESTED}: there is no {what} '{key}'. It has "
                                    f"{', '.join(layers) or 'none'}.")


def _attributes_of(layer: Any) -> Dict[str, Any]:
    """The arguments of a layer that follow its attributes, as they are now; but for layers, which are in slots of their
    own."""
    return {name: snapshot(value) for name, value in _followed(layer).items()}


def _changes_of(layers: Dict[str, Any], before: Dict[int, Tuple[Any, Dict[str, Any]]]) -> Dict[str, Dict[str, Any]]:
    """What is another argument of the layers now, by key, than in `before`, which has each layer by its ``id()``,
    and its attributes of that time."""
    found: Dict[str, Dict[str, Any]] = {}
    for key, layer in layers.items():
        _, attributes = before[id(layer)]
        changed = {name: owned(value) for name, value in _followed(layer).items()
                   if not same(attributes.get(name), snapshot(value))}
        inside = layer.embedded_changes()
        if inside:
            changed[NESTED] = inside
        if changed:
            found[key] = changed
    return found


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
            layer.take_embedded_arguments(value)
            continue
        if name not in _followed(layer):
            raise ArgumentError(f"{where}: there is no argument '{name}' that can be changed. "
                                f'{nearest(name, _followed(layer))}')
        check(value, schema.arguments_of(type(layer))[name].annotation, f'{where}: {name}')
        setattr(layer, name, value)


def _followed(layer: Any) -> Dict[str, Any]:
    return {name: vars(layer).get(name) for name in layer._kept
            if not any(map(is_layer, kept_values(vars(layer).get(name))))}
