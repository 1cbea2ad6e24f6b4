"""The description of one Keras layer: every argument is used, or known not to matter, or refused."""
import functools
from typing import Any, Dict, List, Optional

from keraflow import activations
from keraflow.constraints import MaxNorm, NonNeg, UnitNorm
from keraflow.errors import KeraFlowError
from keraflow.files.refusal import excerpt
from keraflow.regularizers import L1, L1L2, L2

__all__ = ['Config', 'NoMatch', 'string_in', 'what_matters']

#: What neither predictions nor training with the weights that are there depend on.
_LEFT_OUT = {'name', 'dtype', 'seed', 'build_config', 'synchronized', 'renorm_momentum', 'optional', 'implementation'}

#: Keras's names of activations that keraflow has, too.
_ACTIVATIONS: Dict[str, Any] = {
    **{name: name for name in ('elu', 'exponential', 'gelu', 'linear', 'log_softmax', 'relu', 'selu', 'sigmoid',
                               'softmax', 'softplus', 'softsign', 'tanh')},
    'silu': 'swish', 'swish': 'swish', 'relu6': functools.partial(activations.relu, max_value=6.),
    'leaky_relu': functools.partial(activations.leaky_relu, alpha=0.2)}


class NoMatch(KeraFlowError):
    """Something in a model of Keras that keraflow has no match for."""


def string_in(value: Any) -> Optional[str]:
    """Return the name that a description gives to a function: a string, or a dict that holds it."""
    if isinstance(value, dict) and isinstance(value.get('config'), str):
        return value['config']
    return value if isinstance(value, str) else None


def what_matters(data: Dict[str, Any]) -> Dict[str, Any]:
    """Return the arguments of a layer that its results depend on."""
    return {name: value for name, value in data.items()
            if name not in _LEFT_OUT and not name.endswith('_initializer')}


class Config:
    """The arguments of a Keras layer; those that nobody asks for are refused in the end, unless they say nothing.

    Parameters
    ----------
    data : dict
        What the ``get_config`` of the layer returned.
    """

    def __init__(self, data: Dict[str, Any]):
        self._left = what_matters(data)
        self.name: Any = data.get('name')

    def take(self, name: str, default: Any = None) -> Any:
        """Return an argument, which is then dealt with."""
        return self._left.pop(name, default)

    def integers(self, name: str, size: int = 1) -> List[int]:
        """Return an argument that is an integer for each axis, or one for all."""
        value = self.take(name)
        values = value if isinstance(value, (list, tuple)) else [value] * size
        if len(values) != size or any(type(one) is not int for one in values):
            raise NoMatch(f'{name}={excerpt(value)}: expected {size} integers.')
        return list(values)

    def expect(self, name: str, *allowed: Any, advice: str = '') -> Any:
        """Return an argument that must have one of some values; the first is its default."""
        value = self.take(name, allowed[0])
        if not any(type(value) is type(one) and value == one for one in allowed):
            raise NoMatch(f'{name}={excerpt(value)} has no match.{advice and " " + advice}')
        return value

    def activation(self, name: str = 'activation', features_are_last: bool = True) -> Any:
        """Return the activation of keraflow for an argument that names one of Keras's."""
        value = self.take(name, 'linear')
        found = 'linear' if value is None else _ACTIVATIONS.get(string_in(value) or '')
        if found is None:
            raise NoMatch(f'{name}={excerpt(string_in(value) or value)} has no match.')
        if found in ('softmax', 'log_softmax') and not features_are_last:
            return functools.partial(getattr(activations, found), axis=-1)      # as in Keras, whatever that axis is
        return found

    def common(self, norms: bool = False, **parameters: Any) -> Dict[str, Any]:
        """Return the arguments that layers of keraflow share.

        Parameters
        ----------
        norms : bool
            Whether the first axis of the parameters is that of Keras, as constraints of norms need.
        **parameters : list of str
            The parameters of keraflow for each word that Keras has regularizers and constraints for:
            ``kernel=['W']``.
        """
        made: Dict[str, Any] = {'name': self.name}
        if not self.take('trainable', True):
            made['trainable'] = False
        for word, names in parameters.items():
            for kind, make in (('regularizer', _regularizer), ('constraint', _constraint)):
                value = make(self.take(f'{word}_{kind}'), f'{word}_{kind}', norms)
                if value is not None:
                    made.setdefault(f'{kind}s', {}).update({name: value for name in names})
        return made

    def check_nothing_left(self) -> None:
        """Raise for an argument that nobody asked for, unless it is None or False."""
        for name, value in self._left.items():
            if value is not None and value is not False:
                raise NoMatch(f'{name}={excerpt(value)} has no match.')


def _parts(value: Any) -> Any:
    return (value.get('class_name'), value.get('config')) if isinstance(value, dict) else (None, None)


def _number(arguments: Any, name: str) -> float:
    value: Any = arguments.get(name, 0.) if isinstance(arguments, dict) else None
    if type(value) not in (int, float):
        raise NoMatch(f'{name}={excerpt(value)}: expected a number.')
    return float(value)


def _regularizer(value: Any, where: str, norms: bool) -> Any:
    if value is None:
        return None
    kind, arguments = _parts(value)
    if kind == 'L1':
        return L1(_number(arguments, 'l1'))
    if kind == 'L2':
        return L2(_number(arguments, 'l2'))
    if kind == 'L1L2':
        return L1L2(_number(arguments, 'l1'), _number(arguments, 'l2'))
    raise NoMatch(f'{where}={excerpt(kind or value)} has no match.')


def _constraint(value: Any, where: str, norms: bool) -> Any:
    if value is None:
        return None
    kind, arguments = _parts(value)
    if kind == 'NonNeg':
        return NonNeg()
    if norms and kind in ('MaxNorm', 'UnitNorm') and isinstance(arguments, dict) and arguments.get('axis', 0) == 0:
        return UnitNorm() if kind == 'UnitNorm' else MaxNorm(_number(arguments, 'max_value'))
    raise NoMatch(f'{where}={excerpt(value)} has no match.')
