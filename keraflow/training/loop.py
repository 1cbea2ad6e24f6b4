"""Run one call of ``fit``: epochs, batches, callbacks."""
import contextlib
import math
import threading
import time
from typing import Any, Callable, Dict, Iterable, Iterator, List, Optional

import numpy as np

from keraflow.backend.refusals import NotFinite
from keraflow.callbacks import CallbackList, History, ModelCheckpoint
from keraflow.data.batch_sources import BatchSource
from keraflow.data.windows import Portion, Window
from keraflow.errors import DataError, GraphError, NotFiniteError, warn
from keraflow.training.finite import not_finite_in_fit
from keraflow.training.functions import CompiledFunctions
from keraflow.training.model_function import ModelLoop
from keraflow.training.position import Position
from keraflow.training.progress import Progress, interruptible
from keraflow.training.scores import Scores
from keraflow.training.termination import Terminated, Termination

__all__ = ['Loop', 'check_not_training', 'loop_of']

_END = object()

#: The number of batches that a validation of unknown length may have, even if an epoch of training has few.
_MAX_NB_VAL_BATCH = 1000

#: The loops of the models in training, by the ``id()`` of the model, which its loop keeps alive.
_training: Dict[int, 'Loop'] = {}


def check_not_training(model: Any, where: str, advice: str) -> None:
    """Raise if a model is in training, for changes that would not reach the running ``fit``."""
    if id(model) in _training:
        raise GraphError(f'{where}: the model is in training, by a fit that has not returned. {advice}')


def loop_of(model: Any) -> Optional['Loop']:
    """Return the loop of a model in training."""
    return _training.get(id(model))


