"""What the arguments of a layer say of its parameters, and of those of the layers in it: regularizers, constraints and
first values."""
from typing import Any, Dict, Sequence, Tuple

# Imported for what they register: the names that `regularizers` and `constraints` may be given.
import keraflow.constraints  # noqa: F401
import keraflow.regularizers  # noqa: F401
from keraflow import registry
from keraflow.arguments import assign, split_arrays
from keraflow.errors import ArgumentError, describe
from keraflow.layers.base.variables import by_parameter, first_values
from keraflow.layers.base.weights import Weights

__all__ = ['ParameterArguments', 'refusal_for_state']


class ParameterArguments(Weights):
    """The part of :class:`~keraflow.layers.Layer` that gives parameters what its arguments say of them."""

    initial_weights = first_values('initial_weights')
    regularizers = by_parameter('regularizers')
    constraints = by_parameter('constraints')

    def _apply_arguments(self, names: Sequence[str]) -> None:
        """Give these parameters what the layer's arguments say of them; they may also speak of others, made later."""
        for kind in ('regularizer', 'constraint'):
            where = f'{self.name}: {kind}s'
            for name, one in assign(self._about(names, getattr(self, f'{kind}s')), names, where).items():
                self._give_to_parameter(kind, name, one, where)
        variables = {name: self._variables[name] for name in names}
        self._assign_weights(variables, self._about(names, self.initial_weights), 'initial_weights')

    def _about(self, names: Sequence[str], value: Any) -> Any:
        """What an argument says of these parameters; a list is in the order in which parameters are made."""
        listed = [] if value is None else split_arrays(value)
        by_name = listed if isinstance(listed, dict) else dict(zip(self._variables, listed))
        return {name: one for name, one in by_name.items() if name in names}

    def _complete_arguments(self) -> None:
        """Give parameters of embedded layers what dicts say of them; raise for names that the first run did not
        make."""
        owners = self._owners()
        for kind in self._given:
            where, given = f'{self.name}: {kind}s', getattr(self, f'{kind}s')
            given = self.present_names(given) if isinstance(given, dict) else given
            names = list(owners if isinstance(given, dict) else self._variables)
            for name, one in assign(given, names, where).items():
                owner, own_name = owners[name]
                owner._give_to_parameter(kind, own_name, one, where)
        weights = split_arrays(self.initial_weights)
        weights = self.present_names(weights) if isinstance(weights, dict) else weights
        assign(weights, list(owners if isinstance(weights, dict) else self._variables), f'{self.name}: initial_weights')

    def _give_to_parameter(self, kind: str, name: str, one: Any, where: str) -> None:
        given = registry.resolve(kind, one, f'{where}: ')
        if name in self._states:
            raise refusal_for_state(f'{where}: {name}', given)
        self._given[kind][name] = given

    def give_initial_weights(self, layer: 'ParameterArguments', number: int) -> None:
        """Give the layer in a slot, before it runs, what `initial_weights` says of its parameters."""
        prefixes = {str(number), *(name for name, one in self.layer_ids().items() if one is layer)}
        given = self.initial_weights if isinstance(self.initial_weights, dict) else {}
        own = {name.split('/', 1)[1]: value for name, value in given.items()
               if isinstance(name, str) and '/' in name and name.split('/')[0] in prefixes}
        if own and layer._is_linked():
            layer.set_weights(own)
        elif own:
            its_own = layer.initial_weights
            vars(layer)['initial_weights'] = {**its_own, **own} if isinstance(its_own, dict) else own   # no more copies

    def _owners(self, prefix: str = '') -> Dict[str, Tuple['ParameterArguments', str]]:
        """By the name of each parameter, those of embedded layers included, its layer and its name there."""
        found: Dict[str, Tuple[ParameterArguments, str]] = {prefix + name: (self, name) for name in self._variables}
        for number, layer in self.layer_ids().items():
            found.update(layer._owners(f'{prefix}{number}/'))
        return found


def refusal_for_state(where: str, one: Any) -> ArgumentError:
    return ArgumentError(f'{where}: expected None for a state, which training does not change, received '
                         f'{describe(one)}. Leave it out.')
