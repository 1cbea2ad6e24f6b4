"""What ``compile`` was told, as an object that is saved and rebuilt like any other."""
from typing import Annotated, Any, Dict, Optional, Sequence

from keraflow.errors import ArgumentError
from keraflow.files.refusal import excerpt
from keraflow.graph.addresses import layer_names
from keraflow.graph.trainability import Trainability
from keraflow.registry import builtin
from keraflow.schema import Execution, Objective
from keraflow.schema.marks import Kind
from keraflow.serialization import Serializable, pack_init_params
from keraflow.training.functions import CompiledFunctions

__all__ = ['CompileSettings']


@builtin('settings')
class CompileSettings(Serializable):
    """The arguments of ``compile``, by the names of outputs.

    Parameters
    ----------
    optimizer : Optimizer
        With the learning rate that it was made with: what it is now belongs to the state of a training.
    loss : dict
        For each output its objective, or None.
    metrics : dict
        For each output that has some, a list of metrics.
    ignore_label : dict, optional
        The label that does not count, for outputs that have one.
    report_terms : bool
    execution : str
    trainable : dict, optional
        What ``compile`` read of ``trainable`` of layers that have another one now; '' is the model itself.
    """

    kind = 'settings'
    omit_if_default = frozenset({'trainable'})

    def __init__(self, optimizer: Annotated[Any, Kind('optimizer')], loss: Dict[str, Optional[Objective]],
                 metrics: Dict[str, Sequence[Annotated[Any, Kind('metric')]]],
                 ignore_label: Optional[Dict[str, int]] = None, report_terms: bool = False,
                 execution: Execution = 'auto', trainable: Optional[Dict[str, bool]] = None):
        self.optimizer = optimizer
        self.loss = loss
        self.metrics = metrics
        self.ignore_label = ignore_label
        self.report_terms = report_terms
        self.execution = execution
        self.trainable = trainable

    @classmethod
    def of(cls, functions: CompiledFunctions) -> 'CompileSettings':
        """Return the settings of what ``compile`` made."""
        metrics: Dict[str, Sequence[Any]] = {}
        for report in functions.metrics:
            metrics[report.output] = [*metrics.get(report.output, []), report.metric]
        losses = {one.output: one.objective for one in functions.losses}
        ignored = {one.output: one.ignored for one in functions.losses if one.ignored is not None}
        layers = _layers(functions.network)
        changed = functions.predictor.trainability.since_changed()
        trainable = {name: changed[id(layer)] for name, layer in layers.items() if id(layer) in changed}
        return cls(_as_made(functions.optimizer), {name: losses.get(name) for name in functions.network.output_names()},
                   metrics, ignored or None, functions.reports_terms, functions.asked, trainable or None)

    def compile(self, network: Any) -> None:
        """Compile a network with these settings.

        Raises
        ------
        ArgumentError
            If it has no output or no layer of a name in them.
        """
        arguments, layers, trainability = pack_init_params(self), _layers(network), Trainability([network])
        for name, value in (arguments.pop('trainable', None) or {}).items():
            if name not in layers:
                raise ArgumentError(f"{network.name}: compile: trainable: there is no layer '{excerpt(name)[1:-1]}'.")
            trainability.record(layers[name], value)
        with trainability.kept():
            network.compile(**arguments)


def _layers(network: Any) -> Dict[str, Any]:
    """Return a network and the layers in it by name; that of the network itself is ''."""
    by_id = {id(layer): layer for layer in Trainability([network]).layers}
    return {'': network, **{name: by_id[number] for number, name in layer_names(network).items()}}


def _as_made(optimizer: Any) -> Any:
    """Return an optimizer with the same arguments, but with the learning rate that this one was made with."""
    arguments = pack_init_params(optimizer)
    if 'lr' in arguments:
        arguments['lr'] = optimizer.first_lr
    return type(optimizer)(**optimizer.unpack_init_param(arguments))
