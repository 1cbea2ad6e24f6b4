"""Stop training, and resume it as if it had not been interrupted."""
import json
import os
from typing import Any, Dict, List, Optional, Sequence, get_args

import numpy as np

from keraflow import backend as B
from keraflow import schema
from keraflow.backend.draws import NB_RUN
from keraflow.errors import ArgumentError, ModelFileError, warn
from keraflow.files.atomic import write_files
from keraflow.files.json_text import parse_json
from keraflow.files.refusal import excerpt, refusal
from keraflow.files.tensors import dump_tensors, read_tensors
from keraflow.graph.guards import changing, reading
from keraflow.graph.parameters import parameters_of
from keraflow.layers.base.weights import owners
from keraflow.models.recipe import differences, recipe_of
from keraflow.models.saving import FORMAT, check_extension, check_fit, misfits
from keraflow.random import Stream
from keraflow.schema import Path
from keraflow.training.training import TrainableNetwork

__all__ = ['load_training', 'save_training', 'training_variables']

#: The version of the files that are written. The first ones named no version, had no recipe, and numbered the slots.
#: Those of the second have a position in numbers that each backend drew in its own way.
TRAINING_VERSION = '3'
_READABLE = '2', TRAINING_VERSION


def save_training(model: TrainableNetwork, path: Path, overwrite: bool) -> None:
    """Write what the next training step of a compiled model depends on."""
    check_extension(path)
    with reading(model):    # all arrays are from between the same two steps
        arrays = {name: B.get_value(variable) for name, variable in training_variables(model).items()}
        lr = model.optimizer.lr
        metadata = {'format': FORMAT, 'version': TRAINING_VERSION, **_random_state(model._stream),
                    'lr': '' if callable(lr) else repr(lr),
                    'execution': model._compiled('save_training').latest_execution,
                    'recipe': json.dumps(recipe_of(model))}
    write_files([(path, dump_tensors(arrays, metadata))], overwrite)


def load_training(model: TrainableNetwork, trained: Sequence[Any], path: Path) -> None:
    """Let a compiled model, whose trained parameters are `trained`, continue where a file was written.

    Raises
    ------
    ModelFileError
        If the file is damaged, or was written by another training.
    """
    check_extension(path)
    arrays, metadata = read_tensors(path)
    where, optimizer = os.fspath(path), model.optimizer
    arrays = _presently_named(model, arrays)
    if 'recipe' in metadata:
        _check_recipe(model, arrays, metadata, where)
    else:
        arrays = _named_slots(optimizer, trained, arrays, metadata, where)
    execution = metadata.get('execution', 'auto')      # files of earlier versions do not say
    if execution not in get_args(schema.Execution):
        raise refusal(where, f"execution: expected one of {', '.join(get_args(schema.Execution))}, received "
                             f'{excerpt(execution)}.')
    variables = training_variables(model)
    check_fit(variables, arrays, f'{where}: the training does not fit')
    with changing(model):
        try:
            # What can fail comes first: then nothing is changed.
            numbers, sequence = _numbers_of(metadata), _sequence_of(metadata)
            if not callable(optimizer.lr):
                optimizer.lr = float(metadata.get('lr', ''))
        except (ArgumentError, TypeError, ValueError, OverflowError):
            raise ModelFileError(f'{where}: the learning rate or the order of samples in it is damaged.') from None
        model._compiled('load_training').continue_as(execution)
        if numbers:
            seed, number, epoch, position = numbers
            model._stream.begin(seed, number, epoch, position if metadata.get('version') == TRAINING_VERSION else 0)
        if sequence is not None:
            model._stream.continue_orders(sequence)
        for name, variable in variables.items():
            B.set_value(variable, arrays[name])
    if 'recipe' not in metadata:
        _tell_ambiguity(model, trained, where)
    elif metadata['version'] != TRAINING_VERSION and numbers and numbers[-1]:
        warn(f'{where}: the file was written when each backend drew random numbers in its own way. The masks of '
             'dropout and noise begin anew; all else goes on as it was.')


def training_variables(model: TrainableNetwork) -> Dict[str, Any]:
    """Return the variables that the next training step depends on: ``weights/dense1/W``, ``optimizer/m/dense1/W``."""
    return {**{f'weights/{one.name}': one.variable for one in parameters_of([model])},
            **{f'optimizer/{name}': variable for name, variable in model.optimizer.state().items()}}


def _presently_named(model: TrainableNetwork, arrays: Dict[str, np.ndarray]) -> Dict[str, np.ndarray]:
    """Rename arrays of older files, which have numbers instead of the names that functions assign."""
    for start in ('weights/', *(f'optimizer/{slot}/' for slot in model.optimizer.slot_names)):
        own = {name[len(start):]: name for name in arrays if name.startswith(start)}
        present = {old: start + name for name, old in model.present_names(own).items()}
        arrays = {present.get(name, name): array for name, array in arrays.items()}
    return arrays


