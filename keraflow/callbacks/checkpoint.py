"""Save the model to files while it trains."""
import math
import os
import re
from typing import Any, Dict, List, Optional, Sequence, Tuple

import numpy as np

from keraflow.callbacks.monitor import Mode, MonitoringCallback, check_name
from keraflow.errors import ArgumentError, ArgumentTypeError, KeraFlowError, warn
from keraflow.files.atomic import check_file
from keraflow.schema import NonNegative, Path

__all__ = ['ModelCheckpoint']


class ModelCheckpoint(MonitoringCallback):
    """Save the model after an epoch: its weights, its architecture, or both.

    Files are replaced whole, so there is a good one at any moment. An epoch whose loss or weights are NaN or infinite
    is not saved: it only causes a warning.

    Parameters
    ----------
    weights : path, optional
        Ends with ``.safetensors``. ``{epoch}``, counted from 1, and the names in the logs of an epoch are filled in,
        each with an optional format: ``'weights-{epoch:02d}-{val_loss:.3f}.safetensors'``. A name may have any
        characters, as in ``{mae(left.arm):.2f}``. Anything else in braces is an error before the first epoch; double a
        brace that is part of the path.
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
        Whether to replace existing files that this object did not write.

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
                # A path with fields is an example, which shows whether its folder exists.
                path, fields = _filled(template, {'epoch': 1, **dict.fromkeys(names, 0.)}, where)
            except KeraFlowError:   # some are a ValueError, too
                raise
            except ValueError:
                raise ArgumentError(f"{where}: expected names such as {{epoch:02d}}, received '{template}'. "
                                    'Write a name and a format, and twice a brace that is part of the path.') from None
            self.model.check_savable(**{argument: path}, overwrite=bool(fields) or self._may_replace(path))

    def on_epoch_end(self, epoch: int, logs: Dict[str, Any]) -> None:
        value = logs[self.monitor] if self.save_best_only else logs['loss']
        # The last step may break the weights after a finite loss.
        if not math.isfinite(value) or not _all_finite(self.model.get_weights()):
            warn(f'{self.where}: epoch {epoch + 1} is not saved: there are values that are NaN or infinite.')
        elif not self.save_best_only:
            self._save(epoch, logs)
        elif self.is_better(value, self.best):
            self._save(epoch, logs)
            self.best = value

    def _save(self, epoch: int, logs: Dict[str, Any]) -> None:
        paths = {argument: _filled(template, {**logs, 'epoch': epoch + 1}, f'{self.where}: {argument}')[0]
                 for argument, template in self._templates.items()}
        for path in paths.values():
            # Checked here: the model does not know which files this callback wrote, and may replace.
            check_file(path, self._may_replace(path))
        self.model.save_to_file(**paths, overwrite=True)
        self._written.extend(paths.values())

    def _may_replace(self, path: str) -> bool:
        return self.overwrite or path in self._written


def _filled(template: str, values: Dict[str, Any], where: str) -> Tuple[str, List[str]]:
    """Fill in a template; return the path and the names in it. The names are known, so they may have dots and braces,
    which ``str.format`` would read as attributes and fields. Raise ValueError for anything else in braces."""
    fields: List[str] = []
    # Longest first: '{a:b}' is the name 'a:b' if there is one, and otherwise 'a' in the format 'b'.
    known = '|'.join(re.escape(name) for name in sorted(values, key=len, reverse=True))

    def fill(match: 're.Match') -> str:
        if match['sign']:
            return match['sign'][0]
        if match['other'] is not None:
            check_name(match['other'], list(values), where)     # raises: it is none of them
        if match['name'] is None:
            raise ValueError(template)
        fields.append(match['name'])
        return format(values[match['name']], match['format'] or '')

    pattern = (rf'\{{(?P<name>{known})(?::(?P<format>[^{{}}]*))?\}}|(?P<sign>\{{\{{|\}}\}})'
               r'|\{(?P<other>[^{}!:]*)(?::[^{}]*)?\}|[{}]')
    return re.sub(pattern, fill, template), fields


def _all_finite(weights: Dict[str, Any]) -> bool:
    return all(np.isfinite(array).all() for array in weights.values())
