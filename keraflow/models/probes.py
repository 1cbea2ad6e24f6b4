"""Probes: a few inputs with what a model predicts for them, by which another program, backend or version is checked.

They are written with the model, and compared when it first predicts after it was loaded. A difference is told with its
size: it is more than rounding, so that something else computes now than when the file was written.
"""
from typing import Any, Dict, List, Mapping, NamedTuple

import numpy as np

from keraflow import backend as B
from keraflow import shapes
from keraflow.errors import ModelFileError, printable, warn
from keraflow.files.json_text import parse_json
from keraflow.files.plaindata import dump_json
from keraflow.files.refusal import excerpt, refusal
from keraflow.models.probe_inputs import are_too_large, inputs_of, unknown_range
from keraflow.models.probe_runs import fingerprint, prepare, run
from keraflow.serialization.changes import Changes

__all__ = ['INPUTS', 'OUTPUTS', 'KeptProbes', 'Probes', 'made_probes']

#: How the names of their tensors begin.
INPUTS, OUTPUTS = 'probes/input/', 'probes/output/'

#: Lengths for axes of which no length is known: the first that the layers can take.
_LENGTHS = 8, 32, 128
#: The largest difference that rounding may make, as a share of the largest value, by the dtype that is computed in.
_ROUNDING = {'float16': 1e-2, 'float32': 1e-4, 'float64': 1e-9}
#: Where all values are smaller, the share is one of this.
_SMALL = 1e-3


class Probes(NamedTuple):
    """Inputs with their outputs, or the reason why there are none.

    Attributes
    ----------
    inputs, outputs : dict
        Arrays by the names of the model.
    made : dict
        What computed them: ``backend``, ``version``, ``floatx``; and the fingerprint of the ``weights``.
    none : str
        Why there are none; '' if there are.
    """

    inputs: Dict[str, np.ndarray]
    outputs: Dict[str, np.ndarray]
    made: Dict[str, str]
    none: str = ''

    @classmethod
    def lacking(cls, reason: str) -> 'Probes':
        """Return none, with the reason."""
        return cls({}, {}, {}, reason)

    @classmethod
    def read(cls, text: str, arrays: Mapping[str, np.ndarray], place: str) -> 'Probes':
        """Return those of a file, from the text in its metadata and their tensors.

        Raises
        ------
        ModelFileError
            If the text is damaged.
        """
        made = parse_json(text, place)
        if type(made) is not dict or not all(type(one) is str and one.isprintable() for one in made.values()) or \
                set(made) not in ({'none'}, {'backend', 'version', 'floatx', 'weights'}) or \
                made.get('floatx', 'float32') not in _ROUNDING:
            raise refusal(place, 'the description of the probes is damaged.')
        inputs, outputs = ({name[len(start):]: array for name, array in arrays.items() if name.startswith(start)}
                           for start in (INPUTS, OUTPUTS))
        return cls.lacking(made['none']) if 'none' in made else cls(inputs, outputs, made)

    def check_names(self, model: Any, place: str) -> None:
        """Raise unless they are for the inputs and outputs of a model."""
        kensors = dict(zip(model.input_names(), model.inputs))
        if set(kensors) != set(self.inputs) or set(model.output_names()) != set(self.outputs):
            raise refusal(place, f'expected probes for {excerpt([*kensors, *model.output_names()])}, found '
                                 f'{excerpt([*self.inputs, *self.outputs])}.')
        for name, kensor in kensors.items():
            array = self.inputs[name]
            # Reals are those of the program that wrote the file.
            is_like = shapes.agree(kensor.shape, array.shape) and array.dtype.kind == np.dtype(kensor.dtype).kind
            if not is_like or len({one.shape[0] for one in self.inputs.values() if one.shape}) > 1:
                raise refusal(place, f"expected an array of {kensor.dtype} and {kensor.shape} for '{name}', found one "
                                     f'of {array.dtype} and {array.shape}.')

    def text(self) -> str:
        """Return the description for the metadata of a file."""
        return dump_json({'none': self.none} if self.none else self.made)

    def arrays(self) -> Dict[str, np.ndarray]:
        """Return the tensors of a file."""
        return {**{INPUTS + name: array for name, array in self.inputs.items()},
                **{OUTPUTS + name: array for name, array in self.outputs.items()}}

    def differences(self, model: Any) -> List[str]:
        """Run the model on the inputs, and describe each output that differs by more than rounding."""
        arrays = [self.inputs[name].astype(kensor.dtype) for name, kensor in zip(model.input_names(), model.inputs)]
        found = dict(zip(model.output_names(), run(model, arrays)[0]))
        floatx = min((self.made['floatx'], B.floatx()), key=list(_ROUNDING).index)
        return [text for name, array in self.outputs.items() for text in _moved(name, array, found[name], floatx)]


