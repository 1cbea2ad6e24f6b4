"""Foreign: wrap what other libraries for the backend compute, with their variables, as a layer."""
import functools
import inspect
import re
from typing import Any, Callable, Dict, List, Optional

from keraflow import backend as B
from keraflow.arguments import takes
from keraflow.errors import ArgumentError, ArgumentTypeError, describe
from keraflow.layers.base import Layer
from keraflow.owned import owned
from keraflow.registry import builtin
from keraflow.shapes import Shape

__all__ = ['Foreign']


@builtin('layer')
class Foreign(Layer):
    """A function or module of another library, whose variables are trained, frozen and saved like those of any layer.

    Parameters
    ----------
    Called once for each layer, it returns the computation: a callable that takes and returns tensors of the backend,
    and uses the same variables in each run. On TensorFlow any ``tf.Module`` or Keras layer; on Theano a function of
    graphs with shared variables; on JAX a function of arrays, which has none. To save the model, put
    ``@keraflow.register`` above it.
    arguments : dict, optional
        Arguments of `make`: numbers, strings, lists. They are saved.
    phase_argument : str, optional
        The name of an argument of the callable that says whether it runs in training, such as ``'training'``.
    **kwargs
        The common arguments of :class:`~keraflow.layers.Layer`.

    Shapes
    ------
    input : any number of any shape
    output : what the backend knows of the shape of the result
    parameters : the variables by the last part of their names (``kernel``): those of ``B.variable`` in order of
    creation, then others in order of use

    Raises
    ------
    ArgumentTypeError
        If `make` does not take `arguments`, or returns something that cannot be called with the inputs.
    ArgumentError
        If the callable uses other variables in its second run than in its first.

    Notes
    -----
    Variables that the library does not train, or that it updates itself, are states. These updates happen whenever the
    function runs. A name that the layer itself uses gets a number.

    Examples
    --------
    >>> from keraflow.layers import Input
    >>> def make_scale(factor):
    ...     scale = B.variable(factor, name='scale')
    ...     return lambda x: x * scale
    >>> layer = Foreign(make_scale, {'factor': 3.})
    >>> layer(Input(4)).shape
    (None, 4)
    >>> len(layer.trainable_variables)
    1
    """

    multi_input = True
    never_copied = frozenset({'_computes'})

    def __init__(self, make: Callable, arguments: Optional[Dict[str, Any]] = None,
                 phase_argument: Optional[str] = None, **kwargs: Any):
        super().__init__(**kwargs)
        self.make = make
        self.arguments = arguments
        self.phase_argument = phase_argument
        self._computes: Callable

    def check_input_shape(self, input_shape: List[Shape]) -> None:
        """Accept any: the callable checks its inputs."""

    def param_specs(self, input_shape: List[Shape]) -> None:
        return None     # the callable makes them

    def init_param(self, input_shape: List[Shape]) -> None:
        arguments = self.arguments or {}
        if not takes(self.make, **arguments):
            raise ArgumentTypeError(f'{self.name}: arguments: expected those of {self.make.__name__}'
                                    f'{inspect.signature(self.make)}, received {describe(arguments)}.')
        self._computes = self.make(**owned(arguments))      # which it may modify
        if not callable(self._computes):
            raise ArgumentTypeError(f'{self.name}: make: expected a function that returns a callable, received one '
                                    f'that returns {describe(self._computes)}.')
        if not takes(self._computes, *self._first_run.specs, **self._phase()):
            wanted = ' and '.join([f'{len(self._first_run.specs)} tensor(s)', *map(repr, self._phase())])
            raise ArgumentTypeError(f'{self.name}: make: expected a callable that takes {wanted}, received one that '
                                    f'takes {inspect.signature(self._computes)}.')
        try:
            used = B.variables_used(self._compute, self._first_run.specs)
        except ArgumentError as error:
            raise ArgumentError(f'{self.name}: make: {error}') from error
        for one in used:
            make = self.set_trainable_params if one.trainable else self.set_state_params
            make(self._free_name(one.name), one.variable)

    def _free_name(self, wanted: str) -> str:
        stem = re.sub(r'\W', '_', wanted) or 'variable'
        name, number = stem, 1
        while hasattr(self, name):
            name, number = f'{stem}_{number}', number + 1
        return name

    def _phase(self) -> Dict[str, bool]:
        return {self.phase_argument: B.current_phase() == 'train'} if self.phase_argument else {}

    def _compute(self, *tensors: Any) -> Any:
        return B.call(functools.partial(self._computes, **self._phase()), *tensors)

    def output(self, x: List[Any]) -> Any:
        return self._compute(*x)

    def output_shape(self, input_shape: List[Shape]) -> None:
        return None
