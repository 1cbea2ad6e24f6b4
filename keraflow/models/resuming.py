"""Training that is broken off and continued as if it had not been."""
import json
import os
from typing import Any, Dict, List, Optional, Sequence

import numpy as np

from keraflow import backend as B
from keraflow.checked import checked
from keraflow.errors import ArgumentError, ModelFileError, warn
from keraflow.files.atomic import write_files
from keraflow.files.json_text import parse_json
from keraflow.files.refusal import excerpt, refusal
from keraflow.files.tensors import dump_tensors, read_tensors
from keraflow.graph.guards import changing, reading
from keraflow.graph.parameters import parameters_of
from keraflow.models.recipe import differences, recipe_of
from keraflow.models.saving import FORMAT, check_extension, check_fit, misfits
from keraflow.random import Stream
from keraflow.schema import Path
from keraflow.training.training import TrainableNetwork

__all__ = ['ResumableNetwork']

#: Of the files that are written. The first version, which named no version, had no recipe, and numbered the slots.
TRAINING_VERSION = '2'


class ResumableNetwork(TrainableNetwork):
    """The part of :class:`~keraflow.models.Model` that saves what the next step of training depends on."""

    @checked
    def save_training(self, path: Path, overwrite: bool = False) -> None:
        """Save the weights, what the optimizer knows, its learning rate, and where the model's random numbers are.

        Parameters
        ----------
        path : path
            Ends with ``.safetensors``.
        overwrite : bool
            Replace the file if it exists.

        Raises
        ------
        FileExistsError
            If the file exists and `overwrite` is False.

        Notes
        -----
        A model that was built and compiled in the same way, and that loads the file, goes on as this one does: with the
        same orders of samples and, on the same backend, with the same masks of Dropout. Callbacks begin anew with each
        ``fit`` (see each of them). All in the file is of one moment, also where another thread trains the model.

        What the optimizer keeps is named by parameter: ``optimizer/m/dense1/W``. The file also says how the model was
        built and compiled, so that :meth:`load_training` can tell another one.
        """
        self._compiled('save_training')
        check_extension(path)
        with reading(self):
            arrays = {name: B.get_value(variable) for name, variable in self.training_variables().items()}
            lr = self.optimizer.lr
            metadata = {'format': FORMAT, 'version': TRAINING_VERSION, **_random_state(self._stream),
                        'lr': '' if callable(lr) else repr(lr), 'recipe': json.dumps(recipe_of(self))}
        write_files([(path, dump_tensors(arrays, metadata))], overwrite)

    @checked
    def load_training(self, path: Path) -> None:
        """Go on where :meth:`save_training` was called, after ``compile``.

        Raises
        ------
        ModelFileError
            If the file is damaged, was not written by :meth:`save_training`, or if model, optimizer, loss or what is
            trainable are not those that it was written with: the message names each difference. Then nothing is
            changed.

        Notes
        -----
        Functions are compared by name, and initial values not at all. The learning rate is that of the file, also
        where a callback had changed it; set ``model.optimizer.lr`` afterwards for another one.
        """
        self._compiled('load_training')
        check_extension(path)
        arrays, metadata = read_tensors(path)
        where, optimizer = os.fspath(path), self.optimizer
        arrays = self._presently_named(arrays)
        if 'recipe' in metadata:
            self._check_recipe(arrays, metadata, where)
        else:
            arrays = self._named_slots(arrays, metadata, where)
        variables = self.training_variables()
        check_fit(variables, arrays, f'{where}: the training does not fit')
        with changing(self):
            try:
                numbers, sequence = _numbers_of(metadata), _sequence_of(metadata)
                if not callable(optimizer.lr):
                    optimizer.lr = float(metadata.get('lr', ''))
            except (ArgumentError, TypeError, ValueError, OverflowError):
                raise ModelFileError(f'{where}: the learning rate or the order of samples in it is damaged.') from None
            if numbers:
                self._stream.begin(*numbers)
            if sequence is not None:
                self._stream.continue_orders(sequence)
            for name, variable in variables.items():
                B.set_value(variable, arrays[name])
        if 'recipe' not in metadata:
            self._tell_ambiguity(where)

    def training_variables(self) -> Dict[str, Any]:
        """The variables that the next step of training depends on: ``weights/dense1/W``, ``optimizer/m/dense1/W``."""
        return {**{f'weights/{one.name}': one.variable for one in parameters_of([self])},
                **{f'optimizer/{name}': variable for name, variable in self.optimizer.state().items()}}

    def _presently_named(self, arrays: Dict[str, np.ndarray]) -> Dict[str, np.ndarray]:
        """The arrays of a file, of which older ones have numbers in the place of the names that functions give."""
        for start in ('weights/', *(f'optimizer/{slot}/' for slot in self.optimizer.slot_names)):
            own = {name[len(start):]: name for name in arrays if name.startswith(start)}
            present = {old: start + name for name, old in self.present_names(own).items()}
            arrays = {present.get(name, name): array for name, array in arrays.items()}
        return arrays

    def _check_recipe(self, arrays: Dict[str, np.ndarray], metadata: Dict[str, str], where: str) -> None:
        """Raise unless the file was written by a model that was made and compiled as this one."""
        if metadata.get('version') != TRAINING_VERSION:
            raise refusal(where, f'the training has format version {excerpt(metadata.get("version"))}, this keraflow '
                                 f"reads '{TRAINING_VERSION}'. Install the keraflow that wrote it, or a newer one.")
        recipe = parse_json(metadata['recipe'], where)
        if not _is_recipe(recipe):
            raise refusal(where, 'what it says of the model is damaged.')
        recipe = {**recipe, 'parts': self.present_names(recipe['parts'])}
        variables, saved = ({name: it for name, it in some.items() if name.startswith('weights/')}
                            for some in (self.training_variables(), arrays))
        problems = misfits(variables, saved)
        others = '; '.join(differences(recipe_of(self), recipe, of_both_alone=bool(problems)))
        if problems:
            lead = f'the training does not fit: {"; ".join(problems)}'[:299]
            raise ModelFileError(f'{where}: {lead}{"; expected " if others else ""}{others}.')
        if others:
            is_of_rate = 'lr of the optimizer' in others and not callable(self.optimizer.lr)
            advice = ' Set optimizer.lr after load_training to go on with another rate.' if is_of_rate else ''
            raise ModelFileError(f'{where}: expected what save_training wrote with {others}.{advice}')

    def _named_slots(self, arrays: Dict[str, np.ndarray], metadata: Dict[str, str], where: str) -> Dict[str, Any]:
        """The arrays of a file of the first version, whose slots have the numbers of what was trainable."""
        optimizer = type(self.optimizer).__name__
        if metadata.get('optimizer') != optimizer:
            raise ModelFileError(f'{where}: expected what save_training wrote with the optimizer {optimizer}, received '
                                 f'{metadata.get("optimizer", "other weights")!s:.60}.')
        slots = {f'optimizer/{slot}/{number}': f'optimizer/{slot}/{one.name}'
                 for number, one in enumerate(self._trained()) for slot in self.optimizer.slot_names}
        return {slots.get(name, name): array for name, array in arrays.items()}

    def _tell_ambiguity(self, where: str) -> None:
        """Warn where the slots of a file of the first version, which fit, would fit other parameters, too."""
        states = {name for name, (layer, own) in self._owners().items() if own in layer._states}
        possible = [tuple(B.static_shape(one.variable)) for one in parameters_of([self]) if one.name not in states]
        shapes = [tuple(B.static_shape(one.variable)) for one in self._trained()]
        if self.optimizer.slot_names and _nb_way(shapes, possible) > 1:
            names = ', '.join(one.name for one in self._trained())
            warn(f'{where}: the file does not say which parameters were trainable, and what the optimizer knows would '
                 f'fit others, too. It is taken for that of {names}. Save the training again.')

    def _trained(self) -> List[Any]:
        return [one for one in self._compiled('load_training').parameters if one.trainable]


