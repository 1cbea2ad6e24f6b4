"""Weights to files and back: whole, in part, by other names, and those that other programs wrote."""
import dataclasses
import os
from typing import Any, Dict, List, Mapping, Optional, Tuple

import numpy as np

from keraflow import backend as B
from keraflow.data.arrays import not_finite
from keraflow.errors import ArgumentError, ModelFileError, SerializationError, nearest, warn
from keraflow.files.limits import Limits
from keraflow.files.refusal import excerpt, refusal
from keraflow.files.tensor_writer import PackedTensors, pack_tensors
from keraflow.files.tensors import read_tensors
from keraflow.graph.parameters import parameters_of
from keraflow.layers.network import Network
from keraflow.models.digests import digest_of, is_digest
from keraflow.models.predictions import differing, predictions_text
from keraflow.models.recipe import Difference
from keraflow.schema import Path
from keraflow.serialization import serialize
from keraflow.serialization.writing import AmbiguousId

__all__ = ['FORMAT', 'ONE_FILE', 'PREDICTIONS', 'WEIGHTS', 'WeightsReport', 'check_extension', 'check_fit',
           'load_weights', 'misfits', 'set_arrays', 'tell_not_finite', 'packed_weights']

FORMAT = 'keraflow'
#: The extension of files that hold a whole model, and the beginning of the names of weights in them.
ONE_FILE, WEIGHTS = '.keraflow', 'weights/'
#: The key of the metadata that describes what predictions depend on besides the weights.
PREDICTIONS = 'predictions'
#: One that only states of trainings have.
_OF_TRAININGS = 'recipe'

Shape = Tuple[int, ...]


@dataclasses.dataclass(frozen=True)
class WeightsReport:
    """What ``load_weights`` took from a file, and what it did not.

    Attributes
    ----------
    taken : tuple of str
        The weights of the model that were set.
    missing : tuple of str
        Those that the file lacks, which keep their values.
    unexpected : tuple of str
        Those of the file that the model lacks.
    other_shape : dict
        By name the shapes in the file and in the model, where they differ. These keep their values, too.

    Examples
    --------
    >>> print(WeightsReport(('h/W', 'h/b'), ('y/W',), (), {'y/b': ((3,), (2,))}))
    taken: h/W, h/b
    missing: y/W
    other shape: y/b (3,), expected (2,)
    """

    taken: Tuple[str, ...] = ()
    missing: Tuple[str, ...] = ()
    unexpected: Tuple[str, ...] = ()
    other_shape: Mapping[str, Tuple[Shape, Shape]] = dataclasses.field(default_factory=dict)

    def __str__(self) -> str:
        shapes = [f'{_shown(name)} {found}, expected {wanted}' for name, (found, wanted) in self.other_shape.items()]
        parts = {'taken': self.taken, 'missing': self.missing, 'unexpected': self.unexpected, 'other shape': shapes}
        return '\n'.join(f"{what}: {', '.join(names if names is shapes else map(_shown, names))}"
                         for what, names in parts.items() if names)


def packed_weights(model: Network, path: Path) -> PackedTensors:
    """Return the content of a weights file."""
    check_extension(path)
    metadata = {'format': FORMAT, PREDICTIONS: predictions_text(model)}
    try:
        metadata['architecture'] = digest_of(serialize(model))
    except AmbiguousId:         # names are what is compared
        raise
    except SerializationError as error:
        warn(f'{os.fspath(path)}: the weights are saved, without a digest of the architecture: when they are loaded, '
             f'functions in it are compared by name. {error}')
    return pack_tensors(model.get_weights(), metadata)


def load_weights(model: Network, path: Path, same_architecture: bool = True, partial: bool = False,
                 names: Optional[Dict[str, str]] = None, cast: bool = False,
                 require_digest: bool = True, limits: Optional[Limits] = None) -> WeightsReport:
    """Set the weights of a model from a file; see :meth:`keraflow.models.Model.load_weights`.

    Raises
    ------
    ModelFileError
        If the file is damaged, or does not fit the model.
    """
    where = os.fspath(path)
    arrays, metadata = _read(path, require_digest, limits or Limits())
    is_known = _check_architecture(model, metadata, where) if same_architecture and not partial else True
    arrays = model.present_names(_renamed(model, arrays, names or {}))
    variables = {one.name: one.variable for one in parameters_of([model])}
    report = _compared(variables, arrays)
    rest = {name: arrays[name] for name in report.taken} if partial else arrays
    check_fit({name: variables[name] for name in report.taken} if partial else variables, rest,
              f'{where}: the weights do not fit', cast, 'pass cast=True')
    if not is_known and require_digest:
        warn(f'{where}: the file does not say which architecture its weights belong to: only names, shapes and dtypes '
             'were compared. Pass same_architecture=False if that is enough.')
    set_arrays(model, rest, where)
    if not report.taken and variables:
        warn(f'{where}: none of its weights fits the model, which is as it was. Pass names={{...}}, with the name in '
             'the model for each name in the file.')
    return report


def _check_architecture(model: Network, metadata: Dict[str, str], where: str) -> bool:
    """Raise if the weights belong to a model that predicts differently; return whether the file says that."""
    if PREDICTIONS in metadata:
        found = differing(model, metadata[PREDICTIONS], where)
        if found:
            raise _other_architecture(where, found)
    elif 'architecture' in metadata:
        if not is_digest(metadata['architecture'], serialize(model)):
            raise _other_architecture(where, [])
    else:
        return False
    return True


