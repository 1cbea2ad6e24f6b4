"""The layer under test, and what several laws need of it.

Compilation dominates on Theano. So everything that laws compare is computed by two functions: one in floatx (the layer,
its copies rebuilt from files, and the one in a host), one in float64 (outputs, loss and gradients, with the inputs as
variables, so that calls after ``set_value`` give differences).
"""
import contextlib
import functools
from typing import Any, Callable, Dict, Iterator, List, NamedTuple, Optional, Tuple

import numpy as np

from keraflow import backend as B
from keraflow import registry, shapes
from keraflow.backend.draws import STATE_NAME
from keraflow.errors import ArgumentError
from keraflow.files.plaindata import dump_json, dump_yaml, parse_json, parse_yaml
from keraflow.graph.kensor import Kensor
from keraflow.graph.parameters import parameters_of
from keraflow.graph.records import recording
from keraflow.layers.base import Layer
from keraflow.layers.input import Input
from keraflow.models import Model  # noqa: F401 (rebuilding a layer needs a full registry)
from keraflow.serialization import serialize, unserialize
from keraflow.testing.numerics import assert_close, random_weights, using_floatx

__all__ = ['Host', 'Options', 'Subject', 'count_variables', 'described']


class Options(NamedTuple):
    """The arguments of ``check_layer`` that describe the input."""

    dtype: Any
    input_range: Optional[Tuple[float, float]]
    weights: Optional[dict]
    custom_objects: Any
    batch_sizes: Tuple[int, ...]
    nb_probe: int
    seed: int


class Host(Layer):
    """A layer that consists of an embedded one, made in its ``output`` if `make` is a function."""

    def __init__(self, make: Any, multi_input: bool, shape_fn: Callable):
        super().__init__()
        self.make = make
        self.multi_input = multi_input
        self.shape_fn = shape_fn

    def check_input_shape(self, input_shape: Any) -> None:
        """Leave the check to the embedded layer."""

    def output(self, x: Any) -> Any:
        return self.embed(self.make if isinstance(self.make, Layer) else self.make())(x)

    def output_shape(self, input_shape: Any) -> Any:
        return self.shape_fn(input_shape)


