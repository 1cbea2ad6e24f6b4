"""Run one call of ``fit``: epochs, batches, callbacks."""
import math
import time
from typing import Any, Dict, Iterable, Iterator, List, Optional

import numpy as np

from keraflow.callbacks import CallbackList, History
from keraflow.data.batch_sources import BatchSource
from keraflow.data.windows import Portion, Window
from keraflow.errors import DataError, GraphError, warn
from keraflow.training.functions import CompiledFunctions
from keraflow.training.model_function import ModelLoop
from keraflow.training.progress import Progress, interruptible
from keraflow.training.scores import Scores
from keraflow.training.totals import Meter

__all__ = ['Loop', 'check_not_training']

_END = object()

#: The number of batches that a validation of unknown length may have, even if an epoch of training has few.
_MAX_NB_VAL_BATCH = 1000

#: The loops of the models in training, by the ``id()`` of the model, which its loop keeps alive.
_training: Dict[int, 'Loop'] = {}


def check_not_training(model: Any, where: str, advice: str) -> None:
    """Raise if a model is in training, for changes that would not reach the running ``fit``."""
    if id(model) in _training:
        raise GraphError(f'{where}: the model is in training, by a fit that has not returned. {advice}')


class Loop:
    """Train a model on one source of batches, and evaluate it on another after each epoch."""

    def __init__(self, model: Any, functions: CompiledFunctions, source: BatchSource, validation: Optional[BatchSource],
                 callbacks: CallbackList, progress: Progress):
        self.model = model
        self.functions = functions
        self.source = source
        self.validation = validation
        self.callbacks = callbacks
        self.progress = progress
        self.history = History()
        self._prepared: List[ModelLoop] = []    # those that were told how many steps follow
        self._waited = 0.
        self._nb_epoch = 0
        self._has_warned_about_nan = False
        self._nb_trained = 0    # batches in the latest epoch
        self._nb_in_epoch = 0   # those of the one before

    def run(self, epochs: range) -> History:
        """Train, and return the logs of all complete epochs.

        Raises
        ------
        GraphError
            If the model is being trained already.
        """
        # In one step, because two threads may begin at once.
        if _training.setdefault(id(self.model), self) is not self:
            raise GraphError(f'{self.model.name}: fit: the model is in training, by a fit that has not returned. Call '
                             'fit after it, and not in a callback of it, or train copy.deepcopy(model).')
        self._nb_epoch = len(epochs)
        try:
            self._run_epochs(epochs)
        except BaseException as error:
            self.callbacks.close(error)
            raise
        else:
            self.callbacks.close()
        finally:
            del _training[id(self.model)]
        return self.history

    def _run_epochs(self, epochs: Iterable[int]) -> None:
        self.model.stop_training = False
        names = self.functions.names
        self.callbacks.call('check_names', names if self.validation is None else
                            [*names, *(f'val_{name}' for name in names)])
        try:
            self.callbacks.call('on_train_begin', {})
            for epoch in epochs:
                self.callbacks.call('on_epoch_begin', epoch, {})
                self._run_epoch(epoch)
                if self.model.stop_training:
                    break
        except KeyboardInterrupt:
            self.progress.interrupted(len(self.history))
        finally:
            self.progress.close()
            for source in (self.source, self.validation):
                if source is not None:
                    source.close()
        self.callbacks.call('on_train_end', dict(self.history[-1]) if self.history else {})

    def _run_epoch(self, epoch: int) -> None:
        start, self._waited = time.perf_counter(), 0.
        logs = self._train_epoch(epoch)
        wait = self._waited / (time.perf_counter() - start)
        if self.validation is not None:
            with self.validation.epoch() as portions:
                found = self.functions.evaluate(self._finite(portions))
            logs.update({f'val_{name}': value for name, value in found.items()})
        self.history.append(Scores(logs))
        self.history.data_wait.append(wait)
        self.progress.epoch(epoch, logs, wait if self.source.is_read_ahead else None)
        self._warn_about_nan(epoch, logs['loss'])
        self.callbacks.call('on_epoch_end', epoch, {**logs, 'data_wait': wait})

    def _warn_about_nan(self, epoch: int, loss: float) -> None:
        """Warn, once, about a loss that is no longer a number, unless a callback has ended training because of it."""
        if not math.isfinite(loss) and not self._has_warned_about_nan and not self.model.stop_training:
            self._has_warned_about_nan = True
            warn(f'{self.model.name}: fit: the loss of epoch {epoch + 1} is {loss}, and the weights may be lost. The '
                 'callback TerminateOnNaN ends training there, with those of before the epoch. Try a lower learning '
                 'rate, or clipnorm.')

    def _train_epoch(self, epoch: int) -> Dict[str, float]:
        meter, follows = self.functions.meter(), self.callbacks.follow_batches
        train = self._train_one if follows else self._train_some
        self._nb_in_epoch, self._nb_trained = self._nb_trained, 0
        with self.source.epoch() as portions:
            self.progress.start(epoch, self.source.nb_batch)
            for portion in self._timed(portions):
                loop, indices = self._loop_for(portion.window), portion.indices
                for rows in indices[:, None] if follows else loop.pace.parts(indices):
                    train(loop, portion.window, rows, meter)
                    self._nb_trained += len(rows)
                    self.progress.advance(len(rows))
                    if self.model.stop_training:
                        return meter.logs()
        return meter.logs()

    def _loop_for(self, window: Window) -> ModelLoop:
        loop = self.functions.train_loop(window.arrays.weighting)
        # How many batches an iterable has shows in the first epoch.
        nb_batch = self.source.nb_batch or self._nb_in_epoch
        if nb_batch and loop not in self._prepared:
            self._prepared.append(loop)
            loop.prepare(nb_batch * (self._nb_epoch - len(self.history)))
        return loop

    def _train_some(self, loop: ModelLoop, window: Window, rows: np.ndarray, meter: Meter) -> None:
        """Train on some batches."""
        with interruptible():
            meter.run(loop, window, rows)

    def _train_one(self, loop: ModelLoop, window: Window, rows: np.ndarray, meter: Meter) -> None:
        """Train on one batch, for callbacks that have hooks for it."""
        size = {'size': rows.shape[1]}
        self.callbacks.call('on_batch_begin', self._nb_trained, size)
        with interruptible():
            totals = meter.run_one(loop, window, rows)
        self.callbacks.call('on_batch_end', self._nb_trained, {**size, **self.functions.read(totals)})

    def _finite(self, portions: Iterable[Portion]) -> Iterator[Portion]:
        """Yield the batches of a validation, and raise if there are so many that they may never end."""
        limit = max(_MAX_NB_VAL_BATCH, 10 * self._nb_trained, self.validation.nb_batch or 0)  # type: ignore[union-attr]
        number = 0
        for portion in portions:
            number += portion.nb_batch
            if number > limit:
                raise DataError(f'{self.model.name}: validation_data: expected batches that end, received more than '
                                f'{limit}. Pass nb_val_batch, the number of batches of each validation.')
            yield portion

    def _timed(self, portions: Iterable[Portion]) -> Iterator[Portion]:
        """Yield batches, and add up the time spent waiting for them."""
        iterator = iter(portions)
        while True:
            start = time.perf_counter()
            portion = next(iterator, _END)
            self._waited += time.perf_counter() - start
            if portion is _END:
                return
            yield portion  # type: ignore[misc]
