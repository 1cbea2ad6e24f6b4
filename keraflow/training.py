"""Compiling and training: ``compile``, ``fit``, ``evaluate``, ``predict``."""
from typing import Any, Dict, List, Optional, Sequence

import numpy as np

from keraflow import backend as B
from keraflow import objectives, optimizers, random  # noqa: F401 (fills the registry)
from keraflow.arguments import advised, assign, to_list
from keraflow.backend.contract import FLOATS
from keraflow.callbacks import Callback, CallbackList
from keraflow.data import Arrays, Port, batches, check_lengths, read_arrays, read_weights
from keraflow.errors import ArgumentError, ArgumentTypeError, DataError, GraphError, describe
from keraflow.functions import Functions, Term
from keraflow.network import Network
from keraflow.progress import Progress, interruptible
from keraflow.registry import resolve

__all__ = ['TrainableNetwork']

History = List[Dict[str, float]]


class TrainableNetwork(Network):
    """The part of :class:`~keraflow.models.Model` that trains and predicts."""

    stop_training = False
    _functions: Optional[Functions] = None
    _predictor: Optional[Functions] = None

    @advised
    def compile(self, optimizer: Any, loss: Any, metrics: Any = None) -> None:
        """Say how the model is trained. A second call replaces optimizer, losses and metrics.

        Parameters
        ----------
        optimizer : str or Optimizer
            A name (``'adam'``) or an object (``Adam(lr=0.01)``).
        loss : str, function, list or dict
            An objective for each output: one value for one output, else by order or by the name of the output layer.
        metrics : list or dict, optional
            Objectives that are reported and not trained on. For one output a list of them; else one (or a list) for
            each output, by
            order or name.

        Notes
        -----
        Which layers are trainable is read here: compile again after a change of ``trainable``.
        """
        self.check_runnable()
        names = self.output_names()
        where = f'{self.name}: loss'
        losses = assign([loss] if callable(loss) or isinstance(loss, str) else loss, names, where)
        if len(losses) < len(names):
            raise ArgumentError(f'{where}: expected one for each output ({", ".join(names)}), received {len(losses)}.')
        self.optimizer = resolve('optimizer', optimizer, f'{self.name}: optimizer: ')
        terms = [Term(name, resolve('objective', losses[name], f'{where}: ')) for name in names]
        self._functions = Functions(self, self.optimizer, terms, self._read_metrics(metrics, names))

    def forget_training(self) -> None:
        """Undo :meth:`compile`."""
        self._functions = None
        self._predictor = None

    @advised
    def fit(self, x: Any, y: Any, batch_size: Optional[int] = None, nb_epoch: int = 10, verbose: int = 1,
            callbacks: Sequence[Callback] = (), sample_weights: Any = None, validation_split: float = 0.,
            validation_data: Any = None, shuffle: bool = True) -> History:
        """Train.

        Parameters
        ----------
        x, y : array, list or dict
            Inputs and targets: an array for the only one, else by order or by name (of the Input, of the output
            layer). A target has
            the shape of its output.
        batch_size : int, optional
            Samples for each step; that of the Inputs if they fix it, else 32.
        nb_epoch : int
            Times to go through the data.
        verbose : int
            0: silent. 1: a progress bar on a terminal and a line for each epoch.
        callbacks : sequence of Callback
        sample_weights : array, optional
            A weight for each sample, ``(samples,)``. The loss is the weighted sum divided by the number of weights
            that are not zero.
        validation_split : float
            Share of the samples, from the end, that is kept for validation.
        validation_data : tuple, optional
            ``(x, y)`` or ``(x, y, sample_weights)`` for validation; wins over `validation_split`.
        shuffle : bool
            Whether to draw a new order of the samples for each epoch, the same on every backend after the same seed.

        Returns
        -------
        list of dict
            For each epoch ``loss`` (with regularization), the metrics, and both again as ``val_...``; averaged over
            samples.

        Notes
        -----
        Ctrl-C ends training after the current batch and returns the history of the complete epochs.
        """
        functions = self._compiled('fit')
        batch_size = self._batch_size(batch_size)
        _check_count(f'{self.name}: nb_epoch', nb_epoch, 0)
        data = self._read(x, y, sample_weights, f'{self.name}: fit')
        validation = self._read_validation(validation_data)
        if validation is None and validation_split:
            data, validation = self._split(data, validation_split)
        self._check_batches(data.nb_sample, batch_size)
        if validation is not None:
            self._check_batches(validation.nb_sample, batch_size)
        loop = _Loop(self, functions, data, validation, batch_size, shuffle)
        return loop.run(nb_epoch, CallbackList(callbacks, self), Progress(verbose, nb_epoch))

    @advised
    def evaluate(self, x: Any, y: Any, sample_weights: Any = None,
                 batch_size: Optional[int] = None) -> Dict[str, float]:
        """Loss (without regularization) and metrics on data, as a dict; arguments as for :meth:`fit`."""
        functions = self._compiled('evaluate')
        batch_size = self._batch_size(batch_size)
        data = self._read(x, y, sample_weights, f'{self.name}: evaluate')
        self._check_batches(data.nb_sample, batch_size)
        return functions.evaluate(data, batch_size)

    @advised
    def predict(self, x: Any, batch_size: Optional[int] = None, train_mode: bool = False) -> Any:
        """The outputs for some inputs: an array, or a list of them if the model has several outputs.

        Parameters
        ----------
        x : array, list or dict
            As for :meth:`fit`.
        batch_size : int, optional
            Samples computed at a time.
        train_mode : bool
            Run as in training (with dropout), for debugging.
        """
        self.check_runnable()
        batch_size = self._batch_size(batch_size)
        inputs = read_arrays(x, self.input_ports(), f'{self.name}: predict')
        check_lengths(dict(zip(self.input_names(), inputs)), f'{self.name}: predict')
        self._check_batches(len(inputs[0]), batch_size)
        if self._predictor is None:
            self._predictor = Functions(self, None, [], [])
        outputs = self._predictor.predict(inputs, batch_size, 'train' if train_mode else 'test')
        return outputs[0] if len(outputs) == 1 else outputs

    # -- what goes in and out ---------------------------------------------------------------------------------------

    def input_ports(self) -> List[Port]:
        """Where inputs go."""
        return [Port(kensor.name, (None, *kensor.shape[1:]), kensor.dtype) for kensor in self.inputs]

    def target_ports(self) -> List[Port]:
        """Where targets go."""
        return [Port(name, (None, *kensor.shape[1:]), kensor.dtype if kensor.dtype in FLOATS else B.floatx())
                for name, kensor in zip(self.output_names(), self.outputs)]

    def _read(self, x: Any, y: Any, sample_weights: Any, where: str) -> Arrays:
        inputs = read_arrays(x, self.input_ports(), f'{where}: x')
        targets = read_arrays(y, self.target_ports(), f'{where}: y')
        check_lengths({**dict(zip(self.input_names(), inputs)), **
                      {f'target {name}': it for name, it in zip(self.output_names(), targets)}}, where)
        return Arrays(inputs, targets, read_weights(sample_weights, len(
            inputs[0]), B.floatx(), f'{where}: sample_weights'))

    def _read_validation(self, given: Any) -> Optional[Arrays]:
        if given is None:
            return None
        if not isinstance(given, (tuple, list)) or len(given) not in (2, 3):
            raise ArgumentTypeError(
                f'{self.name}: validation_data: expected (x, y) or (x, y, sample_weights), received {describe(given)}.')
        return self._read(given[0], given[1], given[2] if len(given) == 3 else None, f'{self.name}: validation_data')

    def _split(self, data: Arrays, share: float) -> tuple:
        if not 0 < share < 1:
            raise ArgumentError(
                f'{self.name}: validation_split: expected a number above 0 and below 1, received {share!r}.')
        at = int(data.nb_sample * (1 - share))
        if not 0 < at < data.nb_sample:
            raise DataError(
                f'{self.name}: validation_split={share} of {data.nb_sample} sample(s) leaves none for one of the '
                'parts.')
        return data.split(at)

    def _read_metrics(self, given: Any, names: List[str]) -> List[Term]:
        if given is None:
            return []
        if len(names) == 1 and not isinstance(given, dict):
            given = {names[0]: to_list(given)}
        where = f'{self.name}: metrics'
        by_name = assign(given, names, where)
        return [Term(name, resolve('objective', one, f'{where}: '), _label(one, name if len(names) > 1 else ''))
                for name, some in by_name.items() for one in to_list(some)]

    # -- checks -----------------------------------------------------------------------------------------------------

    def _compiled(self, verb: str) -> Functions:
        self.check_runnable()
        if self._functions is None:
            raise GraphError(
                f'{self.name}: {verb} needs an optimizer and a loss. Call compile(optimizer=..., loss=...) first.')
        return self._functions

    def _batch_size(self, asked: Optional[int]) -> int:
        fixed = self.inputs[0].batch_size
        if asked is None:
            return fixed or 32
        _check_count(f'{self.name}: batch_size', asked, 1)
        if fixed and asked != fixed:
            raise ArgumentError(
                f'{self.name}: batch_size: the Inputs fix it to {fixed}, received {asked}. Leave it out.')
        return asked

    def _check_batches(self, nb_sample: int, batch_size: int) -> None:
        if self.inputs[0].batch_size and nb_sample % batch_size:
            raise DataError(f'{self.name}: {nb_sample} samples do not fill batches of {batch_size}, which the Inputs '
                            'fix. '
                            f'Use {nb_sample - nb_sample % batch_size} of them.')


