"""Stop training, and resume it as if it had not been interrupted."""
import json
import os
from typing import Any, Dict, FrozenSet, List, NamedTuple, Optional, Sequence, Tuple, get_args

import numpy as np

from keraflow import backend as B
from keraflow import schema
from keraflow.backend.draws import NB_RUN
from keraflow.callbacks.callback import arguments_of
from keraflow.data.batch_sources import IterableBatchSource
from keraflow.errors import ArgumentError, ModelFileError, path_in_words, printable, suggestion, warn
from keraflow.files.atomic import write_files
from keraflow.files.json_text import parse_json
from keraflow.files.limits import Limits
from keraflow.files.packing import pack, unpack
from keraflow.files.refusal import excerpt, refusal
from keraflow.files.rotation import candidates, series
from keraflow.files.templates import Template
from keraflow.files.tensor_writer import pack_tensors
from keraflow.files.tensors import read_tensors
from keraflow.graph.guards import changing, reading
from keraflow.graph.parameters import parameters_of
from keraflow.layers.base.weights import owners
from keraflow.models.environment import environment, environment_differences
from keraflow.models.fit_recipe import MUST_AGREE, fit_recipe
from keraflow.models.fit_state import fit_state, restorer
from keraflow.models.recipe import GENERAL_WORDS, Difference, Recipe, differences, recipe_of, words_of
from keraflow.models.weight_files import FORMAT, WEIGHTS, check_extension, check_fit, misfits
from keraflow.models.whole_file import is_whole, read_content
from keraflow.random import Stream, sequence_of
from keraflow.schema import Path
from keraflow.training.loop import Loop, loop_of
from keraflow.training.training import TrainableNetwork

__all__ = ['load_training', 'restore_training', 'resume_training', 'save_training', 'texts_in', 'training_state',
           'training_variables']

#: The version of the files that are written. The first ones named no version, had no recipe, and numbered the slots.
#: Those of the second have a position in numbers that each backend drew in its own way. From the fourth on they may
#: hold a running `fit`, and say where they were written.
TRAINING_VERSION = '4'
_READABLE = '2', '3', TRAINING_VERSION
_DRAWN_BY_BACKENDS = None, '2'

#: The names of arrays of a running `fit` start so.
_FIT = 'fit'


def save_training(model: TrainableNetwork, path: Path, overwrite: bool) -> None:
    """Write what the next training step of a compiled model depends on."""
    check_extension(path)
    write_files([(path, pack_tensors(*training_state(model)))], overwrite)


def load_training(model: TrainableNetwork, path: Path, limits: Optional[Limits] = None) -> None:
    """Let a compiled model continue where a file was written: the state of a training, or a whole model.

    Raises
    ------
    ModelFileError
        If the file is damaged, or was written by another training.
    """
    _check_name(path)
    restore_training(model, *_state_in(path, limits or Limits()), os.fspath(path))


def resume_training(model: TrainableNetwork, loop: Loop, path: Path, changes: Sequence[str], limits: Limits) -> None:
    """Let a `fit` that begins go on where a file was written; of a series of files, from the newest one that is sound.

    Raises
    ------
    FileNotFoundError
        If there is none.
    ModelFileError
        If the file is damaged, or anything differs that is not among `changes`. Nothing is changed then.
    """
    for word in sorted(MUST_AGREE.intersection(changes)):
        raise ArgumentError(f"{model.name}: resume_changes: '{word}' cannot change, because it decides which samples a "
                            'batch has. Leave it out, or write model.load_training and begin another fit.')
    file, arrays, metadata = _newest(path, f'{model.name}: resume', limits)
    state, recipe = _running(arrays, metadata, file)
    here, own = [], fit_recipe(loop)
    words = frozenset(words_of(own)).union(*map(arguments_of, loop.callbacks.callbacks))
    if recipe is not None:
        words |= words_of(recipe)
        told = recipe['arguments'].get('fit')
        # A way that the backend chose goes on; the first files of this version do not say what was asked for.
        asked, before = own['arguments']['fit'].pop('execution'), 'auto'
        if isinstance(told, dict):
            before = told.pop('execution', before)
        here = differences(own, recipe)
        if 'auto' not in (asked, before) and asked != before:
            here.append(Difference.of('execution', asked, before))
    for source in (loop.source, loop.validation):
        if isinstance(source, IterableBatchSource) and source.has_begun():
            raise ArgumentError(f'{model.name}: fit: expected a generator from which no batch was taken, to go on in '
                                'the right place, received one that has begun. Make it anew.')
    try:
        restore = None if state is None else restorer(loop, state)
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        raise refusal(file, 'its description of the training is damaged.') from error
    _refuse_unknown_batches(loop, state, file)
    there = texts_in(metadata.get('environment', '{}'), file, 'its description of the machine')
    elsewhere = environment_differences(there)
    accepted = _restore(model, arrays, metadata, file, _Check(tuple(changes), here, words, is_resume=True))
    if elsewhere:
        warn(f'{file}: the training may go on differently in the last bits: expected {"; ".join(elsewhere)}.')
    for callback in loop.callbacks.callbacks:
        callback.resumed_from = file
    if restore is not None:
        restore()
        if accepted:
            made = list(map(str, accepted))
            loop.changes.append({'epoch': loop.at.epoch, 'batch': loop.at.nb_batch, 'changes': made})


