"""Run a model on one backend: forward, its gradients, and some steps of training, layer by layer."""
from typing import Any, Dict, List, NamedTuple, Optional, Tuple

import numpy as np

from keraflow import backend as B
from keraflow.backend.contract import FLOATS
from keraflow.command.verifying.tracing import LayerRun, traced
from keraflow.errors import ArgumentError, DataError
from keraflow.graph.parameters import parameters_of
from keraflow.models.probe_inputs import inputs_of, unknown_range
from keraflow.optimizers import SGD

__all__ = ['Measured', 'measure']

#: Lengths for axes of which no length is known: the first that the layers can take.
_LENGTHS = 8, 32, 128


class Measured(NamedTuple):
    """What a model gave on one backend.

    Attributes
    ----------
    made : dict
        What computed it: ``backend``, ``version``, ``floatx``, ``optimizer`` and others, as text.
    data : dict
        The arrays that it was given: ``x/INPUT``, ``y/OUTPUT``, ``weights/NAME``.
    runs : dict
        By phase the runs of its layers.
    arrays : dict
        By ``test/``, ``train/`` and ``step1/``, ... what :func:`traced` returned and the weights after each step.
    """

    made: Dict[str, str]
    data: Dict[str, np.ndarray]
    runs: Dict[str, List[LayerRun]]
    arrays: Dict[str, np.ndarray]


def measure(model: Any, nb_step: int, has_weights: bool, given: Optional[Dict[str, np.ndarray]] = None) -> Measured:
    """Run a model on the current backend.

    Parameters
    ----------
    model : Model
        Without its settings of ``compile`` it is trained by SGD on the mean square error.
    nb_step : int
        The number of steps of training.
    has_weights : bool
        Whether its weights are those of a file. Initial ones are moved a little, so that no bias is 0 and no scale 1,
        which would hide mistakes.
    given : dict, optional
        The data of another run; by default they are drawn.

    Raises
    ------
    ArgumentError
        If nothing tells which integers an Input may hold.
    """
    unknown = unknown_range(model)
    if unknown is not None and given is None:
        raise ArgumentError(f"{model.name}: nothing tells which integers the Input '{unknown}' may hold. Give the "
                            'class of the layer that takes them an attribute, such as input_range = (0, 10).')
    data = dict(given or {})
    model.set_weights(_part(data, 'weights') if given else model.get_weights() if has_weights else _moved(model))
    data.update({f'weights/{name}': array for name, array in model.get_weights().items()})
    runs, arrays = {}, {}
    inputs, (runs['test'], found) = _forward(model, _part(data, 'x'))
    arrays.update({f'test/{name}': array for name, array in found.items()})
    data.update({f'x/{name}': array for name, array in zip(model.input_names(), inputs)})
    model.set_weights(_part(data, 'weights'))       # states of stateful layers have moved on
    runs['train'], found = traced(model, inputs, 'train')
    arrays.update({f'train/{name}': array for name, array in found.items()})
    model.set_weights(_part(data, 'weights'))
    targets, found = _trained(model, inputs, nb_step, _part(data, 'y'))
    arrays.update(found)
    data.update({f'y/{name}': array for name, array in targets.items()})
    made = {'backend': B.name(), 'version': B.current().version(), 'floatx': B.floatx(),
            'optimizer': type(model.optimizer).__name__ if model.is_compiled else '', 'steps': str(nb_step)}
    return Measured(made, data, runs, arrays)


def _part(arrays: Dict[str, np.ndarray], start: str) -> Dict[str, np.ndarray]:
    return {name[len(start) + 1:]: array for name, array in arrays.items() if name.startswith(f'{start}/')}


def _moved(model: Any) -> Dict[str, np.ndarray]:
    """Return weights near the initial ones: what is positive stays so."""
    generator, moved = np.random.default_rng(0), {}
    trainable = {one.name for one in parameters_of([model]) if one.trainable}
    for name, array in model.get_weights().items():
        change = generator.random(array.shape)
        is_moved = array.dtype.kind == 'f' and name in trainable
        moved[name] = (array * (1 + 0.1 * change) + 0.05 * change).astype(array.dtype) if is_moved else array
    return moved


def _forward(model: Any, given: Dict[str, np.ndarray]) -> Tuple[List[np.ndarray], Any]:
    """Return inputs that the model takes, and what it gave for them."""
    if given:
        inputs = [given[name] for name in model.input_names()]
        return inputs, traced(model, inputs, 'test')
    refusal: Optional[Exception] = None
    for length in _LENGTHS:
        inputs = inputs_of(model, length)
        try:
            return inputs, traced(model, inputs, 'test')
        except Exception as error:      # of any kind: each backend refuses a length in its own words
            refusal = refusal or error
    raise DataError(f'{model.name}: it refuses the data that were drawn for it: {refusal}') from refusal


def _trained(model: Any, inputs: List[np.ndarray], nb_step: int,
             given: Dict[str, np.ndarray]) -> Tuple[Dict[str, np.ndarray], Dict[str, np.ndarray]]:
    """Train for some steps on one batch, and return the targets and the weights after each."""
    if not nb_step or not any(one.trainable for one in parameters_of([model])):
        return {}, {}
    if not model.is_compiled:
        losses = {name: 'mse' if kensor.dtype in FLOATS else None
                  for name, kensor in zip(model.output_names(), model.outputs)}
        if not any(losses.values()):
            return {}, {}
        model.compile(SGD(lr=0.01), losses if len(losses) > 1 else next(iter(losses.values())))
    targets = given or _targets(model, inputs)
    x = dict(zip(model.input_names(), inputs))
    found = {}
    for step in range(1, nb_step + 1):
        # The same samples each time: one batch an epoch.
        [logs] = model.fit(x, targets, batch_size=len(inputs[0]), nb_epoch=1, shuffle=False, verbose=0)
        found[f'step{step}/loss'] = np.array(logs['loss'], B.floatx())
        found.update({f'step{step}/weights/{name}': array for name, array in model.get_weights().items()})
    return targets, found


def _targets(model: Any, inputs: List[np.ndarray]) -> Dict[str, np.ndarray]:
    """Draw a target for each loss: one class of several, which suits losses of classes and of numbers alike."""
    generator, drawn = np.random.default_rng(1), {}
    shapes = dict(zip(model.output_names(), (np.shape(one) for one in _outputs(model, inputs))))
    for spec in model._functions.target_specs():
        shape = [len(inputs[0]), *spec.shape[1:]]
        shape = [made if one is None else one for one, made in zip(shape, shapes[spec.name])]
        if spec.nb_class is not None:
            drawn[spec.name] = generator.integers(spec.nb_class, size=shape).astype(spec.dtype)
        elif shape[-1] > 1 and len(shape) > 1:
            classes = generator.integers(shape[-1], size=shape[:-1])
            drawn[spec.name] = np.eye(shape[-1], dtype=spec.dtype)[classes]
        else:
            drawn[spec.name] = generator.integers(2, size=shape).astype(spec.dtype)
    return drawn


def _outputs(model: Any, inputs: List[np.ndarray]) -> List[np.ndarray]:
    outputs = model.predict(dict(zip(model.input_names(), inputs)))
    return outputs if isinstance(outputs, list) else [outputs]
