"""Modules of other libraries as functions of tensors, with variables for their arrays."""
from typing import Any, Callable, Dict, List, Sequence, Tuple

import numpy as np

from keraflow.backend.contract import Backend
from keraflow.backend.dtypes import DTYPES
from keraflow.backend.graph.nodes import apply_many
from keraflow.errors import ArgumentError, describe

from .library import jax, jnp, with_64_bits
from .module_kinds import Held, Run, module_of

__all__ = ['Modules']


class Modules(Backend):
    """What Foreign layers do with modules."""

    def adopt_function(self, fn: Callable) -> Callable:
        found = module_of(fn)
        return super().adopt_function(fn) if found is None else _Adopted(self, *found)


class _Adopted:
    """A module as a function of tensors and variables. See :meth:`Backend.adopt_function`.

    What it draws from keys of its own it draws from those of a run, instead: random numbers follow the seed of the
    model, and a training that is resumed goes on with the same ones.
    """

    def __init__(self, backend: Any, held: Sequence[Held], run: Run):
        self.backend = backend
        self.run = run
        self.nb_held = len(held)
        #: What becomes a variable, and what belongs to a run, by the place among the arrays of the module.
        self.variables: Dict[int, Any] = {}
        self.of_runs: Dict[int, Held] = {}
        for place, one in enumerate(held):
            if one.what in ('key', 'count'):
                self.of_runs[place] = one
            else:
                made = self.variables[place] = backend.variable(np.asarray(one.array), one.array.dtype.name, one.name)
                made.is_trainable = one.what == 'parameter'

    def __call__(self, tensors: Sequence[Any], arguments: Dict[str, Any], in_training: bool,
                 value_of: Callable) -> Tuple[Any, List[tuple]]:
        operands = [*map(value_of, self.variables.values()), *tensors]
        one = _OneRun(self, arguments, in_training)
        with with_64_bits():
            jax.eval_shape(one.look, *[jax.ShapeDtypeStruct(x.known[0].shape, x.known[0].dtype) for x in operands])
        if one.draws:
            operands.append(self.backend.random_uniform((4,), 0., 65536., dtype='float32'))
        found = apply_many('call', operands, fn=one)
        made = found[:one.nb_made]
        values = zip([self.variables[place] for place in one.changed], found[one.nb_made:])
        return made if one.is_several else made[0], list(values)


class _OneRun:
    """A run of a module as a function of arrays, once :meth:`look` has seen what it does.

    Attributes
    ----------
    nb_made : int
        How many arrays the module returns.
    is_several : bool
        Whether it returns a list or tuple of them.
    changed : list of int
        The places of the states that it changes.
    draws : bool
        Whether it draws random numbers. The last operand is then what its keys are made from.
    """

    def __init__(self, adopted: _Adopted, arguments: Dict[str, Any], in_training: bool):
        self._adopted = adopted
        self._arguments = arguments
        self._in_training = in_training

    def look(self, *arrays: Any) -> None:
        """See what the module does with arrays of which shapes and dtypes are known."""
        made, before, after = self._computed(arrays)
        self.is_several = isinstance(made, (list, tuple))
        for one in made if self.is_several else [made]:
            if not isinstance(one, jax.Array):
                raise ArgumentError('expected a module that returns an array or a list of arrays, received one that '
                                    f'returns {describe(made)}.')
        self.nb_made = len(made) if self.is_several else 1
        # Parameters are changed by training alone; a function that a module compiles returns all arrays as new ones.
        self.changed = [place for place, variable in self._adopted.variables.items()
                        if not variable.is_trainable and after[place] is not before[place]]
        self.draws = any(after[place] is not before[place] for place in self._adopted.of_runs)

    def __call__(self, *arrays: Any) -> List[Any]:
        operands, numbers = (arrays[:-1], arrays[-1]) if self.draws else (arrays, None)
        made, _, after = self._computed(operands, numbers)
        results = [self._as_known(x, operands) for x in (made if self.is_several else [made])]
        return results + [jnp.asarray(after[place], self._adopted.variables[place].dtype) for place in self.changed]

    def _computed(self, operands: Sequence[Any], numbers: Any = None) -> Tuple[Any, List[Any], List[Any]]:
        """Return what the module returns, and what it holds before and after."""
        adopted, nb_variable = self._adopted, len(self._adopted.variables)
        held = dict(zip(adopted.variables, operands))
        for place, one in adopted.of_runs.items():
            held[place] = one.array if numbers is None or one.what == 'count' else _key_like(one.array, numbers, place)
        before = [held[place] for place in range(adopted.nb_held)]
        made, after = adopted.run(before, operands[nb_variable:], self._arguments, self._in_training)
        return made, before, after

    def _as_known(self, x: Any, operands: Sequence[Any]) -> Any:
        """Return a result in a dtype that keraflow has; in floatx, if no operand has as many digits."""
        is_real = jnp.issubdtype(x.dtype, jnp.floating)
        if x.dtype.name in DTYPES and (not is_real or x.dtype in [one.dtype for one in operands]):
            return x
        return x.astype(self._adopted.backend.floatx() if is_real else 'int64')


def _key_like(key: Any, numbers: Any, place: int) -> Any:
    """Return a key, or an array of keys, of the same kind as another one: from numbers below 65536, and a place."""
    first, second, third, fourth = numbers.astype('uint32')
    made = jax.random.wrap_key_data(jnp.stack([first << 16 | second, third << 16 | fourth]), impl='threefry2x32')
    bits = jax.random.bits(jax.random.fold_in(made, place), dtype='uint32')
    made = jax.random.key(bits, impl=jax.random.key_impl(key))
    return jax.random.split(made, key.shape) if key.shape else made
