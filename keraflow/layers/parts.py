"""The parts of a model, which a program reads but does not change in place."""
from typing import Any, Iterable

from keraflow.errors import PartsError

__all__ = ['Part', 'Parts']

_OTHERWISE = ('Make another model: with Model(inputs, outputs), or of this one with replace, insert_after, remove or '
              'sub_model.')
#: The methods that return another model, by the list method that a user would call.
_METHODS = {'pop': 'remove(layer)', 'remove': 'remove(layer)', '__delitem__': 'remove(layer)',
            'insert': 'insert_after(layer, new)', '__setitem__': 'replace(layer, new)', 'append': '', 'extend': '',
            'clear': '', 'reverse': '', 'sort': ''}


class Parts(tuple):
    """A tuple that says what to write instead of changing it like a list, which would leave a half-changed model.

    Examples
    --------
    >>> from keraflow.layers import Dense, Input
    >>> from keraflow.models import Sequential
    >>> Sequential([Input(3), Dense(2), Dense(1)], name='s').layers.pop()
    Traceback (most recent call last):
    keraflow.errors.PartsError: s: layers is a tuple, which has no pop. Write s.remove(layer), which gives another ...
    """

    _model: Any
    _part: str

    def __new__(cls, items: Iterable[Any], model: Any, part: str) -> 'Parts':
        made = super().__new__(cls, items)
        made._model, made._part = model, part
        return made

    def __getattr__(self, name: str) -> Any:
        if name in _METHODS:
            raise self._error(name)
        raise AttributeError(f"'tuple' object has no attribute '{name}'", name=name)

    def __contains__(self, part: Any) -> bool:      # == of Kensors asks for their values
        return any(one is part for one in self)

    def index(self, part: Any, *ends: int) -> int:  # type: ignore[override]
        """Return the position of a layer, a Kensor or a call, compared by identity."""
        return [id(one) for one in self].index(id(part), *ends)

    def __setitem__(self, number: Any, value: Any) -> None:
        raise self._error('__setitem__')

    def __delitem__(self, number: Any) -> None:
        raise self._error('__delitem__')

    def __reduce_ex__(self, protocol: Any) -> Any:
        return tuple, (tuple(self),)    # a copy has the parts, but not their model

    def _error(self, method: str) -> PartsError:
        name, advice = self._model.name, _METHODS[method] if self._part == 'layers' else ''
        how = f'Write {name}.{advice}, which gives another model.' if advice else _OTHERWISE
        if self._part == 'layers' and method in ('append', 'extend') and hasattr(self._model, 'add'):
            how = f'Write {name}.add(layer).'
        return PartsError(f'{name}: {self._part} is a tuple, which has no {method}. {how}')


class Part:
    """A list of a model, which others read as :class:`Parts`."""

    def __init__(self, content: str):
        self.__doc__ = content

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, model: Any, owner: Any = None) -> Any:
        return self if model is None else Parts(getattr(model, f'_own_{self.name}'), model, self.name)

    def __set__(self, model: Any, value: Any) -> None:
        raise PartsError(f'{model.name}: {self.name} cannot be set. {_OTHERWISE}')