class Subject:
    """One check of one layer.

    Raises
    ------
    ArgumentError
        If `layer` makes no layer, or there is not one dtype for each input.
    """

    def __init__(self, layer: Any, input_shapes: Any, options: Options):
        self.options = options
        self.floatx = B.floatx()
        self.shapes = _as_shapes(input_shapes)
        self.dtypes = list(options.dtype) if isinstance(options.dtype,
                                                        (list, tuple)) else [options.dtype] * len(self.shapes)
        if len(self.dtypes) != len(self.shapes):
            raise ArgumentError(f'check_layer: dtype: expected one for each of {len(self.shapes)} input(s), '
                                f'received {len(self.dtypes)}.')
        self.given = layer
        self._rng = np.random.default_rng(options.seed)
        self.layer = layer if isinstance(layer, Layer) else layer()
        if not isinstance(self.layer, Layer):
            raise ArgumentError(f'check_layer: layer: expected a layer or a function that makes one, '
                                f'received {self.layer!r:.60}.')
        self.label = type(self.layer).__name__
        #: Names of the parameters after the first link.
        self.first_parameters: List[str] = []
        self._customs = _with_own_class(options.custom_objects, type(self.layer))

    # -- making and linking -----------------------------------------------------------------------------------------

    def make(self) -> Layer:
        """Make another layer like the one under test."""
        if isinstance(self.given, Layer):
            return unserialize(serialize(self.given), self._customs)
        return self.given()

    def link(self, layer: Layer, batch_size: Optional[int] = None) -> List[Kensor]:
        """Call a layer on new Inputs, and return its Kensors."""
        inputs = [Input(shape, batch_size=batch_size, dtype=dtype) for shape, dtype in zip(self.shapes, self.dtypes)]
        made = layer(inputs if layer.multi_input else shapes.unlist(inputs))
        return list(made) if isinstance(made, (list, tuple)) else [made]

    @functools.cached_property
    def kensors(self) -> List[Kensor]:
        """The output of the layer, with random values for its parameters."""
        kensors = self.link(self.layer)
        self.first_parameters = [one.name for one in parameters_of([self.layer])]
        self.layer.set_weights(self.values_for(self.layer))
        return kensors

    def values_for(self, layer: Layer) -> Dict[str, np.ndarray]:
        """Draw values near the initial ones, so that zeros hide nothing; states only increase, like variances."""
        values = {}
        for one in parameters_of([layer]):
            value = B.get_value(one.variable)
            if value.dtype.kind == 'f':
                noise = self._rng.normal(0., 0.3, value.shape) if one.trainable else self._rng.uniform(0., 0.3,
                                                                                                       value.shape)
                values[one.name] = value + noise
        return {**values, **(self.options.weights or {})}

    def specs(self) -> List[Any]:
        """The specs of the inputs, for ``trace`` and ``compile``."""
        return [B.TensorSpec((None, *shape), dtype or B.floatx()) for shape, dtype in zip(self.shapes, self.dtypes)]

    def draw(self, batch_size: int) -> List[np.ndarray]:
        """Random inputs."""
        return [self._draw_one((batch_size, *(batch_size + 2 if length is None else length for length in shape)),
                               dtype or B.floatx())
                for shape, dtype in zip(self.shapes, self.dtypes)]

    def _draw_one(self, shape: tuple, dtype: str) -> np.ndarray:
        if dtype.startswith('float'):
            low, high = self.options.input_range or (-1., 1.)
            return self._rng.uniform(low, high, shape).astype(dtype)
        low, high = self.options.input_range or (0, 2 if dtype == 'bool' else 10)
        return self._rng.integers(int(low), int(high), shape).astype(dtype)

    # -- the function in floatx -------------------------------------------------------------------------------------

    @functools.cached_property
    def rebuilt(self) -> Dict[str, Layer]:
        """The layers rebuilt from text, by format, with the weights of the original."""
        data, made = serialize(self.layer), {}
        for name, dump, parse in (('JSON', dump_json, parse_json), ('YAML', dump_yaml, parse_yaml)):
            rebuilt = made[name] = unserialize(parse(dump(data), name), self._customs)
            self.link(rebuilt)
            rebuilt.set_weights(self.layer.get_weights())
        return made

    @functools.cached_property
    def host(self) -> Host:
        """A layer with one like the layer under test embedded, with its weights."""
        kept = isinstance(self.given, Layer) or self.layer.embedded_layers
        made = Host(self.make() if kept else self.given, self.layer.multi_input, self.layer.output_shape)
        self.link(made)
        made.set_weights({f'0/{name}': array for name, array in self.layer.get_weights().items()})
        return made

    @functools.cached_property
    def batches(self) -> List[List[np.ndarray]]:
        """Inputs, one list for each batch size."""
        return [self.draw(size) for size in self.options.batch_sizes]

    def outputs(self, number: int) -> Dict[str, List[np.ndarray]]:
        """Return the outputs for a batch by what computed them: ``layer``, ``JSON``, ``YAML``, ``host``, ``train``."""
        if number not in self._outputs:
            self._outputs[number] = self.run(number)
        return self._outputs[number]

    def run(self, number: int) -> Dict[str, List[np.ndarray]]:
        """Compute the same again."""
        values = [np.array(it) for it in self._function(*self.batches[number])]
        width = len(self.kensors)
        return {name: values[place * width:(place + 1) * width] for place, name in enumerate(self._runners)}

    def compare(self, what: str, name: str) -> None:
        """Raise unless the outputs called `name` equal those of the layer."""
        for number in range(len(self.batches)):
            for received, expected in zip(self.outputs(number)[name], self.outputs(number)['layer']):
                assert_close(what, received, expected, 1e-6)

    @functools.cached_property
    def _outputs(self) -> Dict[int, Dict[str, List[np.ndarray]]]:
        return {}

    @functools.cached_property
    def _runners(self) -> Dict[str, Tuple[Layer, str]]:
        return {'layer': (self.layer, 'test'), **{name: (one, 'test') for name, one in self.rebuilt.items()},
                'host': (self.host, 'test'), 'train': (self.layer, 'train')}

    @functools.cached_property
    def _function(self) -> Callable:
        self._runners   # makes layers, which a builder must not
        return B.compile(self._build, self.specs())

    def _build(self, *tensors: Any) -> tuple:
        outputs: List[Any] = []
        for layer, phase in self._runners.values():
            with B.phase(phase), recording():
                made = layer.run(list(tensors))
            if len(made) != len(self.kensors):
                raise AssertionError(f'expected {len(self.kensors)} output(s), received {len(made)}.')
            outputs.extend(made)
        return outputs, []

    # -- the function in float64 ------------------------------------------------------------------------------------

    @functools.cached_property
    def exact(self) -> 'Exact':
        """The layer in float64."""
        with using_floatx('float64'):
            return Exact(self)


