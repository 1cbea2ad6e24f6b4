"""A whole model in one file: architecture, compile settings, weights, and the state of its training.

The layout is that of weights files, so that any tool for safetensors reads the weights. The metadata hold, as text, the
architecture as its own file would, the settings of ``compile``, and what else a training depends on.
"""
import os
from typing import Any, Dict, NamedTuple, Optional

import numpy as np

from keraflow.errors import KeraFlowError, SerializationError
from keraflow.files.json_text import parse_json
from keraflow.files.limits import Limits
from keraflow.files.plaindata import dump_json
from keraflow.files.refusal import refusal
from keraflow.files.tensor_writer import PackedTensors, pack_tensors
from keraflow.graph.guards import changing
from keraflow.graph.parameters import parameters_of
from keraflow.initializations import weights_follow
from keraflow.layers.network import Network
from keraflow.models.digests import digest_of
from keraflow.models.plans import Plan, plan_data
from keraflow.models.predictions import predictions_text
from keraflow.models.probe_runs import prepare
from keraflow.models.probes import KeptProbes, Probes, made_probes
from keraflow.models.resuming import restore_training, texts_in, training_state
from keraflow.models.saving import arch_text
from keraflow.models.sketches import class_of
from keraflow.models.weight_files import PREDICTIONS, WEIGHTS, check_fit, set_arrays, tell_not_finite
from keraflow.models.whole_file import FORMAT, VERSION, check_name, read_content
from keraflow.schema import Path
from keraflow.schema.checked import checked
from keraflow.serialization import serialize
from keraflow.serialization.planning import ObjectPlan
from keraflow.training.settings import CompileSettings

__all__ = ['WholeModel', 'dump_model', 'load', 'read_whole']

#: Why a file cannot be verified that was saved before the model predicted anything.
_NONE = 'it was saved without probes. Save the model with probes=True.'


def dump_model(model: Any, path: Path, training: bool, probes: Optional[bool]) -> PackedTensors:
    """Return the content of the file of a model, for the arguments of its method `save`."""
    check_name(path, "model.save_to_file('model.yaml', 'model.safetensors')")
    data = serialize(model)
    metadata = {'format': FORMAT, 'version': str(VERSION), 'architecture': digest_of(data),
                PREDICTIONS: predictions_text(model), 'model': arch_text(model, 'model.json', {})}
    is_compiled = training and model.is_compiled
    if is_compiled:
        metadata['compile'] = _settings_text(model, os.fspath(path))
    if probes:
        model.check_runnable()
        prepare(model)
    with changing(model):       # all is of one moment, even if another thread trains the model
        if is_compiled:
            arrays, state = training_state(model, of_fit=False)
            metadata['training'] = dump_json(state)
        else:
            arrays = {WEIGHTS + name: array for name, array in model.get_weights().items()}
        found = _probes_of(model, probes)
    if found is not None:
        metadata['probes'] = found.text()
        arrays.update(found.arrays())
    return pack_tensors(arrays, metadata)


def _probes_of(model: Any, asked: Optional[bool]) -> Optional[Probes]:
    if asked is False:
        return None
    if model._probes is not None and model._probes.hold(model) and not (asked and model._probes.probes.none):
        return model._probes.probes
    return made_probes(model, bool(asked)) if asked or model._can_predict() else None


def _settings_text(model: Any, where: str) -> str:
    try:
        data = serialize(CompileSettings.of(model._functions))
    except SerializationError as error:
        raise SerializationError(f'{where}: compile: {error} Or pass training=False, to save the model without its '
                                 'settings of compile.') from error
    return dump_json(data)


