"""Turn the arguments of ``compile`` into losses and metrics, each for one output."""
from typing import Any, Dict, List, Sequence

import numpy as np

from keraflow import metrics
from keraflow.arguments import assign, to_list
from keraflow.errors import ArgumentError
from keraflow.layers.network import Network
from keraflow.objectives.accuracies import is_accuracy
from keraflow.objectives.calling import tell_order
from keraflow.registry import find, ids, resolve
from keraflow.schema import check
from keraflow.training.loss_terms import Loss
from keraflow.training.targets import output_of, target_spec
from keraflow.training.totals import Report

__all__ = ['read_losses', 'read_metrics']

#: Names in the logs of callbacks that no metric may have.
OTHER_LOGS = ('epoch', 'size', 'lr', 'data_wait')


def read_losses(network: Network, given: Any, ignore_label: Any) -> List[Loss]:
    """Return the losses, for the outputs that have one.

    Raises
    ------
    ArgumentError
        If there is not one for each output.
    """
    names, where = network.output_names(), f'{network.name}: loss'
    if callable(given) or isinstance(given, str):
        given = [given]
    elif given is None:
        given = [None] * len(names)
    by_name = assign(given, names, where)
    if len(given) < len(names):
        raise ArgumentError(f'{where}: expected one for each output ({", ".join(names)}), received {len(given)}.')
    # Accuracies have no gradient: they are not suggested for a misspelt loss.
    known = [id for id in ids('objective') if not is_accuracy(find(id, 'objective').target)]    # type: ignore
    losses = [Loss(name, resolve('objective', one, f'{where}: ', known)) for name, one in by_name.items()]
    for one in losses:
        tell_order(one.objective, where)
    return _with_ignored_labels(network, ignore_label, losses)


def _with_ignored_labels(network: Network, given: Any, losses: List[Loss]) -> List[Loss]:
    where = f'{network.name}: ignore_label'
    able = [one.output for one in losses if target_spec(network, one).nb_class is not None]
    if given is not None and not able:
        raise ArgumentError(f"{where}: expected a loss that takes class indices, such as "
                            f"'sparse_categorical_crossentropy', received none.")
    labels: Dict[str, Any] = dict.fromkeys(able, given) if np.isscalar(given) else assign(given, able, where)
    for label in labels.values():
        check(label, int, where)
    return [one._replace(ignored=labels.get(one.output)) for one in losses]


def read_metrics(network: Network, given: Any, losses: Sequence[Loss]) -> List[Report]:
    """Return the metrics, for outputs that have a loss.

    Raises
    ------
    ArgumentError
        If there is not one, or a list, for each output.
    """
    if given is None:
        return []
    names = [one.output for one in losses]
    if len(names) == 1 and not isinstance(given, dict):
        given = {names[0]: to_list(given)}
    where = f'{network.name}: metrics'
    by_name = assign(given, names, where)
    if not isinstance(given, dict) and len(given) < len(names):
        raise ArgumentError(f'{where}: expected one (or a list, or None) for each output ({", ".join(names)}), '
                            f'received {len(given)}.')
    trained = {one.output: one.objective for one in losses}
    reports = []
    for name, some in by_name.items():
        kensor = output_of(network, name)
        nb_feature = kensor.shape[-1 if kensor.features is None else kensor.features]
        for one in to_list(some):
            metric = metrics.get(one, f'{where}: ').adapted_to(trained[name], nb_feature, where)
            reports.append(Report(name, metric, f'{metric.label}({name})' if len(names) > 1 else metric.label))
    _check_labels([report.label for report in reports], where)
    return reports


def _check_labels(labels: Sequence[str], where: str) -> None:
    advice = 'Write for example Average(objective, name=...) or AUC(name=...).'
    for label in labels:
        if label == 'loss' or labels.count(label) > 1:
            raise ArgumentError(f"{where}: expected different names, received '{label}' for two. {advice}")
        if label in OTHER_LOGS or label.startswith('val_'):
            raise ArgumentError(f"{where}: '{label}' already has another meaning in the logs. {advice}")
