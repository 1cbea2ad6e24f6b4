"""Express changes of embedded layers since they came into their slots as data: the argument ``embedded_arguments``.

A host makes its inner layers itself, so that its file has no place for them. Changes of one, such as freezing it, are
kept as ``{'0': {'trainable': False}}``: arguments by slot, nested as hosts are, and by name for the layers of a model
that a host makes.
"""
from typing import Any, Dict, Optional, Tuple

from keraflow import schema
from keraflow.deprecation import current_names
from keraflow.errors import ArgumentError, nearest
from keraflow.layers.base.kept_values import is_layer, kept_values
from keraflow.owned import owned
from keraflow.sameness import same
from keraflow.schema import check
from keraflow.serialization.serializable import snapshot

__all__ = ['EMBEDDED_ARGUMENTS', 'EmbeddedArguments', 'EmbeddedChanges']

#: The argument of a layer for those that it embeds.
EMBEDDED_ARGUMENTS = 'embedded_arguments'
EmbeddedArguments = Optional[Dict[str, Dict[str, Any]]]


class EmbeddedChanges:
    """The changes of the layers that a host embeds: those to make, and those that were made.

    Parameters
    ----------
    host : Layer
        Its ``name`` and the layers in its slots are used.
    given : dict, optional
        The host's argument ``embedded_arguments``.
    """

    __slots__ = ('_host', '_given', '_came_with')

    def __init__(self, host: Any, given: EmbeddedArguments):
        self._host = host
        self._given = given or {}
        #: By id: the layer, and its changeable arguments when it came.
        self._came_with: Dict[int, Tuple[Any, Dict[str, Any]]] = {}

    def layers(self) -> Dict[str, Any]:
        """Return the layers by the keys of ``embedded_arguments``: the numbers of their slots."""
        return {str(number): layer for number, layer in enumerate(self._host._slots.layers)}

    def are_complete(self) -> bool:
        """Return whether all layers have come."""
        return self._host._slots.is_complete

    def note(self, layer: Any) -> None:
        """Note the changeable arguments of a layer, so that changes are seen."""
        self._came_with.setdefault(id(layer), (layer, _attributes_of(layer)))
        layer._changes.note_parts()

    def note_parts(self) -> None:
        """Note the layers of a graph; other layers are noted when they come into their slots."""

    def give(self, layer: Any, key: str) -> None:
        """Change a layer that comes into a slot as ``embedded_arguments`` says."""
        self.note(layer)
        _change(layer, self._given.get(key, {}), f'{self._host.name}: {EMBEDDED_ARGUMENTS}: {key}')

    def take(self, arguments: EmbeddedArguments) -> None:
        """Change what the host embeds, now and later, as new ``embedded_arguments`` say."""
        self._given = owned(arguments or {})
        for key, layer in self.layers().items():
            self.give(layer, key)

    def now(self) -> Dict[str, Dict[str, Any]]:
        """Return the ``embedded_arguments`` that give another such host the embedded layers of this one."""
        if not self.are_complete():
            return owned(self._given)
        found: Dict[str, Dict[str, Any]] = {}
        for key, layer in self.layers().items():
            _, before = self._came_with[id(layer)]
            changed = {name: owned(value) for name, value in _followed(layer).items()
                       if not same(before.get(name), snapshot(value))}
            inside = layer.embedded_changes()
            if inside:
                changed[EMBEDDED_ARGUMENTS] = inside
            if changed:
                found[key] = changed
        return found

    def added_to(self, arguments: Dict[str, Any]) -> Dict[str, Any]:
        """Return the arguments of the host with ``embedded_arguments``, except for layers among these arguments, which
        are saved themselves."""
        given = {id(one) for value in arguments.values() for one in kept_values(value)}
        layers = self.layers()
        changes = {key: changed for key, changed in self.now().items()
                   if key not in layers or id(layers[key]) not in given}
        return {**arguments, EMBEDDED_ARGUMENTS: changes} if changes else arguments

    def check_keys(self, what: str) -> None:
        """Raise if one of ``embedded_arguments`` is for no layer."""
        layers = self.layers()
        for key in self._given:
            if key not in layers:
                raise ArgumentError(f"{self._host.name}: {EMBEDDED_ARGUMENTS}: there is no {what} '{key}'. It has "
                                    f"{', '.join(layers) or 'none'}.")


def _attributes_of(layer: Any) -> Dict[str, Any]:
    """Return the current changeable arguments of a layer, except for layers, which have slots of their own."""
    return {name: snapshot(value) for name, value in _followed(layer).items()}


def _change(layer: Any, arguments: Dict[str, Any], where: str) -> None:
    """Change arguments of a layer.

    Raises
    ------
    ArgumentError, ArgumentTypeError
        For an unknown argument, or a value that it may not have; the message begins with `where`.
    """
    for name, value in current_names(type(layer), arguments, where, warns=False).items():
        if name == EMBEDDED_ARGUMENTS:
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
