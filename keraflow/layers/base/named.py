"""The name of a layer: the user's, else one that its class, its place in a host or a model gives it."""
from typing import Any, Dict, Optional, Tuple

from keraflow.errors import ArgumentError
from keraflow.graph import naming

__all__ = ['Named']


class Named:
    """The part of :class:`~keraflow.layers.Layer` that has a name."""

    _passed: Dict[str, Any]

    def __init__(self, name: Optional[str]) -> None:
        self._name = name
        self._namer: Any = None     # the network that gave it its name
        self._place: Optional[Tuple[Any, int]] = None       # its host, and the number of its slot
        if name is not None:
            naming.claim(name)      # so that no layer is given this name later

    @property
    def name(self) -> str:
        """Name given by the user, else that in the first model or host which takes the layer; before, it is numbered
        by class when it is first used."""
        if self._name is None and self._place is not None:
            host, number = self._place
            return f'{host.name}/{number}'
        if self._name is None:
            with naming.LOCK:
                self._name = self._name or naming.unique(self.name_prefix)
        return self._name

    @name.setter
    def name(self, name: str) -> None:
        raise ArgumentError(f'{self!r}: its name cannot be changed, because Kensors and files refer to it. Pass '
                            f'name={name!r} where the layer is made.')

    @property
    def name_prefix(self) -> str:
        """What numbers are put behind where it has no name: its class."""
        return type(self).__name__.lower()

    @property
    def user_name(self) -> Optional[str]:
        """The name that the user gave, if any."""
        return self._passed.get('name')

    @property
    def scope_name(self) -> str:
        """What the names of its parameters and outputs start with: its name."""
        return self.name

    def name_kept_from(self, namer: Any) -> Optional[str]:
        """The name that the user or another one than `namer` gave it, if any."""
        return self.name if self.user_name is not None or self._namer not in (None, namer) else None

    def suggest_name(self, name: str, namer: Any) -> None:
        """Take `name`, unless :meth:`name_kept_from` says another one."""
        if self.name_kept_from(namer) is None:
            self._name, self._namer = name, namer

    def name_by_slot(self, host: Any, number: int) -> None:
        """Let the name be that of a slot, unless there is another one that it keeps."""
        if self.name_kept_from(None) is None:
            self._name, self._place = None, (host, number)

    def __repr__(self) -> str:
        return f'<{type(self).__name__} {self.name if self._name or self._place else "(not named yet)"}>'
