"""Compare what a model gave on two backends, layer by layer, and find the first layer that differs."""
from typing import Any, Dict, Iterator, List, NamedTuple, Optional, Tuple

import numpy as np

from keraflow.command.verifying.measuring import Measured
from keraflow.command.verifying.tracing import LayerRun, Place, in_order
from keraflow.errors import ModelFileError
from keraflow.files.refusal import excerpt

__all__ = ['Comparison', 'Line', 'compared']

#: By dtype, the difference that rounding may make as a share of the largest value, and what counts as that where all
#: are smaller.
TOLERANCES = {'float16': (1e-2, 1.), 'float32': (1e-4, 0.1), 'float64': (1e-8, 1e-3)}


class Line(NamedTuple):
    """The comparison of one array.

    Attributes
    ----------
    stage : str
        ``'forward'``, ``'training phase'``, ``'gradients'`` or ``'step 1'``.
    layer, cls : str
        The layer that computed it.
    what : str
        Which of its arrays.
    distance, scale, tolerance : float
        The largest difference, the largest value, and how large the difference may be.
    """

    stage: str
    layer: str
    cls: str
    what: str
    distance: float
    scale: float
    tolerance: float

    @property
    def differs(self) -> bool:
        """Whether the difference is more than rounding; NaN is."""
        return not self.distance <= self.tolerance

    def __str__(self) -> str:
        kind = f' ({self.cls})' if self.cls else ''
        return (f'{self.stage}: {self.layer}{kind}: {self.what} differs by {self.distance:.3g}, where values reach '
                f'{self.scale:.3g}; the tolerance is {self.tolerance:.3g}')


class Comparison(NamedTuple):
    """All arrays in the order in which they are computed, up to the stage in which one differs.

    Attributes
    ----------
    lines : list of Line
    first : Line or None
        The first that differs: what it was computed from agrees.
    """

    lines: List[Line]
    first: Optional[Line]


def compared(one: Measured, other: Measured, share: Optional[float] = None) -> Comparison:
    """Compare two measurements.

    Parameters
    ----------
    share : float, optional
        The tolerance, as a share of the largest value, instead of that for the dtype.

    Raises
    ------
    ModelFileError
        If they are not of the same model, or data.
    """
    _check_alike(one, other)
    lines: List[Line] = []
    for stage in (_forward, _training_phase, _gradients, _steps):
        found = list(stage(_Pair(one, other, share)))
        lines += found
        first = next((line for line in found if line.differs), None)
        if first is not None:
            return Comparison(lines, first)
    return Comparison(lines, None)


class _Pair:
    """Two measurements, as the stages read them."""

    def __init__(self, one: Measured, other: Measured, share: Optional[float]):
        self.one, self.other, self.share = one, other, share
        self.names = [name for name in {**one.arrays, **other.arrays}]

    def line(self, stage: str, layer: str, cls: str, what: str, name: str) -> Iterator[Line]:
        """Yield the comparison of an array, or nothing if neither has it."""
        if name not in self.one.arrays and name not in self.other.arrays:
            return
        arrays = self.one.arrays.get(name), self.other.arrays.get(name)
        yield Line(stage, layer, cls, what, *_distance(*arrays, self.share))

    def runs(self, phase: str) -> List[LayerRun]:
        return self.one.runs[phase]


def _check_alike(one: Measured, other: Measured) -> None:
    for key in ('architecture', 'settings', 'steps', 'floatx'):
        if one.made[key] != other.made[key]:
            shown = ', received '.join(excerpt(it.made[key]) for it in (one, other))
            raise ModelFileError(f'verify: the results are not comparable: {key}: expected {shown}. Run verify on the '
                                 'same file with the same options.')
    for name in {**one.data, **other.data}:
        pair = one.data.get(name), other.data.get(name)
        if pair[0] is None or pair[1] is None or pair[0].shape != pair[1].shape or not _same(*pair):
            raise ModelFileError(f'verify: the results are not comparable: they were computed with other data: '
                                 f'{excerpt(name)}. Pass the file of the same weights.')


def _same(one: Any, other: Any) -> bool:
    return bool(np.array_equal(one, other, equal_nan=one.dtype.kind == 'f' == other.dtype.kind))


# -- stages ----------------------------------------------------------------------------------------------------------

def _forward(pair: _Pair) -> Iterator[Line]:
    yield from _outputs(pair, 'forward', 'test')


def _training_phase(pair: _Pair) -> Iterator[Line]:
    yield from _outputs(pair, 'training phase', 'train')