class Loop:
    """Train a model on one source of batches, and evaluate it on another after each epoch.

    Attributes
    ----------
    at : Position
        How far training is.
    changes : list of dict
        What was changed when training was resumed, and where that was.
    """

    def __init__(self, model: Any, functions: CompiledFunctions, source: BatchSource, validation: Optional[BatchSource],
                 callbacks: CallbackList, progress: Progress, on_nan: str = 'raise'):
        self.model = model
        self.functions = functions
        self.source = source
        self.validation = validation
        self.callbacks = callbacks
        self.progress = progress
        self.on_nan = on_nan
        self.history = History()
        self.at = Position(functions)
        self.changes: List[Dict[str, Any]] = []
        self.first_epoch = 0
        self.thread = threading.get_ident()
        self.prepared: List[ModelLoop] = []     # those that were told how many steps follow
        self._waited = 0.
        self._nb_epoch = 0
        self._has_warned_about_nan = False
        self._not_finite: Optional[NotFiniteError] = None       # of the batch that was left out last
        self._is_ended_by_nan = False
        self._checkpoints = [one for one in callbacks.callbacks
                             if isinstance(one, ModelCheckpoint) and one.saves_training]
        self._termination = Termination(any(one.on_sigterm for one in self._checkpoints), f'{model.name}: fit')

    def run(self, epochs: range, resume: Optional[Callable[[], None]] = None) -> History:
        """Train, and return the logs of all complete epochs; before that, call `resume`.

        Raises
        ------
        GraphError
            If the model is being trained already.
        """
        # In one step, because two threads may begin at once.
        if _training.setdefault(id(self.model), self) is not self:
            raise GraphError(f'{self.model.name}: fit: the model is in training, by a fit that has not returned. Call '
                             'fit after it, and not in a callback of it, or train copy.deepcopy(model).')
        self._nb_epoch, self.first_epoch, self.at.epoch = len(epochs), epochs.start, epochs.start
        self.functions.guard(self.on_nan != 'ignore')
        try:
            if resume is not None:
                resume()
            self._run_epochs(epochs)
        except BaseException as error:
            self.callbacks.close(error)
            raise
        else:
            self.callbacks.close()
        finally:
            del _training[id(self.model)]
        return self.history

    def is_resumable(self) -> bool:
        """Return whether it is known how far training is: between batches, or in a hook of the thread that trains."""
        running = self.callbacks.running
        return self.thread == threading.get_ident() and self.at.is_known and \
            (running is None or running[0] not in ('check_names', 'close'))

    def _run_epochs(self, epochs: range) -> None:
        at = self.at
        self.model.stop_training = at.is_stopped
        names = self.functions.names
        self.callbacks.call('check_names', names if self.validation is None else
                            [*names, *(f'val_{name}' for name in names)])
        for source in (self.source, self.validation) if self._checkpoints else ():
            if source is not None:
                source.fingerprint()        # before the program can write into its arrays
        try:
            with self._termination:
                self.callbacks.call('on_train_begin', {})
                self._begin_again()
                while at.epoch < epochs.stop and not at.is_stopped or at.part != 'begin':
                    self._run_epoch()
                    at.is_stopped = self.model.stop_training
        except (KeyboardInterrupt, Terminated) as error:
            at.is_known = at.is_known and self.callbacks.running is None     # else some hooks were called and some not
            self.progress.interrupted(len(self.history), 'Saved and ended by SIGTERM' if isinstance(error, Terminated)
                                      else 'Interrupted')
        finally:
            self.progress.close()
            for source in (self.source, self.validation):
                if source is not None:
                    source.close()
        self.callbacks.call('on_train_end', dict(self.history[-1]) if self.history else {})

    def _begin_again(self) -> None:
        """Give callbacks their states, and finish the hook in which training was saved, if training is resumed."""
        at = self.at
        self.callbacks.restore(at.states)
        hook, at.states, at.hook = at.hook, {}, None
        if hook is not None:
            method, number, args = hook
            self.callbacks.call(method, *args, first=number + 1)
            at.is_batch_announced = method == 'on_batch_begin'
            if method == 'on_epoch_end':
                self._end_epoch()
            at.is_stopped = self.model.stop_training

    def _run_epoch(self) -> None:
        at = self.at
        if at.part == 'begin':
            at.begin()
            self.callbacks.call('on_epoch_begin', at.epoch, {})
        start, self._waited = time.perf_counter(), 0.
        if at.part == 'train':
            self._train_epoch()
        wait = self._waited / (time.perf_counter() - start)
        logs = self._epoch_logs()
        if self.validation is not None:
            logs.update({f'val_{name}': value for name, value in self._validate(self.validation).items()})
        self.history.append(Scores(logs))
        self.history.data_wait.append(wait)
        self.history.nb_skipped.append(at.nb_left_out)
        at.part = 'end'
        self.progress.epoch(at.epoch, logs, wait if self.source.is_read_ahead else None, at.nb_left_out)
        self._warn_about_nan(at.epoch, logs['loss'])
        self.callbacks.call('on_epoch_end', at.epoch, {**logs, 'data_wait': wait})
        self._end_epoch()

    def _epoch_logs(self) -> Dict[str, float]:
        """Return what an epoch has added up."""
        at, left_out = self.at, self._not_finite
        if left_out is None or at.nb_batch > at.nb_left_out:
            logs = at.meter.logs()
        elif not self.model.stop_training:
            raise left_out
        else:
            logs = dict.fromkeys(self.functions.names, math.nan)
        if left_out is not None and self._is_ended_by_nan:
            logs['loss'] = left_out.value
        return logs

    def _end_epoch(self) -> None:
        self.at.end()
        self._pause(is_end=self.model.stop_training or self.at.epoch == self.first_epoch + self._nb_epoch)

    def _pause(self, is_end: bool = False) -> None:
        """Save training where that is due: between batches, epochs or those of a validation, with all hooks called."""
        for one in self._checkpoints:
            one.pause(self.at, is_end, self._termination.is_asked)
        if self._termination.is_asked:
            raise Terminated

    def _warn_about_nan(self, epoch: int, loss: float) -> None:
        """Warn, once, about a loss that is no longer a number, unless a callback has ended training because of it."""
        if not math.isfinite(loss) and not self._has_warned_about_nan and not self.model.stop_training:
            self._has_warned_about_nan = True
            warn(f'{self.model.name}: fit: the loss of epoch {epoch + 1} is {loss}, and the weights may be lost. The '
                 'callback TerminateOnNaN ends training there, with those of before the epoch. Try a lower learning '
                 'rate, or clipnorm.')

    def _train_epoch(self) -> None:
        """Train on the batches of an epoch that are left."""
        at, follows = self.at, self.callbacks.follow_batches
        with self._drawing():
            epoch = self.source.epoch(at.nb_batch, follows)
        with epoch as portions:
            self.progress.start(at.epoch, self.source.nb_batch)
            self.progress.advance(at.nb_batch)
            if not (self.model.stop_training and at.nb_batch):      # it may be resumed where it was stopped
                self._train_on(self._timed(portions), follows)
        at.nb_in_epoch, at.part = at.nb_batch, 'validate'

    def _drawing(self) -> contextlib.AbstractContextManager:
        """Draw the order of samples inside the block: another one, or for an epoch that is resumed the same again."""
        stream = self.model._stream
        if self.at.order is not None:
            return stream.drawing_again(self.at.order)
        self.at.order = stream.before_order()
        return contextlib.nullcontext()

    def _train_on(self, portions: Iterable[Portion], follows: bool) -> None:
        train = self._train_one if follows else self._train_some
        for portion in portions:
            self.at.take(portion)
            loop = self._loop_for(portion.window)
            for rows in self._parts(loop, portion.indices, follows):
                train(loop, portion.window, rows)
                self.progress.advance(len(rows))
                self._pause()
                if self.model.stop_training:
                    return

    def _parts(self, loop: ModelLoop, indices: np.ndarray, follows: bool) -> Iterator[np.ndarray]:
        """Yield some batches at a time."""
        while len(indices):
            # Training may have to be saved after a certain batch.
            some = indices[:self._nb_until_pause()]
            indices = indices[len(some):]
            yield from some[:, None] if follows else loop.pace.parts(some)

    def _nb_until_pause(self) -> Optional[int]:
        """Return how many batches may be run before training must be saved; None if there is no such number."""
        numbers = [one.nb_batch_until_pause(self.at.nb_step) for one in self._checkpoints]
        return min((number for number in numbers if number is not None), default=None)

    def _loop_for(self, window: Window) -> ModelLoop:
        loop = self.functions.train_loop(window.arrays.weighting)
        # How many batches an iterable has shows in the first epoch.
        nb_batch = self.source.nb_batch or self.at.nb_in_epoch
        if nb_batch and loop not in self.prepared:
            self.prepared.append(loop)
            loop.prepare(nb_batch * (self._nb_epoch - len(self.history)))
        return loop

    def _train_some(self, loop: ModelLoop, window: Window, rows: np.ndarray) -> None:
        """Train on some batches."""
        while len(rows) and not self.model.stop_training:
            with interruptible():
                stop = self.at.meter.run(loop, window, rows)
                nb_done = len(rows) if stop is None else stop.nb_done + 1
                self.at.advance(nb_done)
            rows = rows[nb_done:]
            if stop is not None:
                self._leave_out(stop)

    def _train_one(self, loop: ModelLoop, window: Window, rows: np.ndarray) -> None:
        """Train on one batch, for callbacks that have hooks for it."""
        at, size = self.at, {'size': rows.shape[1]}
        if not at.is_batch_announced:
            self.callbacks.call('on_batch_begin', at.nb_batch, size)
        at.is_batch_announced = False
        stop: Optional[NotFinite] = None
        with interruptible():
            try:
                logs = self.functions.read(at.meter.run_one(loop, window, rows))
            except NotFinite as error:
                stop, logs = error, {**dict.fromkeys(self.functions.names, math.nan), 'loss': error.value}
            at.advance(1)
        self.callbacks.call('on_batch_end', at.nb_batch - 1, {**size, **logs})
        if stop is not None:
            self._leave_out(stop)

    def _leave_out(self, stop: NotFinite) -> None:
        """Go on without the latest batch, which has changed nothing, or raise."""
        at, files = self.at, [one.last_file for one in self.callbacks.callbacks if isinstance(one, ModelCheckpoint)]
        at.nb_left_out += 1
        self._not_finite = not_finite_in_fit(self.model, stop, at.epoch, at.nb_batch - 1,
                                             next((path for path in files if path is not None), None))
        self.callbacks.call('on_not_finite', self._not_finite)
        if self.model.stop_training:
            self._is_ended_by_nan = True
        elif self.on_nan == 'raise':
            raise self._not_finite
        elif not self._has_warned_about_nan:
            self._has_warned_about_nan = True
            warn(f'{self.model.name}: fit: epoch {at.epoch + 1}: {self._not_finite.problem}. This batch is skipped, '
                 'and so will be others like it: nb_skipped of the history counts them.')

    def _validate(self, source: BatchSource) -> Dict[str, float]:
        at = self.at
        with source.epoch(at.nb_val_batch) as portions:
            for nb_batch in self.functions.evaluating(self._finite(self._timed(portions)), at.val_meter):
                at.advance_val(nb_batch)
                self._pause()
        return at.val_meter.logs()

    def _finite(self, portions: Iterable[Portion]) -> Iterator[Portion]:
        """Yield the batches of a validation, and raise if there are so many that they may never end."""
        at = self.at
        limit = max(_MAX_NB_VAL_BATCH, 10 * at.nb_batch, self.validation.nb_batch or 0)  # type: ignore[union-attr]
        number = at.nb_val_batch
        for portion in portions:
            number += portion.nb_batch
            if number > limit:
                raise DataError(f'{self.model.name}: validation_data: expected batches that end, received more than '
                                f'{limit}. Pass nb_val_batch, the number of batches of each validation.')
            at.take_val(portion)
            yield portion

    def _timed(self, portions: Iterable[Portion]) -> Iterator[Portion]:
        """Yield batches, and add up the time spent waiting for them."""
        iterator = iter(portions)
        while True:
            start = time.perf_counter()
            try:
                with self._termination.waiting():
                    portion = next(iterator, _END)
            except Terminated:
                self._pause()
                raise
            self._waited += time.perf_counter() - start
            if portion is _END:
                return
            yield portion  # type: ignore[misc]
