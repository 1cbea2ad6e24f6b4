"""Models to files and back: architecture as YAML or JSON, weights as safetensors."""
import hashlib
import json
import os
from typing import Any, Dict, List, Optional, Sequence

import numpy as np

from keraflow import backend as B
from keraflow import random
from keraflow.checked import checked
from keraflow.errors import ArgumentTypeError, ModelFileError, SerializationError, nearest
from keraflow.files.atomic import check_file, write_files
from keraflow.files.plaindata import dump_options, dump_plain, read_plain
from keraflow.files.tensors import dump_tensors, read_tensors
from keraflow.graph.parameters import parameters_of
from keraflow.layers.base.changes import NESTED
from keraflow.layers.network import Network
from keraflow.schema import Path
from keraflow.serialization import serialize, unserialize
from keraflow.serialization.migration import is_first_format
from keraflow.serialization.values import escape, unescape, version_of

__all__ = ['SavableNetwork', 'FORMAT', 'VERSION', 'check_extension', 'check_fit', 'misfits']

FORMAT = 'keraflow'
VERSION = 2

#: Arguments that do not change what a model predicts from its weights: these fit whatever the arguments are.
_ONLY_TRAINING = ('trainable', 'regularizers', 'constraints', 'activity_regularizer', 'name', 'init', 'inner_init',
                  'forget_bias_init', 'gamma_init', 'beta_init', 'drop_rate', 'dropout', 'dropout_W', 'dropout_U',
                  'sigma')
#: Those that the first digests left out, which are still in files.
_ONLY_TRAINING_AT_FIRST = ('trainable', 'regularizers', 'constraints')


class SavableNetwork(Network):
    """The part of :class:`~keraflow.models.Model` that reads and writes files."""

    @checked
    def save_to_file(self, arch: Optional[Path] = None, weights: Optional[Path] = None,
                     overwrite: bool = False, **dump_args: Any) -> None:
        """Save the architecture, the weights, or both.

        Parameters
        ----------
        arch : path, optional
            Ends with ``.yaml``, ``.yml`` or ``.json``.
        weights : path, optional
            Ends with ``.safetensors``.
        overwrite : bool
            Replace files that exist.
        **dump_args
            For ``json.dumps`` or ``yaml.dump``, for example ``indent=2``.

        Raises
        ------
        ArgumentTypeError
            If neither path is given, or for a word that is none of these.
        FileExistsError
            If a file exists and `overwrite` is False. Then nothing is written.
        SerializationError
            If something in the model cannot be saved. Then nothing is written.
        """
        self._check_options('save_to_file', ['arch', 'weights', 'overwrite'], arch, dump_args)
        write_files(self._files('save_to_file', arch, weights, dump_args), overwrite)

    @checked
    def check_savable(self, arch: Optional[Path] = None, weights: Optional[Path] = None,
                      overwrite: bool = False) -> None:
        """Raise what :meth:`save_to_file` would raise before it writes."""
        for path, _ in self._files('check_savable', arch, weights, {}):
            check_file(path, overwrite)

    @checked
    def save_arch(self, path: Path, overwrite: bool = False, **dump_args: Any) -> None:
        """Save the architecture alone; arguments as for :meth:`save_to_file`."""
        self._check_options('save_arch', ['path', 'overwrite'], path, dump_args)
        self.save_to_file(path, None, overwrite, **dump_args)

    @checked
    def save_weights(self, path: Path, overwrite: bool = False) -> None:
        """Save the weights alone: trainable parameters and state."""
        self.save_to_file(None, path, overwrite)

    @checked
    def load_weights(self, path: Path, same_architecture: bool = True) -> None:
        """Set all weights from a file.

        Parameters
        ----------
        path : path
            Ends with ``.safetensors``.
        same_architecture : bool
            Refuse weights that were saved by a model of another architecture, even if names and shapes fit. What only
            training reads may differ: initializations, regularizers, rates of dropout, and the name of the model.

        Raises
        ------
        ModelFileError
            If the file is damaged or does not fit; the message names missing and unexpected arrays and those of
            another shape. Then no weight is changed.
        """
        check_extension(path)
        arrays, metadata = read_tensors(path)
        saved = metadata.get('architecture')
        if same_architecture and saved is not None and not _is_digest(saved, serialize(self)):
            raise ModelFileError(f'{os.fspath(path)}: the weights belong to a model of another architecture, which '
                                 'predicts otherwise from the same weights. Load them into the model they were saved '
                                 'with, or pass same_architecture=False if they are meant to be moved.')
        variables = {one.name: one.variable for one in parameters_of([self])}
        arrays = self.present_names(arrays)
        check_fit(variables, arrays, f'{os.fspath(path)}: the weights do not fit')
        self.set_weights(arrays)

    @classmethod
    @checked
    def load_from_file(cls, arch: Path, weights: Optional[Path] = None, custom_objects: Any = None) -> Any:
        """A model from files that :meth:`save_to_file`, or (architecture as JSON) the first Keraflow, wrote.

        Parameters
        ----------
        arch : path
            Ends with ``.yaml``, ``.yml`` or ``.json``.
        weights : path, optional
            Ends with ``.safetensors``.
        custom_objects : list or dict, optional
            Classes and functions of the program that the file may name, beside the registered ones.

        Returns
        -------
        Model or Sequential
            Not compiled.
        """
        data = read_plain(arch)
        with random.apart():
            made = _from_data(data, os.fspath(arch), custom_objects)
        if weights is not None:
            made.load_weights(weights)
        return made

    def __reduce_ex__(self, protocol: Any) -> Any:
        raise SerializationError(f'{self.name}: a model is not pickled, because reading a pickle runs what is in it. '
                                 "Write save_to_file('model.yaml', 'model.safetensors') and load_from_file, or "
                                 'copy.deepcopy for a copy.')

    def _check_options(self, where: str, names: List[str], arch: Optional[Path], dump_args: Dict[str, Any]) -> None:
        """Raise for a word that is no argument, nor one that the writer of this file takes."""
        options = [] if arch is None else dump_options(arch)
        for word in dump_args:
            if word not in options:
                raise ArgumentTypeError(f"{self.name}: {where}: there is no argument '{word}'. "
                                        f'{nearest(word, [*names, *options])}')

    def _files(self, where: str, arch: Optional[Path], weights: Optional[Path],
               dump_args: Dict[str, Any]) -> List[tuple]:
        if arch is None and weights is None:
            raise ArgumentTypeError(f'{self.name}: {where}: expected a path for arch, for weights, or for both, '
                                    f"received neither. Write {where}('model.yaml', 'model.safetensors').")
        return [*([(arch, self._arch_bytes(arch, dump_args))] if arch is not None else []),
                *([(weights, self._weight_bytes(weights))] if weights is not None else [])]

    def _arch_bytes(self, path: Path, dump_args: Dict[str, Any]) -> bytes:
        model = serialize(self)
        return dump_plain({'format': FORMAT, 'version': version_of(model), 'model': model}, path, **dump_args).encode()

    def _weight_bytes(self, path: Path) -> bytes:
        check_extension(path)
        digest = _digest(serialize(self), _ONLY_TRAINING)
        return dump_tensors(self.get_weights(), {'format': FORMAT, 'architecture': digest})