class Exact:
    """A layer like the one under test in float64: outputs, and a loss that can be moved along parameters and inputs."""

    def __init__(self, subject: Subject):
        self.layer = subject.make()
        self.kensors = subject.link(self.layer)
        self.layer.set_weights(subject.values_for(self.layer))
        self.inputs = subject.draw(subject.options.batch_sizes[0])
        self._others = [subject.draw(size) for size in subject.options.batch_sizes[1:]]
        self._nb_probe = subject.options.nb_probe
        self._rng = np.random.default_rng(subject.options.seed)
        self._fed = [B.variable(array, array.dtype.name) for array in self.inputs]  # to be moved, and differentiated by
        self._targets = {f'parameter {one.name}': one.variable for one in parameters_of([self.layer]) if one.trainable}
        self._targets.update({f'input {number}': variable for number, variable in enumerate(self._fed)
                              if B.dtype(variable).startswith('float')})
        self._function = B.compile(self._build, subject.specs())
        values = [np.array(it) for it in self._function(*self.inputs)]
        width, batches = len(self.kensors), len(subject.options.batch_sizes)
        #: For batches of unknown length, as inputs and other batches.
        self.outputs = [values[:width], *([np.array(it) for it in self._function(*other)[:width]]
                                          for other in self._others)]
        #: For batches whose length is known when the function is built.
        self.static_outputs = [values[width * number:width * (number + 1)] for number in range(1, batches + 1)]
        self.gradients = dict(zip(self._targets, values[width * (batches + 1) + 1:]))

    def _build(self, *tensors: Any) -> tuple:
        with B.phase('test'), recording():
            outputs = self.layer.run(list(tensors))
            for others in self._others:
                outputs = outputs + self.layer.run([B.constant(array, array.dtype.name) for array in others])
            static, loss, gradients = self._loss_and_gradients()
        width = len(self.kensors)
        return [*outputs[:width], *static, *outputs[width:], *([] if loss is None else [loss, *gradients])], []

    def _loss_and_gradients(self) -> tuple:
        def run() -> tuple:
            outputs = self.layer.run([B.identity(variable) for variable in self._fed])
            losses = [B.sum(_weighted(it)) for it in outputs if B.dtype(it).startswith('float')]
            return (sum(losses[1:], losses[0]) if losses else None), outputs
        if not self._targets or not any(kensor.dtype.startswith('float') for kensor in self.kensors):
            return run()[1], None, []
        loss, outputs, gradients = B.value_and_gradients(run, list(self._targets.values()))
        return outputs, loss, gradients

    def value(self, name: str) -> np.ndarray:
        """Return the value of a parameter or an input."""
        return B.get_value(self._targets[name])

    def loss_at(self, name: str, value: np.ndarray) -> float:
        """Compute the loss with another value of a parameter or an input, and keep that value."""
        B.set_value(self._targets[name], value)
        return float(np.asarray(self._function(*self.inputs)[-1 - len(self._targets)]))

    def directions(self, shape: tuple) -> Iterator[Tuple[str, np.ndarray]]:
        """Iterate over directions in which to move a tensor of this shape: single values, and all of them together."""
        size = int(np.prod(shape, dtype='int64'))
        for place in sorted(self._rng.permutation(size)[:self._nb_probe]):
            direction = np.zeros(size)
            direction[place] = 1.
            yield str(list(map(int, np.unravel_index(place, shape)))), direction.reshape(shape)
        if size > self._nb_probe:
            yield ' along a random direction', self._rng.normal(0., 1. / np.sqrt(size), shape)


@contextlib.contextmanager
def count_variables() -> Iterator[list]:
    """Append an item to a list for each variable that is made inside the block, but for states of random numbers."""
    backend, made = B.current(), []  # type: Any, list

    def variable(*args: Any, **kwargs: Any) -> Any:
        one = type(backend).variable(backend, *args, **kwargs)
        if kwargs.get('name') != STATE_NAME:        # made with the first draw
            made.append(one)
        return one
    # An attribute of the object hides the method of its class until it is deleted.
    backend.variable = variable
    try:
        yield made
    finally:
        del backend.variable


def described(value: Any) -> str:
    """Describe a value for a message, cut at 300 characters."""
    text = repr(value)
    return text if len(text) <= 300 else f'{text[:300]}...'


def _weighted(tensor: Any) -> Any:
    """Sum all values of a tensor times numbers without a pattern, even if its lengths are unknown."""
    flat = B.flatten(tensor) if B.ndim(tensor) else B.expand_dims(tensor, 0)
    known = B.static_shape(flat)[0]
    places = B.arange(B.shape(flat)[0]) if known is None else None
    weights = random_weights((known,)) if places is None else B.cos(B.cast(places, 'float64') * 1.3 + 0.5)
    return flat * B.cast(weights, B.dtype(flat))


def _as_shapes(input_shapes: Any) -> List[tuple]:
    several = input_shapes if isinstance(input_shapes, list) else [input_shapes]
    return [tuple(shape) if isinstance(shape, (list, tuple)) else (shape,) for shape in several]


def _with_own_class(custom_objects: Any, cls: type) -> dict:
    named = dict(custom_objects) if isinstance(custom_objects,
                                               dict) else {it.__name__: it for it in custom_objects or ()}
    registered = any(entry.target is cls for entry in registry.entries())
    return named if registered else {cls.__name__: cls, **named}
