"""keraflow's own marks in annotations, which say more than a type: ``Annotated[int, Rule('an integer of at least 1',
...)]``."""
import math
from typing import Annotated, Any, Callable, List, Literal, NamedTuple, Tuple, get_origin

from keraflow import registry

__all__ = ['DType', 'Kind', 'PerParameter', 'Rule', 'marks_of', 'number']

#: The names of dtypes, for which objects such as ``np.float32`` may be given.
DType = Literal['bool', 'int32', 'int64', 'float32', 'float64']


class Rule(NamedTuple):
    """A further condition on a value, its description, and what JSON Schema has for it."""

    text: str
    holds: Callable
    schema: Tuple[Tuple[str, Any], ...] = ()       # hashable, as annotations are

    def __repr__(self) -> str:
        return self.text        # as part of an annotation, which help() shows


class Kind(NamedTuple):
    """A slot for one kind of the registry's objects."""

    name: str

    @property
    def text(self) -> str:
        """Describe the slot."""
        return f'{registry.article(self.name)} (a name, a function or an object)'


class PerParameter(NamedTuple):
    """A slot for objects of one kind, a dict by the names of a layer's parameters or a list in their order."""

    name: str
    example: str

    @property
    def text(self) -> str:
        """Describe the slot."""
        return f"a dict or a list by parameter, such as {{'W': {self.example!r}}} or [{self.example!r}]"


def number(text: str, holds: Callable, **schema: float) -> Rule:
    """Return a condition on finite numbers, with what JSON Schema has for it."""
    return Rule(text, lambda value: math.isfinite(value) and holds(value), tuple(schema.items()))


def marks_of(annotation: Any) -> List[Any]:
    """Return the marks in an annotation."""
    if get_origin(annotation) is not Annotated:
        return []
    return [mark for mark in annotation.__metadata__ if isinstance(mark, (Rule, Kind, PerParameter))]