class KeptProbes:
    """The probes of the file that a model comes from, as long as the model is what the file holds.

    Parameters
    ----------
    probes : Probes
    model : Model
    place : str
        The file, for messages.
    """

    def __init__(self, probes: Probes, model: Any, place: str):
        self.probes = probes
        self._place = place
        self._changes = Changes()
        self._is_checked = self._has_changed = False
        if not probes.none and probes.made['floatx'] != B.floatx():     # the same weights have other bytes
            self.probes = probes._replace(made={**probes.made, 'weights': fingerprint(model)})

    def hold(self, model: Any) -> bool:
        """Return whether the model still is what the file holds."""
        self._has_changed = self._has_changed or self._changes.are_there(lambda: [model, *_layers(model)])
        return not self._has_changed and (bool(self.probes.none) or fingerprint(model) == self.probes.made['weights'])

    def check_once(self, model: Any) -> None:
        """Warn, the first time, if the model predicts something else."""
        if self._is_checked:
            return
        self._is_checked = True
        if self.hold(model) and not self.probes.none:
            try:
                self.verify(model)
            except ModelFileError as error:
                warn(str(error))

    def verify(self, model: Any) -> None:
        """Compare what the model predicts with the probes.

        Raises
        ------
        ModelFileError
            If something differs by more than rounding; the message tells what, and by how much.
        """
        self._is_checked = True
        if self.probes.none:
            warn(f'{self._place}: it cannot be verified: {self.probes.none}')
            return
        made, here = self.probes.made, f'{B.name()} {B.current().version()} in {B.floatx()}'
        there = ' '.join(excerpt(made[key])[1:-1] for key in ('backend', 'version')) + f" in {made['floatx']}"
        try:
            prepare(model)
            problems = self.probes.differences(model)
        except Exception as error:      # of any kind: each backend raises its own
            raise refusal(self._place, f'its probes cannot be run on {here}: {error}') from error
        if problems:
            raise refusal(self._place, f'the model predicts something else on {here} than when it was saved, on '
                                       f'{there}:', problems)


def made_probes(model: Any, is_asked: bool) -> Probes:
    """Return probes of a model as it is now. `prepare` has built what they run."""
    unknown = unknown_range(model)
    if unknown:
        return _told(model, f"nothing tells which integers the input '{unknown}' may hold, so there are no probes.",
                     is_asked)
    reason = ''
    for length in _LENGTHS:
        if are_too_large(model, length):
            reason = reason or 'the inputs would have millions of numbers.'
            break
        arrays = inputs_of(model, length)
        try:
            outputs, has_drawn = run(model, arrays)
        except Exception as error:      # of any kind: layers cannot take this length, or these values
            reason = reason or printable(error, 150)
            continue
        if has_drawn and not all(np.array_equal(one, other, equal_nan=one.dtype.kind == 'f')
                                 for one, other in zip(outputs, run(model, arrays, 1)[0])):
            return _told(model, 'it draws random numbers when it predicts, so there are no probes.', is_asked)
        made = {'backend': B.name(), 'version': B.current().version(), 'floatx': B.floatx(),
                'weights': fingerprint(model)}
        return Probes(dict(zip(model.input_names(), arrays)), dict(zip(model.output_names(), outputs)), made)
    return _told(model, f'there are no probes: {reason}', is_asked)


def _told(model: Any, reason: str, is_asked: bool) -> Probes:
    if is_asked:
        warn(f'{model.name}: save: {reason}')
    return Probes.lacking(reason)


def _layers(model: Any) -> List[Any]:
    found: Dict[int, Any] = {}
    waiting = [model]
    while waiting:
        layer = waiting.pop()
        if id(layer) not in found:
            found[id(layer)] = layer
            waiting.extend(layer.embedded_layers)
    return list(found.values())


def _moved(name: str, before: np.ndarray, now: np.ndarray, floatx: str) -> List[str]:
    """Describe how an output differs from what it was; nothing if that may be rounding."""
    if before.shape != now.shape:
        return [f'{name} has shape {now.shape}, expected {before.shape}']
    if before.dtype.kind != 'f' or now.dtype.kind != 'f':
        nb_other = int(np.sum(before != now))
        return [f'{name} differs in {nb_other} of {before.size} values'] if nb_other else []
    before, now = before.astype('float64'), now.astype('float64')
    same = (before == now) | np.isnan(before) & np.isnan(now)
    with np.errstate(invalid='ignore'):
        distance = np.where(same, 0., np.abs(before - now))
    largest = np.max(np.abs(before[np.isfinite(before)]), initial=0.)
    if np.all(distance <= _ROUNDING[floatx] * max(largest, _SMALL)):        # False for NaN
        return []
    return [f'{name} by {distance.max():.3g}, where values reach {largest:.3g}']
