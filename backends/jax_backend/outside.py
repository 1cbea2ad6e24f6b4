"""Arrays and functions of JAX that the program itself has."""
import contextlib
from typing import Any, Callable, List, Sequence

from keraflow.backend.contract import Backend
from keraflow.backend.dtypes import near_dtype
from keraflow.backend.graph.nodes import Known, Node, Operation, apply_many, ordered
from keraflow.backend.graph.program import Program
from keraflow.backend.graph.randomness import lone_draws, starts_of
from keraflow.backend.graph.slopes import SLOPES_OF_LISTS
from keraflow.errors import BackendError

from .functions import function
from .library import jax, jnp, variables_in_use, with_64_bits

__all__ = ['Outside', 'refuse']


class Outside(Backend):
    """What layers do where the program runs JAX itself, and the other way round."""

    graph: Any

    def adopt(self, x: Any) -> Any:
        if not isinstance(x, jax.Array):
            return None
        dtype = near_dtype(x.dtype.name, self.floatx())
        return self.graph.adopted(x if x.dtype.name == dtype else x.astype(dtype))

    def plain(self, tensors: Sequence) -> List[Any]:
        nodes: List[Any] = ordered(tensors)
        read, lone = [node for node in nodes if self.is_variable(node)], lone_draws(nodes)
        program = Program(self.graph, [*read, *lone], tensors)
        is_traced = any(isinstance(node.static.get('value'), jax.core.Tracer) for node in nodes)
        # What the program itself compiles has 32 bits if it says so.
        with variables_in_use, contextlib.nullcontext() if is_traced else with_64_bits():
            found = program(*[x.value for x in read], *(starts_of(lone) if lone else ()))
            return list(map(jnp.asarray, found))

    def call(self, fn: Callable, *tensors: Any) -> Any:
        try:
            return fn(*tensors)
        except _NoValue:
            made = apply_many('call', tensors, fn=fn)
        is_one = not isinstance(_abstract(fn, [x.known[0] for x in tensors]), (list, tuple))
        return made[0] if is_one else made


class _NoValue(BackendError):
    """A function of JAX has received a tensor. No TypeError, which JAX replaces by one of its own."""


def refuse(x: Any) -> Any:
    """Refuse to convert a tensor to an array of JAX."""
    raise _NoValue(f"JAX: received {x!r}, which has no value yet. Write functions of keraflow.backend, such as "
                   'B.tanh(x), or B.call(fn, x) for a function of arrays.')


def _abstract(fn: Callable, knowns: Sequence[Known]) -> Any:
    """Return what is known of the results of a function of arrays."""
    with with_64_bits():
        return jax.eval_shape(fn, *[jax.ShapeDtypeStruct(one.shape, one.dtype) for one in knowns])


def _listed(made: Any) -> List[Any]:
    return list(made) if isinstance(made, (list, tuple)) else [made]


Operation('call', lambda *knowns, fn: [Known(x.shape, x.dtype.name) for x in _listed(_abstract(fn, knowns))])


@function
def call(*arrays: Any, fn: Callable) -> List[Any]:
    """Return the results of a function of arrays."""
    return _listed(fn(*arrays))


def _slopes_of_call(node: Node, slopes: dict, needed: Sequence[bool]) -> List[List[Node]]:
    """Return the gradients of the operands, from those of the results: by another function."""
    fn, nb_operand, numbers = node.static['fn'], len(node.inputs), sorted(slopes)
    places = [place for place, one in enumerate(needed) if one]

    def pulled_back(*arrays: Any) -> List[Any]:
        operands = list(arrays[:nb_operand])

        def of_needed(*some: Any) -> List[Any]:
            for place, x in zip(places, some):
                operands[place] = x
            made = _listed(fn(*operands))
            return [made[number] for number in numbers]
        return list(jax.vjp(of_needed, *[operands[place] for place in places])[1](list(arrays[nb_operand:])))
    made = iter(apply_many('call', [*node.inputs, *(slopes[number] for number in numbers)], fn=pulled_back))
    return [[next(made)] if one else [] for one in needed]


SLOPES_OF_LISTS['call'] = _slopes_of_call
