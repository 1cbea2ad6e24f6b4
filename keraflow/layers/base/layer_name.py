"""Name a layer: as its user says, or by its class, its slot or its model."""
from typing import Any, Optional, Tuple

from keraflow.graph import naming
from keraflow.serialization import is_rebuilding
from keraflow.serialization.sketching import is_sketching

__all__ = ['LayerName']


class LayerName:
    """The name of one layer.

    A user's name stays. Otherwise whoever takes the layer first names it: a host by its slot (``host/0``), a model by
    its class and position. Before that, it is numbered by class when first asked for.

    Parameters
    ----------
    layer : Layer
        Its ``user_name`` and ``name_prefix`` are used.
    text : str, optional
        The name with which the layer was made.
    """

    __slots__ = ('_layer', '_text', '_namer', '_place')

    def __init__(self, layer: Any, text: Optional[str]):
        self._layer = layer
        self._text = text
        self._namer: Any = None     # the network that named it
        self._place: Optional[Tuple[Any, int]] = None       # the host, and the number of the slot
        if text is not None and not is_rebuilding():    # a file does not change how the program's layers are called
            naming.claim(text)      # so that no layer gets this name later

    @property
    def text(self) -> str:
        """The current name."""
        if self._text is None and self._place is not None:
            host, number = self._place
            return f'{host.name}/{number}'
        if self._text is None:
            if is_sketching():
                return self._layer.name_prefix      # no number is taken for what is not built
            with naming.LOCK:
                self._text = self._text or naming.unique(self._layer.name_prefix)
        return self._text

    def kept_from(self, namer: Any) -> Optional[str]:
        """Return the name that the user or someone other than `namer` gave; None if none."""
        return self.text if self._layer.user_name is not None or self._namer not in (None, namer) else None

    def suggest(self, text: str, namer: Any) -> None:
        """Become `text`, unless :meth:`kept_from` returns a name."""
        if self.kept_from(namer) is None:
            self._text, self._namer = text, namer

    def suggest_slot(self, host: Any, number: int) -> None:
        """Become the name of a slot, unless the layer keeps another name."""
        if self.kept_from(None) is None:
            self._text, self._place = None, (host, number)

    def shown(self) -> str:
        """Return the name if there is one, without choosing one."""
        return self.text if self._text or self._place else '(not named yet)'
