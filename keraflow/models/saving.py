"""Models to files and back: architecture as YAML or JSON, weights as safetensors."""
import os
from typing import Any, Dict, List, Optional, Tuple

import numpy as np

from keraflow import backend as B
from keraflow import random
from keraflow.errors import ArgumentTypeError, ModelFileError, SerializationError, nearest
from keraflow.files.plaindata import dump_options, dump_plain, read_plain
from keraflow.files.tensors import dump_tensors, read_tensors
from keraflow.graph.parameters import parameters_of
from keraflow.layers.network import Network
from keraflow.models.digests import digest_of, is_digest
from keraflow.schema import Path
from keraflow.serialization import serialize, unserialize
from keraflow.serialization.migration import is_first_format
from keraflow.serialization.values import escape, version_of

__all__ = ['FORMAT', 'VERSION', 'check_extension', 'check_fit', 'check_options', 'files_of', 'load_model',
           'load_weights', 'misfits']

FORMAT = 'keraflow'
VERSION = 2


def files_of(model: Network, where: str, arch: Optional[Path], weights: Optional[Path],
             dump_args: Dict[str, Any]) -> List[Tuple[Path, bytes]]:
    """Return the given paths for architecture and weights, with what to write there.

    Raises
    ------
    ArgumentTypeError
        If neither path is given.
    """
    if arch is None and weights is None:
        raise ArgumentTypeError(f'{model.name}: {where}: expected a path for arch, for weights, or for both, '
                                f"received neither. Write {where}('model.yaml', 'model.safetensors').")
    return [*([(arch, _arch_bytes(model, arch, dump_args))] if arch is not None else []),
            *([(weights, _weight_bytes(model, weights))] if weights is not None else [])]


def check_options(model: Network, where: str, names: List[str], arch: Optional[Path],
                  dump_args: Dict[str, Any]) -> None:
    """Raise for a keyword that is neither an argument nor an option of the writer of this file."""
    options = [] if arch is None else dump_options(arch)
    for word in dump_args:
        if word not in options:
            raise ArgumentTypeError(f"{model.name}: {where}: there is no argument '{word}'. "
                                    f'{nearest(word, [*names, *options])}')


def load_weights(model: Network, path: Path, same_architecture: bool) -> None:
    """Set all weights of a model from a file.

    Raises
    ------
    ModelFileError
        If the file is damaged, or does not fit the model.
    """
    check_extension(path)
    arrays, metadata = read_tensors(path)
    saved = metadata.get('architecture')
    if same_architecture and saved is not None and not is_digest(saved, serialize(model)):
        raise ModelFileError(f'{os.fspath(path)}: the weights belong to a model of another architecture, which '
                             'predicts differently with the same weights. Load them into the model they were saved '
                             'with, or pass same_architecture=False to transfer them.')
    variables = {one.name: one.variable for one in parameters_of([model])}
    arrays = model.present_names(arrays)
    check_fit(variables, arrays, f'{os.fspath(path)}: the weights do not fit')
    model.set_weights(arrays)


def load_model(arch: Path, custom_objects: Any) -> Any:
    """Build a model with the architecture in a file."""
    data = read_plain(arch)
    with random.apart():    # initial values are drawn, but not from what the program draws from
        return _from_data(data, os.fspath(arch), custom_objects)


def _arch_bytes(model: Network, path: Path, dump_args: Dict[str, Any]) -> bytes:
    data = serialize(model)
    return dump_plain({'format': FORMAT, 'version': version_of(data), 'model': data}, path, **dump_args).encode()


def _weight_bytes(model: Network, path: Path) -> bytes:
    check_extension(path)
    digest = digest_of(serialize(model))
    return dump_tensors(model.get_weights(), {'format': FORMAT, 'architecture': digest})


def check_fit(variables: Dict[str, Any], arrays: Dict[str, np.ndarray], refusal: str) -> None:
    """Raise a ModelFileError, starting with `refusal`, unless the arrays of a file fit the variables."""
    problems = misfits(variables, arrays)
    if problems:
        raise ModelFileError(f'{refusal}: {"; ".join(problems)}'[:299] + '.')   # names in a file may have any length


def misfits(variables: Dict[str, Any], arrays: Dict[str, np.ndarray]) -> List[str]:
    """Explain why arrays of a file do not fit the variables: missing, unexpected, or of another shape."""
    problems = []
    missing = [name for name in variables if name not in arrays]
    unexpected = [name for name in arrays if name not in variables]
    if missing:
        problems.append(f'missing {", ".join(missing)}')
    if unexpected:
        problems.append(f'unexpected {", ".join(unexpected)}')
    for name, variable in variables.items():
        if name in arrays:
            shape, dtype = tuple(B.static_shape(variable)), B.dtype(variable)
            if arrays[name].shape != shape:
                problems.append(f'{name} has shape {arrays[name].shape}, expected {shape}')
            elif not np.can_cast(arrays[name].dtype, dtype):
                problems.append(
                    f'{name} is {arrays[name].dtype}, which {dtype} cannot hold; set '
                    f'KERAFLOW_FLOATX={arrays[name].dtype}')
    return problems


def _from_data(data: Any, path: str, custom_objects: Any) -> Any:
    if not is_first_format(data):
        if not isinstance(data, dict) or data.get('format') != FORMAT or set(data) != {'format', 'version', 'model'}:
            raise ModelFileError(f'{path}: this is not the architecture of a keraflow model.')
        if type(data['version']) is not int or not 1 <= data['version'] <= VERSION:  # True is an int
            raise ModelFileError(f'{path}: the file has format version {data["version"]!s:.20}, this keraflow reads '
                                 f'1 to {VERSION}. '
                                 'Install the keraflow that wrote it, or a newer one.')
        data = escape(data['model']) if data['version'] == 1 else data['model']
    try:
        made = unserialize(data, custom_objects)
    except ModelFileError:  # names its file already
        raise
    except SerializationError as error:
        raise ModelFileError(f'{path}: {error}'[:300]) from error
    if not isinstance(made, Network):
        raise ModelFileError(f'{path}: expected a model, found {type(made).__name__}.')
    return made


def check_extension(path: Path) -> None:
    """Raise unless a file with this name holds weights."""
    if not os.fspath(path).endswith('.safetensors'):
        raise ModelFileError(
            f'{os.fspath(path)}: weights are saved as safetensors. Let the name end with .safetensors.')
