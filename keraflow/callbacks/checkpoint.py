"""Save the model to files while it trains."""
import functools
import math
import os
from typing import Any, Dict, List, Literal, Optional, Sequence, Union

from keraflow import backend as B
from keraflow.callbacks.monitor import Mode, MonitoringCallback, check_validation
from keraflow.data.arrays import not_finite
from keraflow.deprecation import renamed
from keraflow.errors import ArgumentError, ArgumentTypeError, ModelFileError, path_in_words, warn
from keraflow.files.atomic import check_file
from keraflow.files.rotation import Rotation, candidates, series
from keraflow.files.templates import Template
from keraflow.files.tensors import read_tensors
from keraflow.schema import NonNegative, Path, PositiveInt

__all__ = ['ModelCheckpoint']


class ModelCheckpoint(MonitoringCallback):
    """Save the model while it trains: its weights, its architecture, or with `every` all that training depends on.

    Files are replaced whole, so there is a good one at any moment. What is NaN or infinite is not saved: it only causes
    a warning.

    With `every` or `keep` the files hold the training, as those of ``save_training``, and ``fit(resume=path)`` goes on
    from the newest one exactly as if it had not ended. Training is saved after the last epoch, too.

    Parameters
    ----------
    path : path, optional
        Ends with ``.safetensors``. For weights ``{epoch}``, counted from 1, and the names in the logs of an epoch are
        filled in, each with an optional format: ``'weights-{epoch:02d}-{val_loss:.3f}.safetensors'``. A name may have
        any characters, as in ``{mae(left.arm):.2f}``. Anything else in braces is an error before the first epoch;
        double a brace that is part of the path. For a training these are ``{epoch}``, ``{batch}``, of the epoch, and
        ``{step}``, of all of training.
    arch : path, optional
        Ends with ``.yaml``, ``.yml`` or ``.json``; filled in likewise.
    monitor : str
        A name in the logs of an epoch: ``'loss'``, a metric, or either with ``val_``, such as ``'val_loss'``.
        Used with `save_best_only`; a name that ``fit`` does not report is an error before the first epoch.
    save_best_only : bool
        Whether to save only an epoch that is better than all before it, including those of earlier ``fit`` calls with
        this object.
    mode : {'auto', 'min', 'max'}
        Whether lower or higher is better. ``'auto'`` asks ``larger_is_better`` of a metric and takes lower for losses;
        it is an error, before the first epoch, for a metric of the program that does not say.
    min_delta : float
        How much better than the best value so far a value must be.
    overwrite : bool
        Whether to replace existing files that this object did not write, nor the one from which training is resumed.
    every : int or 'epoch', optional
        Save the training after each as many batches, counted over all epochs, or after each epoch.
    keep : int, optional
        How many files of the training to keep, 1 by default; saves after each epoch unless `every` says otherwise. The
        newest one has the name `path`, those before it ``train.1.safetensors`` and so on, unless `path` has fields. If
        the newest one is damaged, ``fit(resume=path)`` takes the one before. The last good one is never deleted.
    on_sigterm : bool
        Whether SIGTERM, by which a system ends programs, saves the training and ends it after the batch at work, as
        Ctrl-C does. Only where `fit` is called in the main thread. The handler of the program is restored afterwards.

    Attributes
    ----------
    is_terminated : bool
        Whether there was a SIGTERM.

    Raises
    ------
    FileExistsError
        If a file exists and `overwrite` is False: before the first epoch where the path is the same for all.

    Examples
    --------
    >>> best = ModelCheckpoint('best.safetensors', monitor='val_acc', save_best_only=True)
    >>> last = ModelCheckpoint('weights-{epoch:02d}.safetensors')
    >>> training = ModelCheckpoint('train.safetensors', every=1000, keep=3, on_sigterm=True)
    """

    only_watches = True
    free_arguments = frozenset({'path', 'arch', 'overwrite', 'every', 'keep', 'on_sigterm'})

    @renamed(weights='path')
    def __init__(self, path: Optional[Path] = None, arch: Optional[Path] = None, monitor: str = 'val_loss',
                 save_best_only: bool = False, mode: Mode = 'auto', min_delta: NonNegative = 0.,
                 overwrite: bool = False, every: Union[PositiveInt, Literal['epoch'], None] = None,
                 keep: Optional[PositiveInt] = None, on_sigterm: bool = False):
        super().__init__(monitor, mode, min_delta)
        self.path = path
        self.arch = arch
        self.save_best_only = save_best_only
        self.overwrite = overwrite
        self.every = every if every is None or isinstance(every, str) else int(every)
        self.keep = keep
        self.on_sigterm = on_sigterm
        self.best: Optional[float] = None
        self.is_terminated = False
        if path is None and arch is None:
            raise ArgumentTypeError('ModelCheckpoint: expected a path for weights, arch or both, received none.')
        if self.saves_training and (path is None or arch is not None or save_best_only):
            raise ArgumentTypeError('ModelCheckpoint: expected every, keep and on_sigterm with a path alone, which is '
                                    'then that of the training, received arch or save_best_only. Pass another '
                                    'ModelCheckpoint for these.')
        self._paths = {name: os.fspath(one) for name, one in (('weights', path), ('arch', arch)) if one is not None}
        self._templates: Dict[str, Template] = {}
        self._written: List[str] = []
        self._rotation: Any = None
        self._replaces = False

    @property
    def weights(self) -> Optional[Path]:
        """The `path`, by its first name."""
        return self.path

    @property
    def saves_training(self) -> bool:
        """Whether all that training depends on is saved."""
        return self.every is not None or self.keep is not None or self.on_sigterm

    @property
    def last_file(self) -> Optional[str]:
        """The file of weights, or of the training, that it wrote last."""
        return next((path for path in reversed(self._written) if path.endswith('.safetensors')), None)

    def check_names(self, names: Sequence[str]) -> None:
        if self.saves_training:
            self._begin_series()
            return
        if self.save_best_only:
            super().check_names(names)
        self._templates = {argument: self._template(argument, path, names) for argument, path in self._paths.items()}
        for argument, template in self._templates.items():
            # A path with fields is an example, which shows whether its folder exists.
            path = template.filled({'epoch': 1, **dict.fromkeys(names, 0.)})
            # Of a training that is resumed, files that it wrote are known only later.
            may_replace = bool(template.fields) or self.resumed_from is not None or self._may_replace(path)
            self.model.check_savable(**{argument: path}, overwrite=may_replace)

    def _template(self, argument: str, path: str, names: Sequence[str]) -> Template:
        where, known = f'{self.where}: {argument}', ['epoch', *names]
        return Template(path, known, where, check_name=lambda name: check_validation(name, known, where))

    def on_epoch_end(self, epoch: int, logs: Dict[str, Any]) -> None:
        if self.saves_training:     # when all callbacks have had the epoch, see `pause`
            return
        value = logs[self.monitor] if self.save_best_only else logs['loss']
        # The last step may break the weights after a finite loss.
        if not math.isfinite(value) or not_finite(self.model.get_weights()):
            warn(f'{self.where}: epoch {epoch + 1} is not saved: there are values that are NaN or infinite.')
        elif not self.save_best_only:
            self._save(epoch, logs)
        elif self.is_better(value, self.best):
            self._save(epoch, logs)
            self.best = value

    def get_state(self) -> Any:
        return {'best': self.best, 'written': self._written}

    def check_state(self, state: Any) -> None:
        is_right = isinstance(state['best'], (int, float, type(None))) and isinstance(state['written'], list)
        if not is_right or not all(isinstance(one, str) for one in state['written']):
            raise ValueError(state)

    def set_state(self, state: Any) -> None:
        # A file that is resumed does not decide which others may be replaced or removed.
        self.best, self._written = state['best'], [one for one in state['written'] if self._is_own(one)]
        if self._rotation is not None and self._rotation.template.fields:
            self._rotation.written = [one for one in self._written if os.path.exists(one)]

    # -- the training -------------------------------------------------------------------------------------------------

    def nb_batch_until_pause(self, nb_step: int) -> Optional[int]:
        """Return after how many further batches to save, if `nb_step` are done; None if no number of batches matters.

        `fit` calls it, and no hook for batches, so that many batches still run in one call.
        """
        return self.every - nb_step % self.every if isinstance(self.every, int) else None

    def pause(self, at: Any, is_end: bool, is_terminated: bool) -> None:
        """Save if it is time to, at a position of `fit` where all callbacks have had what happened before."""
        self.is_terminated = is_terminated
        if at.part == 'train':
            is_due = isinstance(self.every, int) and at.nb_step % self.every == 0
        else:
            is_each = self.every == 'epoch' or self.every is None and self.keep is not None
            is_due = at.part == 'begin' and (is_end or is_each)
        if is_due or is_terminated and self.on_sigterm:
            self._save_training(at)

    def _begin_series(self) -> None:
        path = os.fspath(self.path)     # type: ignore[arg-type]
        if not path.endswith('.safetensors'):
            raise ArgumentError(f"{self.where}: path: expected a name that ends with .safetensors, received "
                                f"'{path_in_words(path)}'.")
        template = series(path, f'{self.where}: path')
        example = template.filled({'epoch': 1, 'batch': 0, 'step': 0})
        is_resumed = self.resumed_from in candidates(template)
        self._rotation = Rotation(template, self.keep or 1, _is_sound if is_resumed else None)
        if is_resumed and template.fields:
            self._rotation.written = [self.resumed_from]
        # Those that are resumed may be replaced, even one that is damaged.
        self._replaces = self.overwrite or is_resumed or not template.fields and example in self._written
        check_file(example, self._replaces or bool(template.fields))

    def _save_training(self, at: Any) -> None:
        values = {'epoch': at.epoch + (at.part != 'begin'), 'batch': at.nb_batch, 'step': at.nb_step}
        name = self._rotation.template.filled(values)
        if not_finite({name: B.get_value(one) for name, one in self.model.training_variables().items()}):
            warn(f'{self.where}: step {at.nb_step} is not saved: there are values that are NaN or infinite.')
            return
        if not self._replaces and name not in self._rotation.written:
            check_file(name)
        self._written = [*(one for one in self._rotation.written if one != name), name]      # the file knows of itself
        self._rotation.write(functools.partial(self.model.save_training, overwrite=True), values)
        self._written = list(self._rotation.written)

    def _save(self, epoch: int, logs: Dict[str, Any]) -> None:
        paths = {argument: template.filled({**logs, 'epoch': epoch + 1})
                 for argument, template in self._templates.items()}
        for path in paths.values():
            # Checked here: the model does not know which files this callback wrote, and may replace.
            check_file(path, self._may_replace(path))
        self.model.save_to_file(**paths, overwrite=True)
        self._written.extend(paths.values())

    def _may_replace(self, path: str) -> bool:
        return self.overwrite or path in self._written

    def _is_own(self, path: str) -> bool:
        """Return whether a path is one that this callback writes."""
        if self.saves_training:
            return path in candidates(self._rotation.template)
        return any(template.pattern('[^/\\\\]*').fullmatch(path) for template in self._templates.values())


def _is_sound(path: str) -> bool:
    try:
        read_tensors(path)
    except (ModelFileError, OSError):
        return False
    return True
