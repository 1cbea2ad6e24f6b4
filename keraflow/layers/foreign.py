"""Foreign: wrap what other libraries for the backend compute, with their variables, as a layer."""
import inspect
import re
from typing import Any, Callable, Dict, List, Optional, Sequence, Tuple

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
    make : function
        Called once for each layer, it returns the computation: a callable that takes and returns tensors of the
        backend, and uses the same variables in each run. On TensorFlow any ``tf.Module`` or Keras layer; on Theano a
        function of graphs with shared variables; on JAX a module of ``flax.nnx`` or Equinox, or a function of arrays,
        which has no variables. To save the model, put ``@keraflow.register`` above it.
    arguments : dict, optional
        Arguments of `make`: numbers, strings, lists. They are saved.
    phase_argument : str, optional
        The name of an argument of the callable that says whether it runs in training, such as ``'training'``. It is
        False while the layer is frozen.
    **kwargs
        The common arguments of :class:`~keraflow.layers.Layer`.

    Shapes
    ------
    input : any number of any shape
    output : what the backend knows of the shape of the result
    parameters : the variables by the last part of their names (``kernel``): those of ``B.variable`` in order of
    creation, then others in order of use; the arrays of a module on JAX by the last name in their paths, in its order

    Raises
    ------
    ArgumentTypeError
        If `make` does not take `arguments`, or returns something that cannot be called with the inputs.
    ArgumentError
        If the callable uses other variables in its second run than in its first, or is a module that cannot be run so,
        or a function around one of JAX.

    Notes
    -----
    Variables that the library does not train, or that it updates itself, are states. These updates happen whenever the
    function runs. A name that the layer itself uses gets a number.

    Modules on JAX take and return whole batches. Their arrays become variables of the layer when it is built, and the
    module that `make` returned stays as it was:

    - Of a module of ``flax.nnx`` each ``nnx.Param`` is a parameter, and other arrays, such as an ``nnx.BatchStat``, are
      states, which ``fit`` updates as it does those of BatchNormalization. The module runs as after its ``train()`` in
      training, and otherwise, also while the layer is frozen, as after its ``eval()``; `phase_argument` is only for one
      that asks for more. What ``nnx.Rngs`` yields is drawn from the stream of the model, and is no state. What a run
      adds to the module, as ``sow`` does, is dropped.
    - Of a module of Equinox, such as ``equinox.filter_vmap(equinox.nn.MLP(...))``, all floats are parameters, and
      integers and bools of JAX states. It runs as it is in training, and otherwise as ``equinox.nn.inference_mode`` of
      it. There is no ``equinox.nn.State``, and no key for ``equinox.nn.Dropout``.

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
    never_copied = frozenset({'_run'})

    def __init__(self, make: Callable, arguments: Optional[Dict[str, Any]] = None,
                 phase_argument: Optional[str] = None, **kwargs: Any):
        super().__init__(**kwargs)
        self.make = make
        self.arguments = arguments
        self.phase_argument = phase_argument
        self._run: Callable

    def check_input_shape(self, input_shape: List[Shape]) -> None:
        """Accept any: the callable checks its inputs."""

    def param_specs(self, input_shape: List[Shape]) -> None:
        return None     # the callable makes them

    def init_param(self, input_shape: List[Shape]) -> None:
        arguments = self.arguments or {}
        if not takes(self.make, **arguments):
            raise ArgumentTypeError(f'{self.name}: arguments: expected those of {self.make.__name__}'
                                    f'{inspect.signature(self.make)}, received {describe(arguments)}.')
        computes = self.make(**owned(arguments))      # which it may modify
        if not callable(computes):
            raise ArgumentTypeError(f'{self.name}: make: expected a function that returns a callable, received one '
                                    f'that returns {describe(computes)}.')
        if not takes(computes, *self._first_run.specs, **self._phase()):
            wanted = ' and '.join([f'{len(self._first_run.specs)} tensor(s)', *map(repr, self._phase())])
            raise ArgumentTypeError(f'{self.name}: make: expected a callable that takes {wanted}, received one that '
                                    f'takes {inspect.signature(computes)}.')
        try:
            self._run = B.adopt_function(computes)
            used = B.variables_used(lambda *tensors: self._results(tensors)[0], self._first_run.specs)
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

    def _is_in_training(self) -> bool:
        return B.current_phase() == 'train' and not self.is_frozen

    def _phase(self) -> Dict[str, bool]:
        return {self.phase_argument: self._is_in_training()} if self.phase_argument else {}

    def _results(self, tensors: Sequence[Any]) -> Tuple[Any, List[tuple]]:
        """Return what the callable returns, and new values of states that are no side effects of it."""
        return self._run(tensors, self._phase(), self._is_in_training(), self.pending_value)

    def output(self, x: List[Any]) -> Any:
        made, updates = self._results(x)
        if updates:
            self.add_update(updates, x)
        return made

    def output_shape(self, input_shape: List[Shape]) -> None:
        return None
