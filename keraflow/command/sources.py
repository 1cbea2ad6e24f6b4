"""What a file of keraflow holds, as plain data and arrays: nothing is built, and no backend is opened."""
import os
from typing import Any, Dict, NamedTuple, Optional

import numpy as np

# These imports fill the registry.
from keraflow import layers, metrics, models, preprocessing, registry, schedules  # noqa: F401
from keraflow.errors import SerializationError
from keraflow.files.json_text import parse_json
from keraflow.files.limits import Limits
from keraflow.files.plaindata import EXTENSIONS, read_plain
from keraflow.files.refusal import refusal
from keraflow.files.regular import open_regular
from keraflow.files.tensor_header import LENGTH_BYTES, parse_header, read_length
from keraflow.files.tensors import DIGEST, read_tensors
from keraflow.models.plans import model_data
from keraflow.models.weight_files import FORMAT, ONE_FILE, WEIGHTS
from keraflow.serialization.migration import is_first_format, migrate

__all__ = ['ARCHITECTURE', 'MODEL', 'Source', 'customs', 'read_source']

#: What a format calls a file; the first two have no version that is written down.
ARCHITECTURE, MODEL, TRAINING, OTHERS, SAVED_WEIGHTS = (
    'architecture', 'whole model', 'training', 'weights of another program', 'weights')
_LEFT_OUT = ('format', 'version')


class Source(NamedTuple):
    """What a file holds.

    Attributes
    ----------
    path : str
    what : str
        Its kind, in words.
    model : dict or None
        The architecture, in the format of today.
    version : str
        Of the format: ``'0'`` for the first Keraflow's, ``''`` for weights, which have one alone.
    settings : dict or None
        The arguments of ``compile``.
    training : dict or None
        The text that a training is saved with, where it is JSON as plain data.
    weights, slots, others : dict
        Arrays: the weights by name, the variables of the optimizer, and all that are neither.
    has_digest : bool
        Whether damage of the file would have been noticed.
    architecture : str or None
        The digest of the architecture that the weights belong to.
    """

    path: str
    what: str
    model: Optional[Dict[str, Any]] = None
    version: str = ''
    settings: Any = None
    training: Optional[Dict[str, Any]] = None
    weights: Dict[str, np.ndarray] = {}
    slots: Dict[str, np.ndarray] = {}
    others: Dict[str, np.ndarray] = {}
    has_digest: bool = True
    architecture: Optional[str] = None


def read_source(path: str) -> Source:
    """Read a file of any kind.

    Raises
    ------
    ModelFileError
        If it is damaged, or of no kind of keraflow's.
    """
    if path.endswith(('.safetensors', ONE_FILE)):
        return _of_tensors(path)
    if not path.endswith(EXTENSIONS):
        raise refusal(path, 'expected a file whose name ends with .json, .yaml or .yml (an architecture), .safetensors '
                            f'(weights or a training) or {ONE_FILE} (a whole model).')
    data = read_plain(path)
    version = '0' if is_first_format(data) else str(data.get('version')) if isinstance(data, dict) else ''
    return Source(path, ARCHITECTURE, _model(data, path), version)


def customs() -> Dict[str, Any]:
    """Return what modules of the program registered, by id: the first format names nothing else of a program."""
    return {one.id: one.target for one in registry.entries() if not one.builtin}


def _model(data: Any, path: str) -> Dict[str, Any]:
    """Return the model of an architecture file of any version, in the format of today."""
    if is_first_format(data):
        try:
            return migrate(data, registry.custom(customs()))
        except SerializationError as error:
            raise refusal(path, str(error)) from error
    model = model_data(data, path)
    if not isinstance(model, dict) or not isinstance(model.get('class'), str):
        raise refusal(f'{path}: model', "expected an object with 'class' and 'args'.")
    return model


def _of_tensors(path: str) -> Source:
    has_digest = _has_digest(path)
    if path.endswith(ONE_FILE) and not has_digest:
        raise refusal(path, 'a whole model holds a SHA-256, and this file does not. It is damaged.')
    arrays, metadata = read_tensors(path, require_digest=has_digest)
    parts: Dict[str, Dict[str, np.ndarray]] = {'weights': {}, 'slots': {}, 'others': {}}
    is_weights = not any(name.startswith(WEIGHTS) for name in arrays) and not path.endswith(ONE_FILE)
    for name, array in arrays.items():
        part = 'weights' if is_weights or name.startswith(WEIGHTS) else \
            'slots' if name.startswith('optimizer/') else 'others'
        parts[part][name if is_weights or part == 'others' else name.partition('/')[2]] = array
    what, texts, model, settings = SAVED_WEIGHTS, None, None, None
    if path.endswith(ONE_FILE):
        what = MODEL
        if 'model' not in metadata:
            raise refusal(path, 'this is not the file of a whole model, as model.save writes it.')
        model = _model(parse_json(metadata['model'], f'{path}: model'), f'{path}: model')
        settings = _parsed(metadata.get('compile'), f'{path}: compile')
        texts = _parsed(metadata.get('training'), f'{path}: training')
        if not isinstance(texts, (dict, type(None))):
            raise refusal(f'{path}: training', 'the state of the training is damaged.')
    elif 'recipe' in metadata or parts['slots']:
        what, texts = TRAINING, metadata
    elif metadata.get('format') != FORMAT:
        what = OTHERS
    training = None if texts is None else {
        name: _as_data(value, f'{path}: {name}') for name, value in texts.items() if name not in _LEFT_OUT}
    return Source(path, what, model, metadata.get('version', ''), settings, training, has_digest=has_digest,
                  architecture=metadata.get('architecture'), **parts)


def _parsed(text: Optional[str], place: str) -> Any:
    return None if text is None else parse_json(text, place)


def _as_data(text: Any, place: str) -> Any:
    return parse_json(text, place) if isinstance(text, str) and text[:1] in ('{', '[') else text


def _has_digest(path: str) -> bool:
    """Return whether the header of a file has a SHA-256, before anything else of it is read."""
    stream, size = open_regular(os.fspath(path), Limits().max_tensor_bytes)
    with stream:
        prefix = stream.read(LENGTH_BYTES)
        if stream.read(1) != b'{':
            return True         # what else it is says who reads it
        stream.seek(LENGTH_BYTES)
        header = stream.read(read_length(prefix, size, path))
        return DIGEST in parse_header(header, size - LENGTH_BYTES - len(header), path)[1]
