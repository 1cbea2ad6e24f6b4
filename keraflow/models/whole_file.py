"""The layout of the file of a whole model: what its metadata and its tensors are."""
import os
from typing import Dict, Mapping, NamedTuple, Optional

import numpy as np

from keraflow.files.limits import Limits
from keraflow.files.refusal import excerpt, refusal
from keraflow.files.tensors import read_tensors
from keraflow.models.probes import INPUTS, OUTPUTS
from keraflow.models.weight_files import ONE_FILE, PREDICTIONS, WEIGHTS
from keraflow.schema import Path
from keraflow.serialization.values import is_note

__all__ = ['FORMAT', 'VERSION', 'Content', 'check_name', 'is_whole', 'read_content']

FORMAT, VERSION = 'keraflow-model', 1
_OPTIMIZER = 'optimizer/'
_KEYS = ('format', 'version', 'architecture', PREDICTIONS, 'model', 'compile', 'training', 'probes')


class Content(NamedTuple):
    """What is in a file: weights by name; slots of the optimizer and probes by the names of their tensors."""

    metadata: Dict[str, str]
    weights: Dict[str, np.ndarray]
    slots: Dict[str, np.ndarray]
    probes: Dict[str, np.ndarray]


def is_whole(path: Path) -> bool:
    """Return whether a file with this name holds a whole model."""
    return os.fspath(path).endswith(ONE_FILE)


def check_name(path: Path, instead: str) -> None:
    """Raise unless a file with this name holds a whole model; `instead` is what to write for two files."""
    if not is_whole(path):
        raise refusal(os.fspath(path), f'a whole model is one file {ONE_FILE}. Let the name end with it, or write '
                                       f'{instead}.')


def read_content(path: Path, limits: Optional[Limits] = None) -> Content:
    """Read the file of a whole model.

    Raises
    ------
    ModelFileError
        If the file is damaged or is of another kind.
    """
    where = os.fspath(path)
    arrays, metadata = read_tensors(path, limits or Limits())
    _check_metadata(metadata, where)
    other = [name for name in arrays if not name.startswith((WEIGHTS, _OPTIMIZER, INPUTS, OUTPUTS))]
    if other:
        raise refusal(where, f'the tensor {excerpt(other[0])} is neither a weight nor a slot of the optimizer.')
    return Content(metadata,
                   {name[len(WEIGHTS):]: one for name, one in arrays.items() if name.startswith(WEIGHTS)},
                   {name: one for name, one in arrays.items() if name.startswith(_OPTIMIZER)},
                   {name: one for name, one in arrays.items() if name.startswith((INPUTS, OUTPUTS))})


def _check_metadata(metadata: Mapping[str, str], where: str) -> None:
    if metadata.get('format') != FORMAT:
        other = ' It holds weights alone: write model.load_weights.' if metadata.get('format') == 'keraflow' else ''
        raise refusal(where, f'this is not the file of a whole model, as model.save writes it.{other}')
    version = metadata.get('version', '')
    if version != str(VERSION):
        raise refusal(where, f'the file has format version {excerpt(version)}, this keraflow reads {VERSION}. '
                             'Install the keraflow that wrote it, or a newer one.')
    unknown = [key for key in metadata if key not in _KEYS and not is_note(key)]
    lacking = [key for key in ('architecture', 'model') if key not in metadata]
    if unknown or lacking or ('compile' in metadata) != ('training' in metadata):
        raise refusal(where, f"its metadata are damaged: unknown {excerpt(unknown)}, lacking {excerpt(lacking)}.")