def training_state(model: TrainableNetwork, of_fit: bool = True) -> Tuple[Dict[str, np.ndarray], Dict[str, str]]:
    """Return what the next training step of a compiled model depends on, as arrays and metadata of a file.

    With `of_fit` it includes where a running `fit` is.
    """
    functions, loop = model._compiled('save_training'), loop_of(model)
    with reading(model):    # all arrays are from between the same two steps
        arrays = {name: B.get_value(variable) for name, variable in training_variables(model).items()}
        lr = model.optimizer.lr
        metadata = {'format': FORMAT, 'version': TRAINING_VERSION, **_random_state(model._stream),
                    'lr': '' if callable(lr) else repr(lr), 'execution': functions.settled_execution,
                    'steps': json.dumps(functions.expected_steps), 'environment': json.dumps(environment()),
                    'recipe': json.dumps(recipe_of(model))}
    # Another thread does not know which hooks of callbacks have been called.
    if of_fit and loop is not None and loop.is_resumable():
        metadata['fit'], more = pack(fit_state(loop), _FIT)
        metadata['fit_recipe'] = json.dumps(fit_recipe(loop))
        arrays.update(more)
    return arrays, metadata


def restore_training(model: TrainableNetwork, arrays: Dict[str, np.ndarray], metadata: Dict[str, str],
                     where: str) -> None:
    """Let a compiled model continue from the state that a file holds. All is checked before anything changes.

    Raises
    ------
    ModelFileError
        If the state is damaged, or is that of another training.
    """
    _restore(model, arrays, metadata, where, _Check())


class _Check(NamedTuple):
    """How to compare a file with a program."""

    changes: Tuple[str, ...] = ()       # what may differ
    others: Sequence[Difference] = ()       # differences that were found already
    words: FrozenSet[str] = frozenset()       # what else might have differed
    is_resume: bool = False

    def check_words(self, model: TrainableNetwork, *recipes: Recipe) -> None:
        """Raise if a name of what may differ means nothing, neither in the recipes nor in what was compared already."""
        known = self.words.union(*map(words_of, recipes)) if self.changes else ()
        for word in self.changes:
            if word not in known and word not in MUST_AGREE:
                advice = suggestion(word, known) or f"Choose one of {', '.join(GENERAL_WORDS)}, or the name of a " \
                                                    'layer, a callback or an argument.'
                raise ArgumentError(f"{model.name}: resume_changes: nothing is called {excerpt(word)}. {advice}")

    def refuse(self, found: Sequence[Difference], where: str, advice: str) -> None:
        """Raise for differences."""
        if not self.is_resume:
            raise refusal(where, 'expected what save_training wrote with', found, advice)
        words = tuple(dict.fromkeys(one.word for one in found))
        fixed = [word for word in words if word in MUST_AGREE]
        advice = f'{", ".join(fixed)} cannot change.' if fixed else f'Or pass resume_changes={words!r}.'
        raise refusal(where, 'training is resumed as it was: expected', found, advice)

    def accepted(self, found: Sequence[Difference]) -> List[Difference]:
        """Return the differences that are allowed."""
        return [one for one in found if one.words.intersection(self.changes) and one.word not in MUST_AGREE]


