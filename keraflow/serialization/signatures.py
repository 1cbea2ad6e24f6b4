"""Signatures of constructors as tools show them: all arguments, with short names for their types."""
import collections.abc
import inspect
from typing import Annotated, Any, Hashable, Literal, get_args, get_origin

from keraflow import schema

__all__ = ['ShownSignature', 'signature_of']

#: The names in the schema module, by the annotations they stand for.
_NAMES = {value: name for name, value in vars(schema).items() if name[0] != '_' and get_origin(value) is not None}


_WORDS = {...: '...', type(None): 'None'}


class ShownSignature:
    """The attribute ``__signature__`` of classes, which ``inspect.signature`` and ``help`` read. Objects have none."""

    def __get__(self, made: Any, cls: type) -> inspect.Signature:
        if made is not None:
            raise AttributeError('__signature__')
        return signature_of(cls)


class _Text(str):
    """An annotation that is shown verbatim."""

    __repr__ = str.__str__


def signature_of(cls: Any) -> inspect.Signature:
    """Return the arguments of a constructor, including those of base classes.

    Examples
    --------
    >>> from keraflow.regularizers import L1
    >>> signature_of(L1)
    <Signature (l1: NonNegative = 0.01)>
    """
    kinds = {True: inspect.Parameter.POSITIONAL_OR_KEYWORD, False: inspect.Parameter.KEYWORD_ONLY}
    return inspect.Signature([inspect.Parameter(one.name, kinds[one.positional], default=one.default,
                                                annotation=_shown(one.annotation))
                              for one in schema.arguments_of(cls).values()])


def _shown(annotation: Any) -> Any:
    """Return an annotation, or a short text for it."""
    text = _text(annotation)
    return annotation if text == inspect.formatannotation(annotation) else _Text(text)


def _text(annotation: Any) -> str:
    if isinstance(annotation, Hashable) and annotation in _NAMES:
        return _NAMES[annotation]
    items = get_args(annotation)
    if not items or get_origin(annotation) in (Literal, collections.abc.Callable):
        return annotation.__qualname__ if inspect.isclass(annotation) else inspect.formatannotation(annotation)
    if get_origin(annotation) is Annotated:
        return _text(items[0])
    name = inspect.formatannotation(annotation).partition('[')[0]
    if name == 'Optional' and _takes_none(items[0]):       # Python 3.10 adds Optional wherever the default is None
        return _text(items[0])
    shown = items[:1] if name == 'Optional' else items
    return f'{name}[{", ".join(_WORDS.get(one) or _text(one) for one in shown)}]'


def _takes_none(annotation: Any) -> bool:
    base = get_args(annotation)[0] if get_origin(annotation) is Annotated else annotation
    return annotation is Any or type(None) in get_args(base)