class _Loop:
    """One call of ``fit``."""

    def __init__(self, model: Any, functions: Functions, data: Arrays,
                 validation: Optional[Arrays], batch_size: int, shuffle: bool):
        self.model = model
        self.functions = functions
        self.data = data
        self.validation = validation
        self.batch_size = batch_size
        self.shuffle = shuffle
        self.history: History = []

    def run(self, nb_epoch: int, callbacks: CallbackList, progress: Progress) -> History:
        self.model.stop_training = False
        callbacks.call('on_train_begin', {})
        try:
            for epoch in range(nb_epoch):
                callbacks.call('on_epoch_begin', epoch, {})
                logs = self._epoch(callbacks, progress, epoch)
                if self.validation is not None:
                    found = self.functions.evaluate(self.validation, self.batch_size)
                    logs.update({f'val_{name}': value for name, value in found.items()})
                self.history.append(logs)
                progress.epoch(epoch, logs)
                callbacks.call('on_epoch_end', epoch, logs)
                if self.model.stop_training:
                    break
        except KeyboardInterrupt:
            progress.interrupted(len(self.history))
        finally:
            progress.close()
        callbacks.call('on_train_end', dict(self.history[-1]) if self.history else {})
        return self.history

    def _epoch(self, callbacks: CallbackList, progress: Progress, epoch: int) -> Dict[str, float]:
        arrays, names = self.data.flat, self.functions.names
        step = self.functions.train(self.data.weights is not None)
        order = random.generator().permutation(self.data.nb_sample) if self.shuffle else None
        meter = self.functions.meter()
        for number, (start, stop) in enumerate(progress.bar(batches(self.data.nb_sample, self.batch_size), epoch)):
            if callbacks:
                callbacks.call('on_batch_begin', number, {'size': stop - start})
            part = slice(start, stop) if order is None else order[start:stop]
            batch = [array[part] for array in arrays]
            with interruptible():
                values = step(*batch)[0]
            meter.add(values, stop - start, batch[-1] if self.data.weights is not None else None)
            if callbacks:
                callbacks.call('on_batch_end', number, {'size': stop - start, **
                               dict(zip(names, map(float, np.asarray(values))))})
                if self.model.stop_training:
                    break
        return meter.logs()


def _check_count(where: str, value: Any, least: int) -> None:
    if isinstance(value, bool) or not hasattr(value, '__index__') or value < least:
        raise ArgumentError(f'{where}: expected an integer of at least {least}, received {value!r}.')


def _label(metric: Any, output: str) -> str:
    label = metric if isinstance(metric, str) else getattr(metric, '__name__', type(metric).__name__)
    return f'{label}({output})' if output else label