@checked
def load(path: Path, custom_objects: Any = None, training: bool = True, verify: bool = False,
         limits: Optional[Limits] = None) -> Any:
    """Load a model from the one file that :meth:`~keraflow.models.Model.save` wrote.

    Parameters
    ----------
    path : path
        Ends with ``.keraflow``.
    custom_objects : list or dict, optional
        Classes and functions of the program that the file may name, besides the registered ones.
    training : bool
        Whether to compile the model as it was, and to restore the state of its training. Without it losses, metrics
        and optimizers of the program need not be there.
    verify : bool
        Whether to compare at once what the model predicts with the probes in the file; otherwise that is done when it
        first predicts, and a difference is a warning. What cannot be verified, for lack of probes, is a warning.
    limits : Limits, optional
        How much the file may ask for.

    Returns
    -------
    Model or Sequential
        Compiled if it was when it was saved. ``fit`` then goes on as if it had never been saved.

    Raises
    ------
    ModelFileError
        If the file is damaged, is of another kind, or names what is not registered; with `verify`, also if the model
        does not predict what it did when it was saved.
    """
    where = os.fspath(path)
    found = read_whole(path, custom_objects, training, limits)
    with weights_follow():
        made = found.plan.build()
    if found.settings is None or found.state is None:
        _set_weights(made, found.weights, where)
    else:
        _compile(made, found.settings, f'{where}: compile')
        tell_not_finite(found.weights, where)
        restore_training(made, {**{WEIGHTS + name: one for name, one in found.weights.items()}, **found.slots},
                         found.state, where)
    _keep_probes(made, found.probes, where, verify)
    return made


class WholeModel(NamedTuple):
    """What is in the file of a whole model, of which all is checked that can be before it is built."""

    plan: Plan
    settings: Optional[ObjectPlan]
    state: Optional[Dict[str, str]]
    weights: Dict[str, np.ndarray]
    slots: Dict[str, np.ndarray]
    probes: Optional[Probes]


def read_whole(path: Path, custom_objects: Any = None, training: bool = True,
               limits: Optional[Limits] = None) -> WholeModel:
    """Read and check a file as :func:`load` does before it builds anything; no backend is needed.

    Raises
    ------
    ModelFileError
        If the file is damaged, is of another kind, or names what is not registered.
    """
    where = os.fspath(path)
    check_name(path, "Model.load_from_file('model.yaml', 'model.safetensors')")
    limits = limits or Limits()
    metadata, weights, slots, others = read_content(path, limits)
    planned = plan_data(parse_json(metadata['model'], f'{where}: model', limits), f'{where}: model', metadata['model'],
                        custom_objects, limits, sum(array.nbytes for array in weights.values()))
    settings = state = None
    if training and 'compile' in metadata:
        settings = _planned_settings(metadata['compile'], f'{where}: compile', custom_objects, limits)
        state = texts_in(metadata['training'], f'{where}: training', 'the state of the training')
    probes = Probes.read(metadata['probes'], others, f'{where}: probes') if 'probes' in metadata else None
    return WholeModel(planned, settings, state, weights, slots, probes)


def _keep_probes(model: Any, probes: Optional[Probes], where: str, verify: bool) -> None:
    if probes is None and not verify:
        return
    kept = KeptProbes(probes or Probes.lacking(_NONE), model, where)
    if not kept.probes.none:
        kept.probes.check_names(model, f'{where}: probes')
    if probes is not None:
        model._probes = kept
    if verify:
        kept.verify(model)


def _set_weights(model: Network, arrays: Dict[str, np.ndarray], where: str) -> None:
    arrays = model.present_names(arrays)
    check_fit({one.name: one.variable for one in parameters_of([model])}, arrays, f'{where}: the weights do not fit')
    set_arrays(model, arrays, where)


def _planned_settings(text: str, place: str, custom_objects: Any, limits: Limits) -> ObjectPlan:
    data = parse_json(text, place, limits)
    try:
        planned = ObjectPlan(data, custom_objects, limits)
    except SerializationError as error:
        raise refusal(place, str(error)) from error
    if class_of(planned.sketch) is not CompileSettings:
        raise refusal(place, f'expected the settings of compile, found {class_of(planned.sketch).__name__}.')
    return planned


def _compile(model: Any, settings: ObjectPlan, place: str) -> None:
    try:
        settings.build().compile(model)
    except KeraFlowError as error:      # such as an objective that does not suit an output
        raise refusal(place, str(error)) from error
