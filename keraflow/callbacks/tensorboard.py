"""Log for TensorBoard."""
import os
import platform
import time
from typing import Any, Dict

from keraflow.callbacks.callback import CheckedCallback
from keraflow.extras import load_extra
from keraflow.schema import Path

__all__ = ['TensorBoard']


class TensorBoard(CheckedCallback):
    """Write the logs of each epoch for TensorBoard, with TensorBoard's own package.

    ``tensorboard --logdir PATH`` shows training and validation as the two runs ``train`` and ``validation``, in which
    a loss or metric has the same name. The learning rate is shown as ``lr``. Epochs are counted from 1.

    Needs the extra ``keraflow[tensorboard]``. An epoch is on disk when it ends, and files are closed in between. Each
    ``fit`` writes its own files.

    Parameters
    ----------
    path : path
        A folder, created if it does not exist.

    Raises
    ------
    MissingPackageError
        If tensorboard is not installed.

    Examples
    --------
    >>> TensorBoard('logs').path
    'logs'
    """

    only_watches = True
    free_arguments = frozenset({'path'})

    def __init__(self, path: Path):
        self.path = path
        self._events = load_extra('tensorboard.compat.proto.event_pb2', 'tensorboard', 'TensorBoard')
        self._summaries = load_extra('tensorboard.compat.proto.summary_pb2', 'tensorboard', 'TensorBoard')
        self._records = load_extra('tensorboard.summary.writer.record_writer', 'tensorboard', 'TensorBoard')
        self._files: Dict[str, str] = {}

    def on_train_begin(self, logs: Dict[str, Any]) -> None:
        self._files = {}

    def on_epoch_end(self, epoch: int, logs: Dict[str, Any]) -> None:
        runs: Dict[str, Dict[str, float]] = {'train': {}, 'validation': {}}
        for name, value in logs.items():
            runs['validation' if name.startswith('val_') else 'train'][name.removeprefix('val_')] = value
        runs['train']['lr'] = self.model.optimizer.current_lr
        for run, values in runs.items():
            if values:
                self._write(run, epoch + 1, values)

    def get_state(self) -> Any:
        return None     # a training that is resumed writes files of its own

    def set_state(self, state: Any) -> None:
        pass

    def _write(self, run: str, step: int, values: Dict[str, float]) -> None:
        value_of = self._summaries.Summary.Value
        summary = self._summaries.Summary(value=[value_of(tag=name, simple_value=it) for name, it in values.items()])
        events = [self._events.Event(wall_time=time.time(), step=step, summary=summary)]
        if run not in self._files:
            self._files[run] = self._new_file(run)
            # The first record of a file must name the version of its format.
            events.insert(0, self._events.Event(wall_time=time.time(), file_version='brain.Event:2'))
        with open(self._files[run], 'ab') as file:
            writer = self._records.RecordWriter(file)
            for event in events:
                writer.write(event.SerializeToString())

    def _new_file(self, run: str) -> str:
        folder = os.path.join(os.fspath(self.path), run)
        os.makedirs(folder, exist_ok=True)
        # TensorBoard reads the files of a folder in the order of their names, which begin with the time.
        return os.path.join(folder, f'events.out.tfevents.{time.time_ns()}.{platform.node()}.{os.getpid()}')
