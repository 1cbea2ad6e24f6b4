"""``check_layer``: the laws that every layer obeys."""
from typing import Any, Callable, List, Optional, Sequence, Tuple, Union

import numpy as np

from keraflow import backend as B
from keraflow import random, shapes
from keraflow.errors import ArgumentError, ShapeError
from keraflow.graph.kensor import Kensor
from keraflow.graph.parameters import parameters_of
from keraflow.graph.records import recording
from keraflow.serialization import serialize
from keraflow.testing.expectations import expect
from keraflow.testing.numerics import STEP, assert_close
from keraflow.testing.subject import Options, Subject, count_variables, described

__all__ = ['LAYER_LAWS', 'check_layer']

#: Tolerance of outputs against the reference, in units of max(1, |expected|).
REFERENCE = {'float32': 1e-5, 'float64': 1e-10}
#: Tolerance of gradients against central differences.
GRADIENT = 1e-6


def check_layer(layer: Any, input_shapes: Any, *, reference: Optional[Callable] = None,
                dtype: Union[None, str, Sequence[Optional[str]]] = None,
                input_range: Optional[Tuple[float, float]] = None,
                weights: Optional[dict] = None, custom_objects: Any = None, rtol: Optional[float] = None,
                batch_sizes: Tuple[int, int] = (3, 1), nb_probe: int = 8, seed: int = 0) -> None:
    """Check a layer against all laws, on the current backend.

    Parameters
    ----------
    layer : function without arguments, or Layer
        Makes the layer, with arguments of your choice. An instance will do if it was not called yet and can be
        serialized: it is then copied that way.
    input_shapes : int, tuple, or list of such
        Shape of one sample, without the batch; a list of them for a layer with several inputs. ``None`` is a length
        that varies between batches.
    reference : function, optional
        The same computation in NumPy: ``reference(weights, x0, x1, ...)`` returns the output (a list of several), where
        `weights` is what ``layer.get_weights()`` returns.
    dtype : str or list of str, optional
        Dtypes of the inputs; by default floatx. Give integers if the inputs are indices.
    input_range : tuple, optional
        The range from which inputs are drawn; by default -1 to 1, and for integers 0 to 10 (exclusive).
    weights : dict, optional
        Values of parameters by name, if random ones near the initial values will not do.
    custom_objects : list or dict, optional
        Classes and functions that the serialized layer names, if they are not registered; the layer's own class is
        known.
    rtol : float, optional
        Tolerance of float64 outputs against the reference, relative to ``max(1, |expected|)``; by default 1e-10.
    batch_sizes : tuple of int
        Two batch sizes to run with.
    nb_probe : int
        The number of values of a parameter or an input whose gradient is checked by central differences, besides the
        one along a random direction of all values together.
    seed : int
        Seed of inputs and parameters.

    Raises
    ------
    AssertionError
        For the first law that fails: the message names layer and law, and says what was expected and received.

    Examples
    --------
    >>> from keraflow import backend as B
    >>> from keraflow.layers import Layer
    >>> class Wrong(Layer):
    ...     def output(self, x):
    ...         return B.stop_gradient(x) * x
    >>> check_layer(Wrong, (3,))    # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ...
    AssertionError: Wrong: law 'gradients are those of central differences': ...
    """
    options = Options(dtype, input_range, weights, custom_objects, tuple(batch_sizes), nb_probe, seed)
    with random.using(np.random.default_rng(seed)):
        subject = Subject(layer, input_shapes, options)
        for law in LAYER_LAWS:
            _obey(law, subject)
        if reference is not None:
            _obey(lambda it: _agrees_with_reference(it, reference, rtol), subject, _agrees_with_reference)


def _obey(law: Callable, subject: Subject, named: Optional[Callable] = None) -> None:
    text = ((named or law).__doc__ or '').strip().rstrip('.')
    where = f"{subject.label}: law '{text[:1].lower()}{text[1:]}': "
    try:
        law(subject)
    except AssertionError as error:
        raise AssertionError(f'{where}{error}') from None
    except Exception as error:  # any error of a layer under test breaks the law
        raise AssertionError(f'{where}expected no error, received {type(error).__name__}: {error}') from error


# -- linking ----------------------------------------------------------------------------------------------------------

def _links(it: Subject) -> None:
    """Called on Kensors it returns Kensors."""
    for kensor in it.kensors:
        expect(isinstance(kensor, Kensor), 'a Kensor', repr(kensor))
        expect(kensor.layer is it.layer, 'a Kensor made by the layer', f'one made by {kensor.layer!r}')
    for size in it.options.batch_sizes:
        for one, other in zip(it.kensors, it.link(it.layer, size)):
            expect(shapes.agree(one.shape, other.shape), f'shape {one.shape} also for batches of {size}', other.shape)
            expect(one.dtype == other.dtype, f'dtype {one.dtype} also for batches of {size}', other.dtype)