def _restore(model: TrainableNetwork, arrays: Dict[str, np.ndarray], metadata: Dict[str, str], where: str,
             check: _Check) -> List[Difference]:
    """Restore a state, and return the differences that were accepted."""
    functions, optimizer = model._compiled('load_training'), model.optimizer
    trained = [one for one in functions.parameters if one.trainable]
    arrays = _presently_named(model, {name: one for name, one in arrays.items() if not name.startswith(f'{_FIT}/')})
    accepted: List[Difference] = []
    if 'recipe' in metadata:
        accepted = _check_recipe(model, arrays, metadata, where, check)
    else:
        check.check_words(model, recipe_of(model))
        arrays = _named_slots(optimizer, trained, arrays, metadata, where)
    execution = metadata.get('execution', 'auto')      # files of earlier versions do not say
    if execution not in get_args(schema.Execution):
        raise refusal(where, f"execution: expected one of {', '.join(get_args(schema.Execution))}, received "
                             f'{excerpt(execution)}.')
    steps = _steps(metadata, functions, where)
    variables = training_variables(model)
    check_fit(variables, arrays, f'{where}: the training does not fit')
    keeps_rate = any(one.word == 'lr' for one in accepted) or 'lr' in check.changes
    with changing(model):
        try:
            # What can fail comes first: then nothing is changed.
            numbers, sequence = _numbers_of(metadata), _sequence_of(metadata)
            if not callable(optimizer.lr) and not keeps_rate:
                optimizer.lr = float(metadata.get('lr', ''))
        except (ArgumentError, TypeError, ValueError, OverflowError):
            raise ModelFileError(f'{where}: the learning rate or the order of samples in it is damaged.') from None
        functions.continue_as(execution)
        functions.expect(steps)
        if numbers:
            seed, number, epoch, position = numbers
            is_drawn_alike = metadata.get('version') not in _DRAWN_BY_BACKENDS
            model._stream.begin(seed, number, epoch, position if is_drawn_alike else 0)
        if sequence is not None:
            model._stream.continue_orders(sequence)
        for name, variable in variables.items():
            B.set_value(variable, arrays[name])
    if 'recipe' not in metadata:
        _tell_ambiguity(model, trained, where)
    elif metadata['version'] in _DRAWN_BY_BACKENDS and numbers and numbers[-1]:
        warn(f'{where}: the file was written when each backend drew random numbers in its own way. The masks of '
             'dropout and noise begin anew; all else goes on as it was.')
    return accepted


def _refuse_unknown_batches(loop: Loop, state: Any, where: str) -> None:
    """Raise if the next epoch begins with batches that nothing in a file determines."""
    for name, position in zip(('x', 'validation_data'), [] if state is None else state['data']):
        if position is not None and position.get('varies') and position['begun'] is None:
            raise refusal(where, f'the batches of {name} were others in each epoch, and nothing says what the next '
                                 'ones are. Let the iterable give the same ones, or define get_state and set_state, '
                                 'which restore it.')


def _newest(path: Path, where: str, limits: Limits) -> Tuple[str, Dict[str, np.ndarray], Dict[str, str]]:
    """Return the newest sound file of a series, with what is in it."""
    _check_name(path)
    # A file that is there may have braces in its name.
    template = Template.literal(path) if os.path.exists(path) else series(path, where)
    if is_whole(path):
        files = [os.fspath(path)] if os.path.exists(path) else []
    else:
        files = candidates(template)
    if not files:
        is_there = 'os.path.exists(path)'
        if template.fields:
            is_there = f'glob.glob({path_in_words(template.glob_pattern())!r})'
        raise FileNotFoundError(printable(f'{os.fspath(path)}: there is no training to resume. Begin without resume, '
                                          f'as with resume=path if {is_there} else None.'))
    first: Optional[ModelFileError] = None
    for file in files:
        try:
            arrays, metadata = _state_in(file, limits)
        except ModelFileError as error:
            first = first or error
            continue
        if first is not None:
            warn(f'{first} Training is resumed from the file before it, {os.path.basename(file)}.')
        return file, arrays, metadata
    assert first is not None
    raise first


def _check_name(path: Path) -> None:
    if not is_whole(path) and not os.fspath(path).endswith('.safetensors'):
        raise refusal(os.fspath(path), 'expected the state of a training, .safetensors, or a whole model, .keraflow. '
                                       'Pass a file of save_training, ModelCheckpoint(path, every=...) or model.save.')


