"""Targets: what arrays a loss needs, and which of their values count in a run."""
from typing import Any, Sequence, Tuple

from keraflow import backend as B
from keraflow.backend.tensor_info import annotate, info_of
from keraflow.data.array_spec import ArraySpec, WarnOnce
from keraflow.data.casting import class_problem
from keraflow.graph.counted import expand_mask, without
from keraflow.graph.kensor import Kensor
from keraflow.layers.network import Network
from keraflow.objectives.base import class_numbers, target_of
from keraflow.objectives.doubts import doubt_of
from keraflow.training.loss_terms import Loss

__all__ = ['output_of', 'seen_target', 'target_spec']


def output_of(network: Network, name: str) -> Kensor:
    """Return the output with this name, by which data and losses refer to it."""
    return dict(zip(network.output_names(), network.outputs))[name]


def target_spec(network: Network, loss: Loss, metrics: Sequence[Any] = ()) -> ArraySpec:
    """Return what the target for a loss must be like, and what it and the metrics find doubtful.

    Each spec gives each kind of warning once.
    """
    kensor = output_of(network, loss.output)
    target = target_of(loss.objective, (None, *kensor.shape[1:]), kensor.dtype, kensor.features)
    mask = kensor.mask_shape
    return ArraySpec(loss.output, *target, role='target', ignored=loss.ignored, warn=WarnOnce(),
                     doubt=None if target.nb_class else doubt_of(loss.objective, metrics, kensor.features),
                     is_masked=mask is not None and len(mask) < len(target.shape))


def seen_target(y_pred: Any, y_true: Any, spec: ArraySpec, where: str) -> Tuple[Any, Any]:
    """Return a prediction and its target as losses and metrics see them.

    The mask of the prediction also excludes an ignored label. Where it excludes a value, the target becomes 0, so that
    its original value does not matter. The remaining values are checked in the run.
    """
    if spec.ignored is not None:
        y_pred = _masked(y_pred, B.not_equal(class_numbers(y_pred, y_true), spec.ignored))
    mask = info_of(y_pred).mask
    if mask is None or B.ndim(mask) == B.ndim(y_true) > 1:
        return y_pred, y_true
    y_true = without(mask, y_true)
    if spec.is_masked and spec.nb_class is not None:
        is_class = B.logical_and(B.greater_equal(y_true, 0), B.less(y_true, spec.nb_class))
        y_true = B.require(y_true, is_class, f'{where}: {spec.name}: {class_problem(spec.nb_class, spec.ignored)} at '
                           'steps that count, received another one.')
    elif spec.is_masked:
        y_true = B.require(y_true, B.isfinite(y_true), f'{where}: {spec.name}: there is a NaN or an infinite value in '
                           'the target of a step that counts. Replace such values first, or mask the step.')
    return y_pred, y_true


def _masked(y_pred: Any, counted: Any) -> Any:
    """Return the prediction with a mask that also excludes where `counted` is False."""
    info = info_of(y_pred)
    if info.mask is not None:
        low, high = sorted([info.mask, counted], key=B.ndim)
        counted = B.logical_and(expand_mask(low, high), high)
    return annotate(B.identity(y_pred), **info._replace(mask=counted)._asdict())    # the output itself keeps its mask