def _is_recipe(data: Any) -> bool:
    return isinstance(data, dict) and set(data) == {'parts', 'arguments'} and all(
        isinstance(section, dict) for section in data.values())


def _nb_way(shapes: Sequence[tuple], possible: Sequence[tuple]) -> int:
    """In how many ways one list can be had from another by leaving items out."""
    ways = [1] + [0] * len(shapes)
    for one in possible:
        for number in range(len(shapes), 0, -1):
            if shapes[number - 1] == one:
                ways[number] += ways[number - 1]
    return ways[-1]


def _random_state(stream: Stream) -> Dict[str, str]:
    """Where a stream is: numbers in base 16."""
    texts = {'stream': [stream.seed, stream.number, stream.epoch, stream.position]}
    if stream.sequence is not None:
        state = stream.sequence.bit_generator.state
        texts['order'] = [state['state']['state'], state['state']['inc'], state['has_uint32'], state['uinteger']]
    return {key: ' '.join(f'{number:x}' for number in numbers) for key, numbers in texts.items()}


def _numbers_of(metadata: Dict[str, str]) -> List[int]:
    """Seed, number, epoch and position of the stream, of which the first files have nothing; a ValueError for what can
    be none."""
    numbers = [int(number, 16) for number in metadata['stream'].split(' ')] if 'stream' in metadata else []
    if numbers and (len(numbers) != 4 or min(numbers) < 0 or numbers[3] >= 2 ** 63):
        raise ValueError(numbers)
    return numbers


def _sequence_of(metadata: Dict[str, str]) -> Optional[np.random.Generator]:
    """The generator from which the first files draw orders, one after the other; a ValueError for what can be none."""
    if 'stream' in metadata and 'order' not in metadata:
        return None
    state, inc, has_uint32, uinteger = (int(number, 16) for number in metadata.get('order', '').split(' '))
    made = np.random.Generator(np.random.PCG64())
    made.bit_generator.state = {'bit_generator': 'PCG64', 'state': {'state': state, 'inc': inc},
                                'has_uint32': has_uint32, 'uinteger': uinteger}      # raises where it cannot be one
    return made