def _state_in(path: Path, limits: Limits) -> Tuple[Dict[str, np.ndarray], Dict[str, str]]:
    """Return the state of a training that a file holds, which may be that of a whole model."""
    where = os.fspath(path)
    if not is_whole(path):
        return read_tensors(path, limits)
    content = read_content(path, limits)
    if 'training' not in content.metadata:
        raise refusal(where, 'it holds a model without its training. Load it with keraflow.load and begin another fit, '
                             'or pass a file that model.save wrote after compile, with training=True.')
    state = texts_in(content.metadata['training'], f'{where}: training', 'the state of the training')
    return {**{WEIGHTS + name: one for name, one in content.weights.items()}, **content.slots}, state


def _running(arrays: Dict[str, np.ndarray], metadata: Dict[str, str], where: str) -> Tuple[Any, Optional[Recipe]]:
    """Return the state of a running `fit` and its recipe, if a file holds one."""
    if 'fit' not in metadata:
        return None, None
    recipe = parse_json(metadata.get('fit_recipe', ''), where)
    if not _is_recipe(recipe):
        raise refusal(where, 'its description of the training is damaged.')
    return unpack(metadata['fit'], arrays, where), recipe


def _steps(metadata: Dict[str, str], functions: Any, where: str) -> List[Tuple[Tuple[int, ...], int, list]]:
    """Return how many steps were expected of each loop, and for which lengths it was built; older files do not say."""
    found = parse_json(metadata.get('steps', '[]'), where)
    try:
        steps = [(functions.checked_weighting(weighting), nb_step, lengths[0] if lengths else [])
                 for weighting, nb_step, *lengths in found]
        if type(found) is not list or not all(type(nb_step) is int and nb_step >= 0 and type(lengths) is list
                                              for _, nb_step, lengths in steps):
            raise ValueError(found)
    except (TypeError, ValueError):
        raise refusal(where, 'its number of steps is damaged.') from None
    return steps


def texts_in(text: str, where: str, what: str) -> Dict[str, str]:
    """Return a dict of texts that is written as JSON; `what` it is, for the message.

    Raises
    ------
    ModelFileError
        If it is anything else.
    """
    found = parse_json(text, where)
    if not isinstance(found, dict) or not all(isinstance(value, str) for value in found.values()):
        raise refusal(where, f'{what} is damaged.')
    return found


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


def _check_recipe(model: TrainableNetwork, arrays: Dict[str, np.ndarray], metadata: Dict[str, str], where: str,
                  check: _Check) -> List[Difference]:
    """Raise unless the file was written by a model that was built and compiled like this one, but for what is accepted;
    return that."""
    if metadata.get('format') != FORMAT:
        raise refusal(where, f'expected the state of a training, found the format {excerpt(metadata.get("format"))}.')
    if metadata.get('version') not in _READABLE:
        raise refusal(where, f'the training has format version {excerpt(metadata.get("version"))}, this keraflow '
                             f"reads '{TRAINING_VERSION}'. Install the keraflow that wrote it, or a newer one.")
    recipe = parse_json(metadata['recipe'], where)
    if not _is_recipe(recipe):
        raise refusal(where, 'its description of the model is damaged.')
    recipe = {**recipe, 'parts': model.present_names(recipe['parts'])}
    variables, saved = ({name: it for name, it in some.items() if name.startswith('weights/')}
                        for some in (training_variables(model), arrays))
    problems, own = misfits(variables, saved), recipe_of(model)
    check.check_words(model, own, recipe)
    found = [*differences(own, recipe, of_both_alone=bool(problems)), *check.others]
    if problems:
        raise refusal(where, 'the training does not fit:', [*problems, *(f'expected {one}' for one in found)])
    accepted = check.accepted(found)
    if len(accepted) < len(found):
        is_of_rate = not callable(model.optimizer.lr) and any(one.startswith('lr of the optimizer') for one in found)
        advice = 'Set optimizer.lr after load_training to continue with another rate.' if is_of_rate else ''
        check.refuse([one for one in found if one not in accepted], where, advice)
    return accepted


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
                    numbers[3] >= (2 ** 63 if metadata.get('version') in _DRAWN_BY_BACKENDS else NB_RUN)):
        raise ValueError(numbers)
    return numbers


def _sequence_of(metadata: Dict[str, str]) -> Optional[np.random.Generator]:
    """Return the generator from which the first files draw their orders; raise ValueError if its state is invalid."""
    if 'stream' in metadata and 'order' not in metadata:
        return None
    state, inc, has_uint32, uinteger = (int(number, 16) for number in metadata.get('order', '').split(' '))
    return sequence_of({'bit_generator': 'PCG64', 'state': {'state': state, 'inc': inc}, 'has_uint32': has_uint32,
                        'uinteger': uinteger})