def _shares_parameters(it: Subject) -> None:
    """Called twice it has one set of parameters."""
    before = it.first_parameters
    it.link(it.layer)
    after = [one.name for one in parameters_of([it.layer])]
    expect(before == after, f'the parameters {before}', after)


def _replays(it: Subject) -> None:
    """Running again makes no variables."""
    before = [(one.name, id(one.variable)) for one in parameters_of([it.layer])]
    with count_variables() as made:
        for phase in ('train', 'test'):
            with B.phase(phase), recording():
                B.trace(lambda *tensors: it.layer.run(list(tensors)), it.specs())
    expect(not made, 'no variables made by output()', f'{len(made)}; make them in init_param()')
    after = [(one.name, id(one.variable)) for one in parameters_of([it.layer])]
    expect(before == after, f'parameters {[name for name, _ in before]}', [name for name, _ in after])


def _is_frozen(it: Subject) -> None:
    """With trainable=False no parameter is trainable."""
    trainable = it.layer.trainable
    it.layer.trainable = False
    try:
        left = [one.name for one in it.layer.parameters() if one.trainable]
        moved = len(it.kensors[0].trainable_params)
    finally:
        it.layer.trainable = trainable
    expect(not left and not moved, 'none', ', '.join(left) or f'{moved} in the path')


def _is_planned(it: Subject) -> None:
    """Shapes said before it is built are real."""
    input_shape = it.layer.get_input_shape_at(0)
    input_shape = [input_shape] if it.layer.multi_input and shapes.is_shape(input_shape) else input_shape
    planned = it.make()
    was_built = planned.built
    said, found = planned.output_shape(input_shape), [one.shape for one in it.kensors]
    if said is not None:
        said = [tuple(said)] if shapes.is_shape(said) else list(map(tuple, said))
        expect(len(said) == len(found) and all(map(shapes.agree, said, found)), f'outputs of the shapes {said}', found)
    parameters = planned.param_shapes(input_shape)
    if parameters is not None:
        made = {one.name: tuple(B.static_shape(one.variable)) for one in parameters_of([it.layer])}
        expect(list(parameters.items()) == list(made.items()), f'the parameters {described(parameters)}',
               described(made))
    expect(planned.built == was_built, 'a layer that is not built by being asked', 'one that is')


# -- weights and files ------------------------------------------------------------------------------------------------

def _keeps_weights(it: Subject) -> None:
    """Weights can be set and read back, and wrong ones are refused."""
    before = it.layer.get_weights()
    changed = {name: array + np.ones((), array.dtype) for name, array in before.items()}
    it.layer.set_weights(changed)
    for name, array in it.layer.get_weights().items():
        assert_close(name, array, changed[name], 0)
    it.layer.set_weights(list(before.values()))
    for name, array in it.layer.get_weights().items():
        assert_close(name, array, before[name], 0)
    _refuses(it, {'no such parameter': np.zeros(1)}, ArgumentError, 'a name that does not exist')
    for name, array in before.items():
        _refuses(it, {**changed, name: np.zeros((*array.shape, 2))}, ShapeError,
                 f'an array of another shape for {name}')
    _refuses(it, [*before.values(), np.zeros(1)], ArgumentError, 'too many arrays')


def _refuses(it: Subject, weights: Any, kind: Any, what: str) -> None:
    before = it.layer.get_weights()
    try:
        it.layer.set_weights(weights)
    except kind:
        for name, array in it.layer.get_weights().items():
            assert_close(f'{name} after set_weights refused {what}', array, before[name], 0)
    else:
        raise AssertionError(f'expected {kind.__name__} for {what}, received none.')


def _is_rebuilt(it: Subject) -> None:
    """Serialized and rebuilt from JSON and from YAML it is the same layer."""
    data = serialize(it.layer)
    for text, rebuilt in it.rebuilt.items():
        expect(type(rebuilt) is type(it.layer), f'a {type(it.layer).__name__} from {text}',
               f'a {type(rebuilt).__name__}')
        again = serialize(rebuilt)
        expect(again == data, f'equal data when what {text} gave is serialized again, {described(data)}',
               described(again))
        _compare_parameters(f'from {text}', it.layer, rebuilt)


def _compare_parameters(what: str, layer: Any, other: Any, prefix: str = '') -> None:
    expected = {prefix + one.name: (tuple(B.static_shape(one.variable)), one.trainable)
                for one in parameters_of([layer])}
    received = {one.name: (tuple(B.static_shape(one.variable)), one.trainable) for one in parameters_of([other])}
    expect(expected == received, f'the parameters {described(expected)} {what}', described(received))


def _is_embedded(it: Subject) -> None:
    """Embedded in a host, its parameters are those of the host."""
    _compare_parameters('in the host', it.layer, it.host, '0/')
    it.link(it.host)
    _compare_parameters('in the host that is fed again', it.layer, it.host, '0/')
    it.host.trainable = False
    left = [one.name for one in it.host.parameters() if one.trainable]
    expect(not left, 'no trainable parameter in a frozen host', ', '.join(left))