def _check_recipe(model: TrainableNetwork, arrays: Dict[str, np.ndarray], metadata: Dict[str, str],
                  where: str) -> None:
    """Raise unless the file was written by a model that was built and compiled like this one."""
    if metadata.get('version') not in _READABLE:
        raise refusal(where, f'the training has format version {excerpt(metadata.get("version"))}, this keraflow '
                             f"reads '{TRAINING_VERSION}'. Install the keraflow that wrote it, or a newer one.")
    recipe = parse_json(metadata['recipe'], where)
    if not _is_recipe(recipe):
        raise refusal(where, 'its description of the model is damaged.')
    recipe = {**recipe, 'parts': model.present_names(recipe['parts'])}
    variables, saved = ({name: it for name, it in some.items() if name.startswith('weights/')}
                        for some in (training_variables(model), arrays))
    problems = misfits(variables, saved)
    others = '; '.join(differences(recipe_of(model), recipe, of_both_alone=bool(problems)))
    if problems:
        lead = f'the training does not fit: {"; ".join(problems)}'[:299]
        raise ModelFileError(f'{where}: {lead}{"; expected " if others else ""}{others}.')
    if others:
        is_of_rate = 'lr of the optimizer' in others and not callable(model.optimizer.lr)
        advice = ' Set optimizer.lr after load_training to continue with another rate.' if is_of_rate else ''
        raise ModelFileError(f'{where}: expected what save_training wrote with {others}.{advice}')


def _named_slots(optimizer: Any, trained: Sequence[Any], arrays: Dict[str, np.ndarray], metadata: Dict[str, str],
                 where: str) -> Dict[str, Any]:
    """Name the arrays of a file of the first version, whose slots are numbered by trainable parameter."""
    if metadata.get('optimizer') != type(optimizer).__name__:
        raise ModelFileError(f'{where}: expected what save_training wrote with the optimizer '
                             f'{type(optimizer).__name__}, received '
                             f'{metadata.get("optimizer", "other weights")!s:.60}.')
    slots = {f'optimizer/{slot}/{number}': f'optimizer/{slot}/{one.name}'
             for number, one in enumerate(trained) for slot in optimizer.slot_names}
    return {slots.get(name, name): array for name, array in arrays.items()}


def _tell_ambiguity(model: TrainableNetwork, trained: Sequence[Any], where: str) -> None:
    """Warn if the slots of a file of the first version would fit other parameters, too."""
    states = {name for name, (layer, own) in owners(model).items() if not layer._parameters[own].trainable}
    possible = [tuple(B.static_shape(one.variable)) for one in parameters_of([model]) if one.name not in states]
    shapes = [tuple(B.static_shape(one.variable)) for one in trained]
    if model.optimizer.slot_names and _nb_way(shapes, possible) > 1:
        names = ', '.join(one.name for one in trained)
        warn(f'{where}: the file does not say which parameters were trainable, and the state of the optimizer would '
             f'fit others, too. It is assigned to {names}. Save the training again.')


def _is_recipe(data: Any) -> bool:
    return isinstance(data, dict) and set(data) == {'parts', 'arguments'} and all(
        isinstance(section, dict) for section in data.values())


def _nb_way(shapes: Sequence[tuple], possible: Sequence[tuple]) -> int:
    """Count the ways to get one list from another by leaving items out."""
    ways = [1] + [0] * len(shapes)
    for one in possible:
        for number in range(len(shapes), 0, -1):
            if shapes[number - 1] == one:
                ways[number] += ways[number - 1]
    return ways[-1]


def _random_state(stream: Stream) -> Dict[str, str]:
    """Return the state of a stream: integers in base 16."""
    texts = {'stream': [stream.seed, stream.number, stream.epoch, stream.position]}
    if stream.sequence is not None:
        state = stream.sequence.bit_generator.state
        texts['order'] = [state['state']['state'], state['state']['inc'], state['has_uint32'], state['uinteger']]
    return {key: ' '.join(f'{number:x}' for number in numbers) for key, numbers in texts.items()}


def _numbers_of(metadata: Dict[str, str]) -> List[int]:
    """Return seed, number, epoch and position of the stream, which the first files lack, or raise ValueError."""
    numbers = [int(number, 16) for number in metadata['stream'].split(' ')] if 'stream' in metadata else []
    # Positions of earlier versions are counted in int64.
    if numbers and (len(numbers) != 4 or min(numbers) < 0 or
                    numbers[3] >= (NB_RUN if metadata.get('version') == TRAINING_VERSION else 2 ** 63)):
        raise ValueError(numbers)
    return numbers


def _sequence_of(metadata: Dict[str, str]) -> Optional[np.random.Generator]:
    """Return the generator from which the first files draw their orders; raise ValueError if its state is invalid."""
    if 'stream' in metadata and 'order' not in metadata:
        return None
    state, inc, has_uint32, uinteger = (int(number, 16) for number in metadata.get('order', '').split(' '))
    made = np.random.Generator(np.random.PCG64())
    made.bit_generator.state = {'bit_generator': 'PCG64', 'state': {'state': state, 'inc': inc},
                                'has_uint32': has_uint32, 'uinteger': uinteger}      # raises if invalid
    return made
