"""The parts of a profile, from the runs of a step and the watches that measured them."""
import math
from typing import Any, Dict, List, Sequence, Tuple

from keraflow import backend as B
from keraflow.graph.addresses import layer_names
from keraflow.graph.parameters import parameters_of
from keraflow.training.profiling.counting import Cost, PartRun
from keraflow.training.profiling.profile import PartProfile
from keraflow.training.profiling.timing import Stopwatch

__all__ = ['STAGES', 'rows_of', 'stages_of']

#: What each stage of a step adds to those before it.
STAGES = 'data', 'forward', 'backward', 'update', 'Python'


def stages_of(watches: Sequence[Stopwatch]) -> Dict[str, float]:
    """Return the milliseconds of each stage, from a watch for each that measured all until its end."""
    until = [1000 * one.least for one in watches]
    return {name: after - before for name, before, after in zip(STAGES, [0., *until], until)}


def rows_of(network: Any, optimizer: Any, whole: PartRun, watches: Sequence[Sequence[Stopwatch]],
            stages: Dict[str, float]) -> List[PartProfile]:
    """Return the parts of a step: runs of one layer in one place are one part.

    Parameters
    ----------
    network, optimizer
    whole : PartRun
        All that was counted.
    watches : sequence
        For each run inside it the watches of nothing of it, of the run forward, and of it with its gradients, if it has
        some; or none.
    stages : dict
        Of :func:`stages_of`.
    """
    names = layer_names(network)
    watches_of = {id(run): some for run, some in zip(whole.all_inside(), watches)}
    found: Dict[Tuple[str, str], PartProfile] = {}

    def visit(run: PartRun, inside: str) -> None:
        for one in run.inner:
            if one.is_loop:
                visit(one, inside)
                continue
            path = '(loss)' if one.layer is None else names.get(id(one.layer), one.layer.name)
            made = found.setdefault((inside, path), _part(path, one.layer, inside))
            _add(made, one, watches_of[id(one)])
            visit(one, path)
    visit(whole, '')
    return [PartProfile('(data)', 'a batch', forward=stages['data']), *found.values(),
            PartProfile('(update)', type(optimizer).__name__, forward=stages['update']),
            PartProfile('(Python)', 'of fit', forward=stages['Python'])]


def _part(path: str, layer: Any, inside: str) -> PartProfile:
    if layer is None:
        return PartProfile(path, 'and metrics', inside, nb_run=0)
    nb_param = sum(math.prod(B.static_shape(one.variable)) for one in parameters_of([layer]))
    return PartProfile(path, type(layer).__name__, inside, nb_run=0, nb_param=nb_param)


def _add(made: PartProfile, run: PartRun, watches: Sequence[Stopwatch]) -> None:
    """Add what a run costs and takes."""
    made.nb_run += 1
    for name in Cost.names:
        setattr(made, name, getattr(made, name) + getattr(run.cost, name))
    if len(watches) > 1:
        made.forward = (made.forward or 0.) + 1000 * (watches[1].least - watches[0].least)
    if len(watches) > 2:
        made.backward = (made.backward or 0.) + 1000 * (watches[2].least - watches[1].least)