def _predicts_alike(it: Subject) -> None:
    """Rebuilt from a file, and embedded in a host, it returns the same output."""
    for name in ('JSON', 'YAML', 'host'):
        it.compare('the output of the layer in a host' if name == 'host' else f'the output of the layer from {name}',
                   name)


# -- values -----------------------------------------------------------------------------------------------------------

def _has_its_shape(it: Subject) -> None:
    """The static shape and the dtype are those of the data."""
    for number, (inputs, size) in enumerate(zip(it.batches, it.options.batch_sizes)):
        known = it.link(it.layer, size)
        for run in ('layer', 'train'):
            for kensors in (it.kensors, known):
                _compare_shapes(f'a batch of {size} ({"train" if run == "train" else "test"} phase)', kensors,
                                it.outputs(number)[run])
    for size, outputs in zip(it.options.batch_sizes, it.exact.static_outputs):
        _compare_shapes(f'a static batch of {size}', it.exact.kensors, outputs)


def _compare_shapes(what: str, kensors: List[Kensor], outputs: List[np.ndarray]) -> None:
    expect(len(kensors) == len(outputs), f'{len(kensors)} output(s) for {what}', len(outputs))
    for kensor, array in zip(kensors, outputs):
        expect(shapes.agree(kensor.shape, array.shape), f'shape {kensor.shape} for {what}', array.shape)
        expect(kensor.dtype == array.dtype.name, f'dtype {kensor.dtype} for {what}', array.dtype.name)


def _is_deterministic(it: Subject) -> None:
    """In the test phase the same inputs give the same outputs."""
    for one, other in zip(it.outputs(0)['layer'], it.run(0)['layer']):
        assert_close('a second run', other, one, 0)


def _treats_samples_alike(it: Subject) -> None:
    """A batch of statically known length gives the same outputs as one of unknown length."""
    for outputs, unknown in zip(it.exact.static_outputs, it.exact.outputs):
        for one, other in zip(unknown, outputs):
            assert_close('with a static batch', other, one, 1e-12)


def _keeps_float64(it: Subject) -> None:
    """Made and called in float64 it computes in float64."""
    for one in parameters_of([it.exact.layer]):
        dtype = B.dtype(one.variable)
        expect(dtype == 'float64' or not dtype.startswith('float'), f'the parameter {one.name} in float64', dtype)
    if not any(array.dtype == 'float64' for array in it.exact.inputs):
        return
    for array in it.exact.outputs[0]:
        expect(array.dtype != 'float32', 'a float64 output', 'float32')


def _has_right_gradients(it: Subject) -> None:
    """Gradients are those of central differences."""
    if not it.exact.gradients:
        return
    for name, gradient in it.exact.gradients.items():
        value = it.exact.value(name)
        expect(gradient.shape == value.shape, f'a gradient of shape {value.shape} for {name}', gradient.shape)
        for place, direction in it.exact.directions(value.shape):
            above, below = it.exact.loss_at(name, value + STEP * direction), it.exact.loss_at(name,
                                                                                              value - STEP * direction)
            expected, received = (above - below) / (2 * STEP), float(np.sum(gradient * direction))
            assert_close(f'{name}{place}', received, expected, GRADIENT)
        it.exact.loss_at(name, value)   # puts the value back


def _agrees_with_reference(it: Subject, reference: Callable, rtol: Optional[float] = None) -> None:
    """The output equals that of the reference in NumPy."""
    exact = [np.asarray(array) for array in it.exact.inputs]
    tolerance = REFERENCE['float64'] if rtol is None else rtol
    _compare_reference('in float64', it.exact.outputs[0], reference(it.exact.layer.get_weights(), *exact), tolerance)
    weights = {name: _wide(array) for name, array in it.layer.get_weights().items()}
    for number, inputs in enumerate(it.batches):
        expected = reference(weights, *map(_wide, inputs))
        _compare_reference(f'in {it.floatx}', it.outputs(number)['layer'], expected,
                           max(REFERENCE[it.floatx], tolerance))


def _compare_reference(what: str, outputs: List[np.ndarray], expected: Any, tolerance: float) -> None:
    expected = list(expected) if isinstance(expected, (list, tuple)) else [expected]
    expect(len(expected) == len(outputs), f'{len(expected)} output(s)', len(outputs))
    for received, one in zip(outputs, expected):
        assert_close(f'output {what}', received, one, tolerance if received.dtype.kind == 'f' else 0)


def _wide(array: np.ndarray) -> np.ndarray:
    return array.astype('float64') if array.dtype.kind == 'f' else array


#: What check_layer checks, in this order: cheap laws that explain later failures come first.
LAYER_LAWS = (_links, _is_planned, _shares_parameters, _replays, _is_frozen, _keeps_weights, _is_rebuilt, _is_embedded,
              _has_its_shape, _is_deterministic, _predicts_alike, _treats_samples_alike, _keeps_float64,
              _has_right_gradients)
