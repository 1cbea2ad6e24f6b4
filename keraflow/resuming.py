"""Training that is broken off and continued as if it had not been."""
import os
from typing import Any, Dict

import numpy as np

from keraflow import backend as B
from keraflow import random
from keraflow.checked import checked
from keraflow.errors import ArgumentError, ModelFileError
from keraflow.files.atomic import write_files
from keraflow.files.tensors import dump_tensors, read_tensors
from keraflow.parameters import parameters_of
from keraflow.saving import FORMAT, check_extension, check_fit
from keraflow.schema import Path
from keraflow.training import TrainableNetwork

__all__ = ['ResumableNetwork']


class ResumableNetwork(TrainableNetwork):
    """The part of :class:`~keraflow.models.Model` that saves what the next step of training depends on."""

    @checked
    def save_training(self, path: Path, overwrite: bool = False) -> None:
        """Save the weights, what the optimizer knows, its learning rate, and where the order of samples is.

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
        A model that was built and compiled in the same way, and that loads the file, goes on as this one does. What is
        random inside a function, such as the masks of Dropout, is drawn anew: call ``keraflow.seed`` before each part
        if that is to be the same, too. Callbacks begin anew with each ``fit`` (see each of them).
        """
        self._compiled('save_training')
        check_extension(path)
        arrays = {name: B.get_value(variable) for name, variable in self._training_variables().items()}
        optimizer = self.optimizer
        metadata = {'format': FORMAT, 'optimizer': type(optimizer).__name__, 'order': _order(),
                    'lr': '' if callable(optimizer.lr) else repr(optimizer.lr)}
        write_files([(path, dump_tensors(arrays, metadata))], overwrite)

    @checked
    def load_training(self, path: Path) -> None:
        """Go on where :meth:`save_training` was called, after ``compile``.

        Raises
        ------
        ModelFileError
            If the file is damaged, was not written by :meth:`save_training`, or belongs to another model or optimizer.
            Then nothing is changed.
        """
        self._compiled('load_training')
        check_extension(path)
        arrays, metadata = read_tensors(path)
        where, optimizer = os.fspath(path), self.optimizer
        if metadata.get('optimizer') != type(optimizer).__name__:
            raise ModelFileError(f'{where}: expected what save_training wrote with the optimizer '
                                 f'{type(optimizer).__name__}, received '
                                 f'{metadata.get("optimizer", "other weights")!s:.60}.')
        variables = self._training_variables()
        check_fit(variables, arrays, f'{where}: the training does not fit')
        try:
            state = _state_of(metadata.get('order', ''))
            if not callable(optimizer.lr):
                optimizer.lr = float(metadata.get('lr', ''))
            random.generator().bit_generator.state = state
        except (ArgumentError, TypeError, ValueError, OverflowError):
            raise ModelFileError(f'{where}: the learning rate or the order of samples in it is damaged.') from None
        for name, variable in variables.items():
            B.set_value(variable, arrays[name])

    def _training_variables(self) -> Dict[str, Any]:
        return {**{f'weights/{one.name}': one.variable for one in parameters_of([self])},
                **{f'optimizer/{name}': variable for name, variable in self.optimizer.state().items()}}


def _order() -> str:
    """The state of the generator of orders as text: its numbers, in base 16."""
    state = random.generator().bit_generator.state
    numbers = [state['state']['state'], state['state']['inc'], state['has_uint32'], state['uinteger']]
    return ' '.join(f'{number:x}' for number in numbers)


def _state_of(order: str) -> Dict[str, Any]:
    """The state that a text stands for; a ValueError for another text."""
    state, inc, has_uint32, uinteger = (int(number, 16) for number in order.split(' '))
    made: Any = {'bit_generator': 'PCG64', 'state': {'state': state, 'inc': inc},
                 'has_uint32': has_uint32, 'uinteger': uinteger}
    np.random.PCG64().state = made      # raises where it cannot be one
    return made
