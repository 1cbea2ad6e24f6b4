"""Turn what a user passes to ``fit``, ``evaluate`` and ``predict`` into sources of batches."""
from typing import Any, Callable, Dict, List, Optional, Tuple

import numpy as np

from keraflow import backend as B
from keraflow.arguments import to_list
from keraflow.data.array_spec import ArraySpec, WarnOnce
from keraflow.data.arrays import Arrays, batch_bounds, check_lengths, read_arrays, read_weights
from keraflow.data.batch_sources import ArrayBatchSource, BatchSource, IterableBatchSource
from keraflow.data.class_weight import ClassWeight
from keraflow.data.iterables import is_iterable_of_batches
from keraflow.errors import ArgumentError, ArgumentTypeError, DataError, GraphError, describe

__all__ = ['DataAdapter']

#: The number of targets whose classes are looked up at a time: memory-mapped ones are not read as a whole.
_CHUNK = 1024


class DataAdapter:
    """Read the data for one call of a method of a model.

    Parameters
    ----------
    network : Network
    method : str
        Its name, for messages.
    targets : list of ArraySpec
        What targets must be like; empty for ``predict``, and if no output has a loss.
    """

    def __init__(self, network: Any, method: str, targets: List[ArraySpec]):
        inputs = network.inputs
        self._name = network.name
        self._fixed: Optional[int] = inputs[0].batch_size
        self._where = f'{self._name}: {method}'
        self._inputs = [ArraySpec.of(kensor, name) for kensor, name in zip(inputs, network.input_names())]
        self._targets = targets
        self._warn_of_weights = WarnOnce()
        self._class_weight: Optional[ClassWeight] = None

    def weigh_classes(self, given: Any) -> None:
        """Multiply the weights of samples by those of their classes, from now on."""
        if given is not None:
            self._class_weight = ClassWeight(given, self._targets, B.floatx(), f'{self._name}: class_weight')

    def arrays(self, x: Any, y: Any, sample_weights: Any) -> Arrays:
        """Return the arrays of all samples.

        Raises
        ------
        DataError
            If all weights are 0.
        """
        arrays = self._read(x, y, sample_weights, self._where)
        if self._class_weight is not None:
            weights: List[Any] = [self._weighed(arrays.part(slice(*ends)), self._where).weights[0]
                                  for ends in batch_bounds(arrays.nb_sample, _CHUNK)]
            arrays = arrays._replace(weights=[np.concatenate(weights)])
        if arrays.weights and all(isinstance(it, np.ndarray) and not it.any() for it in arrays.weights):
            raise DataError(f'{self._where}: expected a sample that counts, received weights that are all 0.')
        return arrays

    def array_source(self, arrays: Arrays, batch_size: Optional[int],
                     order: Optional[Callable[[int], np.ndarray]] = None) -> BatchSource:
        """Return a source of batches of arrays.

        Raises
        ------
        DataError
            If the samples do not fill batches of the size that the Inputs fix.
        """
        size = self.batch_size(batch_size)
        if self._fixed and arrays.nb_sample % size:
            whole = arrays.nb_sample - arrays.nb_sample % size
            raise DataError(f'{self._name}: {arrays.nb_sample} samples do not fill batches of {size}, which the Inputs '
                            f'fix. ' + (f'Use {whole} of them.' if whole else 'Use more.'))
        return ArrayBatchSource(arrays, size, order)

    def iterable_source(self, given: Any, nb_epoch: int = 1, nb_batch: Optional[int] = None, is_repeated: bool = False,
                        is_validation: bool = False) -> BatchSource:
        """Return a source of batches from an iterable."""
        return IterableBatchSource(given, self._read_batch, self._where, nb_epoch, nb_batch, is_repeated, is_validation)

    def source(self, x: Any, y: Any, sample_weights: Any, batch_size: Optional[int],
               nb_batch: Optional[int]) -> BatchSource:
        """Return a source of all samples once, for ``evaluate`` and ``predict``.

        Raises
        ------
        GraphError
            For a symbolic tensor.
        """
        if any(map(_has_no_numbers, to_list(x))):
            raise GraphError(f'{self._where}: expected arrays, received a symbolic tensor. Inside a compiled function, '
                             f'call the model itself: {self._name}(x).')
        if is_iterable_of_batches(x):
            self.refuse_with_iterable(y=y, sample_weights=sample_weights, batch_size=batch_size)
            return self.iterable_source(x, nb_batch=nb_batch)
        self.refuse_with_arrays(nb_batch=nb_batch)
        return self.array_source(self.arrays(x, y, sample_weights), batch_size)

    def validation_source(self, given: Any, batch_size: Optional[int], nb_epoch: int,
                          nb_val_batch: Optional[int]) -> Optional[BatchSource]:
        """Return a source for the ``validation_data`` of ``fit``, if given."""
        if given is not None and is_iterable_of_batches(given):
            return self.iterable_source(given, nb_epoch, nb_val_batch, is_validation=True)
        self.refuse_with_arrays(nb_val_batch=nb_val_batch)
        if given is None:
            return None
        return self.array_source(self.arrays(*_parts(given, self._where)), batch_size)

    def split(self, arrays: Arrays, share: float) -> Tuple[Arrays, Arrays]:
        """Split off a share of the samples, from the end, for validation.

        Raises
        ------
        DataError
            If one of the parts would be empty.
        """
        at = int(arrays.nb_sample * (1 - share))
        if not 0 < at < arrays.nb_sample:
            raise DataError(f'{self._name}: validation_split={share} of {arrays.nb_sample} sample(s) leaves none for '
                            'one of the parts.')
        return arrays.split(at)

    def refuse_with_iterable(self, **arguments: Any) -> None:
        """Raise if one of these arguments is given too."""
        form = '(x, y) or (x, y, sample_weights)' if self._targets else 'x'
        self._refuse(f'an iterable as x, which gives whole batches {form}', arguments)

    def refuse_with_arrays(self, **arguments: Any) -> None:
        """Raise if one of these arguments is given too."""
        self._refuse('arrays, which batch_size cuts into batches', arguments)

    def _refuse(self, data: str, arguments: Dict[str, Any]) -> None:
        for name, value in arguments.items():
            if value is not None:
                raise ArgumentTypeError(f'{self._where}: expected no {name} beside {data}, received {describe(value)}.')

    def _read(self, x: Any, y: Any, sample_weights: Any, where: str, copies: bool = False) -> Arrays:
        if self._targets and y is None and isinstance(x, (list, tuple)) and all(isinstance(it, tuple) for it in x):
            raise ArgumentTypeError(f'{where}: x: expected arrays, received a {type(x).__name__} of tuples. '
                                    'Write lambda: batches if these are batches (x, y).')
        inputs = read_arrays(x, self._inputs, f'{where}: x' if self._targets else where, copies)
        targets = read_arrays(y, self._targets, f'{where}: y', copies)
        check_lengths({**{spec.name: it for spec, it in zip(self._inputs, inputs)},
                       **{f'target {spec.name}': it for spec, it in zip(self._targets, targets)}}, where)
        if sample_weights is None:
            return Arrays(inputs, targets, [None] * len(targets))
        spec = ArraySpec('weights', (len(inputs[0]),), B.floatx(), role='weights', warn=self._warn_of_weights)
        return Arrays(inputs, targets, read_weights(sample_weights, targets, [one.name for one in self._targets], spec,
                                                    f'{where}: sample_weights', copies))

    def _read_batch(self, item: Any, where: str) -> Arrays:
        x, y, weights = _parts(item, where) if self._targets else (item, None, None)
        # While batches wait for their turn, the program may fill its arrays with the next ones.
        batch = self._read(x, y, weights, where, copies=True)
        if self._fixed and batch.nb_sample != self._fixed:
            raise DataError(f'{where}: expected {self._fixed} samples, which the Inputs fix, received '
                            f'{batch.nb_sample}.')
        # Memory-mapped arrays are read here, in the thread.
        return self._weighed(batch.part(slice(0, batch.nb_sample)), where)

    def _weighed(self, batch: Arrays, where: str) -> Arrays:
        if self._class_weight is None:
            return batch
        return batch._replace(weights=[self._class_weight(batch.targets[0], batch.weights[0], where)])

    def batch_size(self, asked: Optional[int]) -> int:
        """Return the number of samples of a batch: as asked for, or else as the Inputs fix it, or 32.

        Raises
        ------
        ArgumentError
            If the Inputs fix another one.
        """
        if asked is None:
            return self._fixed or 32
        if self._fixed and asked != self._fixed:
            raise ArgumentError(
                f'{self._name}: batch_size: the Inputs fix it to {self._fixed}, received {asked}. Leave it out.')
        return asked


def _parts(given: Any, where: str) -> Tuple[Any, Any, Any]:
    """Split a batch into inputs, targets, and weights or None."""
    if not isinstance(given, (tuple, list)) or len(given) not in (2, 3):
        raise ArgumentTypeError(f'{where}: expected (x, y) or (x, y, sample_weights), received {describe(given)}.')
    return (*given, None)[:3]


def _has_no_numbers(value: Any) -> bool:
    """Return whether a value is a symbolic tensor, which has no values yet."""
    if not B.is_tensor(value) or B.is_variable(value):
        return False
    try:
        return np.asarray(value).dtype == object
    except Exception:       # libraries raise different errors for it
        return True
