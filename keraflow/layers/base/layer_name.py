"""The name of a layer: the user's, else one that its class, its place in a host or a model gives it."""
from typing import Any, Optional, Tuple

from keraflow.graph import naming

__all__ = ['LayerName']


class LayerName:
    """What one layer is called, which its user, a host or a model may say.

    A name of the user's stays. Another one is settled by who takes the layer first: a host calls it by its slot
    (``host/0``), a model by class and position. Before, it is numbered by class when somebody asks.

    Parameters
    ----------
    layer : Layer
        Of which it asks ``user_name`` and ``name_prefix``.
    text : str, optional
        The name with which the layer was made.
    """

    __slots__ = ('_layer', '_text', '_namer', '_place')

    def __init__(self, layer: Any, text: Optional[str]):
        self._layer = layer
        self._text = text
        self._namer: Any = None     # the network that gave it
        self._place: Optional[Tuple[Any, int]] = None       # the host, and the number of the slot
        if text is not None:
            naming.claim(text)      # so that no layer is given this name later

    @property
    def text(self) -> str:
        """The name now."""
        if self._text is None and self._place is not None:
            host, number = self._place
            return f'{host.name}/{number}'
        if self._text is None:
            with naming.LOCK:
                self._text = self._text or naming.unique(self._layer.name_prefix)
        return self._text

    def kept_from(self, namer: Any) -> Optional[str]:
        """The name that the user or another one than `namer` gave the layer, if any."""
        return self.text if self._layer.user_name is not None or self._namer not in (None, namer) else None

    def suggest(self, text: str, namer: Any) -> None:
        """Be `text`, unless :meth:`kept_from` says another one."""
        if self.kept_from(namer) is None:
            self._text, self._namer = text, namer

    def suggest_slot(self, host: Any, number: int) -> None:
        """Be that of a slot, unless there is another one that the layer keeps."""
        if self.kept_from(None) is None:
            self._text, self._place = None, (host, number)

    def shown(self) -> str:
        """The name, which this does not make one."""
        return self.text if self._text or self._place else '(not named yet)'