def _outputs(pair: _Pair, stage: str, phase: str) -> Iterator[Line]:
    runs, others = pair.runs(phase), pair.other.runs[phase]
    for place in _own(runs):
        number, one = place.run, runs[place.run]
        other = others[number] if number < len(others) else None
        if other is None or one != other._replace(parameters=one.parameters):
            yield Line(stage, one.name, one.cls, 'the layer that runs', float('inf'), 0., 0.)
            return
        giver = one if not place.is_input or one.host is None else runs[one.host]
        what = f'what it computes for {one.name}' if place.is_input else \
            'output' if len(one.gives) == 1 else f'output {place.item}'
        yield from pair.line(stage, giver.name, giver.cls, what, f'{phase}/value/{place.key}')


def _own(runs: List[LayerRun]) -> List[Place]:
    """Return the places in the order in which they are computed, without those of tensors that have an earlier one."""
    return [one for one in in_order([run.begins for run in runs], [len(run.fed) for run in runs],
                                    [len(run.gives) for run in runs])
            if one.key == (runs[one.run].fed if one.is_input else runs[one.run].gives)[one.item]]


def _gradients(pair: _Pair) -> Iterator[Line]:
    """Compare from the last run to the first: what a gradient is computed from comes before it."""
    runs = pair.runs('train')
    fed: Dict[str, List[LayerRun]] = {}
    for one in runs:
        for key in dict.fromkeys(one.fed):
            fed.setdefault(key, []).append(one)
    own = _own(runs)
    ends = {place.run: place for place in reversed(own) if not place.is_input}      # the first output of each
    for place in reversed(own):
        one = runs[place.run]
        what = f'the gradient of what {"is computed for " * place.is_input}{one.name}{" gives" * (not place.is_input)}'
        yield from pair.line('gradients', *_culprit(fed.get(place.key, []), runs, one),
                             what, f'train/gradient/{place.key}')
        if ends.get(place.run) is place:
            yield from _of_parameters(pair, one)
    for number, one in enumerate(runs):
        if number not in ends:      # it hands on what a layer inside it gives
            yield from _of_parameters(pair, one)
    for name in (key[len('x/'):] for key in pair.one.data if key.startswith('x/')):
        yield from pair.line('gradients', *_culprit(fed.get(name, []), runs, None), f'the gradient of the Input {name}',
                             f'train/gradient/{name}')


def _of_parameters(pair: _Pair, run: LayerRun) -> Iterator[Line]:
    for name in run.parameters:
        yield from pair.line('gradients', run.name, run.cls, f'the gradient of {name}', f'train/parameter/{name}')


def _culprit(fed: List[LayerRun], runs: List[LayerRun], giver: Optional[LayerRun]) -> Tuple[str, str]:
    """Return name and class of the layer from which a gradient comes: what a tensor is fed to, inside of all others.

    Where several layers are fed, each may be the one.
    """
    hosts = {one.host for one in fed}
    inner = [one for one in fed if runs.index(one) not in hosts]
    if not inner and giver is not None and giver.host is not None:
        inner = [runs[giver.host]]
    if not inner:
        return 'what follows it', ''
    return ' or '.join(dict.fromkeys(one.name for one in inner)), ' or '.join(dict.fromkeys(one.cls for one in inner))


def _steps(pair: _Pair) -> Iterator[Line]:
    owners = {name: one for one in reversed(pair.runs('train')) for name in one.parameters}
    for step in range(1, int(pair.one.made['steps']) + 1):
        stage, start = f'step {step}', f'step{step}/weights/'
        yield from pair.line(stage, 'the loss', '', 'the loss', f'step{step}/loss')
        for name in pair.names:
            if name.startswith(start):
                owner = owners.get(name[len(start):])
                layer = (owner.layer, owner.cls) if owner else (name[len(start):], '')
                what = f"{name[len(start):]} after an update by {pair.one.made['optimizer']}"
                yield from pair.line(stage, *layer, what, name)


# -- numbers ---------------------------------------------------------------------------------------------------------

def _distance(one: Optional[np.ndarray], other: Optional[np.ndarray],
              share: Optional[float]) -> Tuple[float, float, float]:
    """Return the largest difference, the largest value and the tolerance."""
    if one is None or other is None or one.shape != other.shape or one.dtype.kind != other.dtype.kind:
        return float('inf'), 0., 0.
    if one.dtype.kind != 'f':
        return float(np.sum(one != other)), float(one.size), 0.
    own, least = max((TOLERANCES[str(it.dtype)] for it in (one, other)))
    one, other = one.astype('float64'), other.astype('float64')
    with np.errstate(invalid='ignore'):
        distance = np.where((one == other) | np.isnan(one) & np.isnan(other), 0., np.abs(one - other))
    finite = [np.abs(it[np.isfinite(it)]).max(initial=0.) for it in (one, other)]
    return float(distance.max(initial=0.)), float(max(finite)), (share or own) * float(max(*finite, least))
