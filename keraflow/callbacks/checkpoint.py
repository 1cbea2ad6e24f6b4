"""The model in files, while it trains."""
import math
import os
import string
from typing import Any, Dict, List, Optional, Sequence

import numpy as np

from keraflow.callbacks.monitor import Mode, MonitoringCallback, check_name
from keraflow.errors import ArgumentError, ArgumentTypeError, KeraFlowError, warn
from keraflow.files.atomic import check_file
from keraflow.schema import NonNegative, Path

__all__ = ['ModelCheckpoint']


class ModelCheckpoint(MonitoringCallback):
    """Save the model after an epoch: its weights, its architecture, or both.

    A file is replaced as a whole, so that there is a good one at any moment. A loss that is NaN or infinite, or
    weights that are, replace nothing: there is a warning instead.

    Parameters
    ----------
    weights : path, optional
        Ends with ``.safetensors``. ``{epoch}``, counted from 1, and the names in the logs of an epoch are filled in as
        by ``str.format``: ``'weights-{epoch:02d}-{val_loss:.3f}.safetensors'``. All else in braces is an error before
        the first epoch.
    arch : path, optional
        Ends with ``.yaml``, ``.yml`` or ``.json``; filled in likewise.
    monitor : str
        A name in the logs of an epoch: ``'loss'``, a metric, or one of both of the validation, such as ``'val_loss'``.
        Used with `save_best_only`; a name that ``fit`` does not report is an error before the first epoch.
    save_best_only : bool
        Whether only an epoch that is better than all before it, those of an earlier ``fit`` with this object included,
        is saved.
    mode : {'auto', 'min', 'max'}
        Whether less or more is better. ``'auto'``: more for a name with ``acc``, ``auc``, ``precision`` or ``recall``
        in it, else less.
    min_delta : float
        By how much a value must exceed the best one so far in order to be better.
    overwrite : bool
        Whether files that exist are replaced, beside those that this object wrote.

    Raises
    ------
    FileExistsError
        If a file exists and `overwrite` is False: before the first epoch where the path is the same for all.

    Examples
    --------
    >>> best = ModelCheckpoint('best.safetensors', monitor='val_acc', save_best_only=True)
    >>> last = ModelCheckpoint('weights-{epoch:02d}.safetensors')
    """

    def __init__(self, weights: Optional[Path] = None, arch: Optional[Path] = None, monitor: str = 'val_loss',
                 save_best_only: bool = False, mode: Mode = 'auto', min_delta: NonNegative = 0.,
                 overwrite: bool = False):
        super().__init__(monitor, mode, min_delta)
        self.weights = weights
        self.arch = arch
        self.save_best_only = save_best_only
        self.overwrite = overwrite
        self.best: Optional[float] = None
        if weights is None and arch is None:
            raise ArgumentTypeError('ModelCheckpoint: expected a path for weights, arch or both, received none.')
        self._templates = {name: os.fspath(path) for name, path in (('weights', weights), ('arch', arch))
                           if path is not None}
        self._written: List[str] = []

    def check_names(self, names: Sequence[str]) -> None:
        if self.save_best_only:
            super().check_names(names)
        for argument, template in self._templates.items():
            where = f'{self.where}: {argument}'
            try:
                fields = _fields(template)
                for field in fields:
                    check_name(field, ['epoch', *names], where)
                # A path with fields is an example, which shows whether its folder exists.
                path = _filled(template, 0, dict.fromkeys(names, 0.))
            except KeraFlowError:
                raise
            except ValueError:
                raise ArgumentError(f"{where}: expected names such as {{epoch:02d}}, received '{template}'. "
                                    'Write a name and a format, and twice a brace that is part of the path.') from None
            self.model.check_savable(**{argument: path}, overwrite=bool(fields) or self._may_replace(path))

    def on_epoch_end(self, epoch: int, logs: Dict[str, Any]) -> None:
        value = logs[self.monitor] if self.save_best_only else logs['loss']
        if not math.isfinite(value) or not _all_finite(self.model.get_weights()):
            warn(f'{self.where}: epoch {epoch + 1} is not saved: there are values that are NaN or infinite.')
        elif not self.save_best_only:
            self._save(epoch, logs)
        elif self.is_better(value, self.best):
            self._save(epoch, logs)
            self.best = value

    def _save(self, epoch: int, logs: Dict[str, Any]) -> None:
        paths = {argument: _filled(template, epoch, logs) for argument, template in self._templates.items()}
        for path in paths.values():
            check_file(path, self._may_replace(path))
        self.model.save_to_file(**paths, overwrite=True)
        self._written.extend(paths.values())

    def _may_replace(self, path: str) -> bool:
        return self.overwrite or path in self._written


def _fields(template: str) -> List[str]:
    """What stands in braces before the formats; a ValueError where it is more than names and formats."""
    parts = [part for part in string.Formatter().parse(template) if part[1] is not None]
    for _, _, spec, conversion in parts:
        if conversion or '{' in (spec or ''):
            raise ValueError(template)
    return [str(name) for _, name, _, _ in parts]


def _filled(template: str, epoch: int, values: Dict[str, Any]) -> str:
    return template.format(**{**values, 'epoch': epoch + 1})


def _all_finite(weights: Dict[str, Any]) -> bool:
    return all(np.isfinite(array).all() for array in weights.values())