def _other_architecture(where: str, found: List[Difference]) -> ModelFileError:
    lead = 'the weights belong to a model of another architecture, which predicts differently'
    advice = 'Pass same_architecture=False to transfer them.'
    return refusal(where, f'{lead}: expected', found, advice) if found else refusal(where, f'{lead}. {advice}')


def set_arrays(model: Network, arrays: Dict[str, np.ndarray], where: str) -> None:
    """Set weights to arrays of a file that fit them; those that are not finite are told."""
    tell_not_finite(arrays, where)
    try:
        model.set_weights(arrays)
    except ArgumentError as error:      # a number that the dtype lacks
        raise refusal(where, str(error)) from None


def tell_not_finite(arrays: Dict[str, np.ndarray], where: str) -> None:
    """Warn of weights that are NaN or infinite."""
    broken = not_finite(arrays)
    if broken:
        warn(f'{where}: there are values that are NaN or infinite among the weights {_listed(broken)}: training had '
             'failed when they were saved.')


def _read(path: Path, require_digest: bool, limits: Limits) -> Tuple[Dict[str, np.ndarray], Dict[str, str]]:
    """Return the weights in a file, which may hold more."""
    is_whole = os.fspath(path).endswith(ONE_FILE)
    if not is_whole:
        check_extension(path)
    arrays, metadata = read_tensors(path, limits, require_digest=require_digest or is_whole,
                                    without_digest='If you trust it, pass require_digest=False.')
    if is_whole or _OF_TRAININGS in metadata:
        arrays = {name[len(WEIGHTS):]: one for name, one in arrays.items() if name.startswith(WEIGHTS)}
    return arrays, metadata


def _renamed(model: Network, arrays: Dict[str, np.ndarray], names: Dict[str, str]) -> Dict[str, np.ndarray]:
    """Return arrays by the names that a map gives to those of the file; others keep theirs."""
    where, own = f'{model.name}: load_weights: names', [one.name for one in parameters_of([model])]
    for theirs, ours in names.items():
        if theirs not in arrays:
            turned = ours in arrays and theirs in own
            raise ArgumentError(f"{where}: there is no '{_shown(theirs)}' in the file. " + (
                'Write it the other way: the name in the file first.' if turned else nearest(theirs, arrays)))
        if ours not in own:
            raise ArgumentError(f"{where}: there is no '{_shown(ours)}' in the model. {nearest(ours, own)}")
    found: Dict[str, np.ndarray] = {}
    for name, array in arrays.items():
        name = names.get(name, name)
        if name in found:
            raise ArgumentError(f"{where}: expected one array for each weight, received two for '{_shown(name)}'.")
        found[name] = array
    return found


def _compared(variables: Dict[str, Any], arrays: Dict[str, np.ndarray]) -> WeightsReport:
    shapes = {name: tuple(B.static_shape(variable)) for name, variable in variables.items()}
    other = {name: (arrays[name].shape, shape) for name, shape in shapes.items()
             if name in arrays and arrays[name].shape != shape}
    return WeightsReport(tuple(name for name in shapes if name in arrays and name not in other),
                         tuple(name for name in shapes if name not in arrays),
                         tuple(name for name in arrays if name not in shapes), other)


def check_fit(variables: Dict[str, Any], arrays: Dict[str, np.ndarray], refusal: str, cast: bool = False,
              how_to_cast: str = '') -> None:
    """Raise a ModelFileError, starting with `refusal`, unless the arrays of a file fit the variables."""
    problems = misfits(variables, arrays, cast, how_to_cast)
    if problems:
        raise ModelFileError(f'{refusal}:', problems)


def misfits(variables: Dict[str, Any], arrays: Dict[str, np.ndarray], cast: bool = False,
            how_to_cast: str = '') -> List[str]:
    """Explain why arrays of a file do not fit the variables: missing, unexpected, of another shape or dtype.

    With `cast` dtypes do not count; otherwise `how_to_cast` is the advice.
    """
    report = _compared(variables, arrays)
    problems = [f'missing {name}' for name in report.missing]
    problems += [f'unexpected {_shown(name)}' for name in report.unexpected]
    for name, variable in variables.items():
        if name in report.other_shape:
            found, shape = report.other_shape[name]
            problems.append(f'{name} has shape {found}, expected {shape}')
        elif name in arrays and not cast:
            problems += _other_dtype(name, str(arrays[name].dtype), B.dtype(variable), how_to_cast)
    return problems


def _other_dtype(name: str, found: str, wanted: str, how_to_cast: str) -> List[str]:
    if found == wanted or (found, wanted) == ('float32', 'float64'):    # of a program with the other floatx
        return []
    if (found, wanted) == ('float64', 'float32'):
        return [f'{name} is float64, which float32 cannot hold; set KERAFLOW_FLOATX=float64']
    return [f'{name} is {found}, expected {wanted}' + (f'; {how_to_cast}' if how_to_cast else '')]


def _shown(name: str) -> str:
    """Return a name for a message, where those of a file may be anything."""
    return excerpt(name)[1:-1]


def _listed(names: List[str]) -> str:
    return ', '.join(map(_shown, names[:3])) + (f' and {len(names) - 3} more' if len(names) > 3 else '')


def check_extension(path: Path) -> None:
    """Raise unless a file with this name holds weights."""
    if not os.fspath(path).endswith('.safetensors'):
        raise ModelFileError(
            f'{os.fspath(path)}: weights are saved as safetensors. Let the name end with .safetensors.')