def check_fit(variables: Dict[str, Any], arrays: Dict[str, np.ndarray], refusal: str) -> None:
    """Raise a ModelFileError unless arrays of a file can be the values of variables; it begins with `refusal`."""
    problems = misfits(variables, arrays)
    if problems:
        raise ModelFileError(f'{refusal}: {"; ".join(problems)}'[:299] + '.')


def misfits(variables: Dict[str, Any], arrays: Dict[str, np.ndarray]) -> List[str]:
    """Why arrays of a file cannot be the values of variables: what is missing, unexpected, or of another shape."""
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
        if type(data['version']) is not int or not 1 <= data['version'] <= VERSION:
            raise ModelFileError(f'{path}: the file has format version {data["version"]!s:.20}, this keraflow reads '
                                 f'1 to {VERSION}. '
                                 'Install the keraflow that wrote it, or a newer one.')
        data = escape(data['model']) if data['version'] == 1 else data['model']
    try:
        made = unserialize(data, custom_objects)
    except ModelFileError:
        raise
    except SerializationError as error:
        raise ModelFileError(f'{path}: {error}'[:300]) from error
    if not isinstance(made, SavableNetwork):
        raise ModelFileError(f'{path}: expected a model, found {type(made).__name__}.')
    return made


def check_extension(path: Path) -> None:
    """Raise unless a file of this name holds weights."""
    if not os.fspath(path).endswith('.safetensors'):
        raise ModelFileError(
            f'{os.fspath(path)}: weights are saved as safetensors. Let the name end with .safetensors.')


def _is_digest(saved: str, data: Any) -> bool:
    """Whether a digest is that of an architecture, as it is written now or as it was at first."""
    return saved in (_digest(data, arguments) for arguments in (_ONLY_TRAINING, _ONLY_TRAINING_AT_FIRST))


def _digest(data: Any, left_out: Sequence[str]) -> str:
    """SHA-256 of an architecture without some arguments."""
    text = json.dumps(_without(left_out, unescape(data)), sort_keys=True, separators=(',', ':'))
    return hashlib.sha256(text.encode()).hexdigest()


def _without(arguments: Sequence[str], data: Any) -> Any:
    if isinstance(data, list):
        return [_without(arguments, item) for item in data]
    if isinstance(data, dict):
        rest = {key: _without(arguments, item) for key, item in data.items() if key not in arguments}
        return {key: item for key, item in rest.items() if key != NESTED or any(item.values())}
    return data
