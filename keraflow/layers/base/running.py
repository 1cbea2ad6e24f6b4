"""Run a layer on tensors: check its inputs, call ``output``, check its outputs."""
from typing import Any, Dict, List, Optional, Sequence

from keraflow import backend as B
from keraflow import shapes
from keraflow.backend.contract import FLOATS, TensorSpec
from keraflow.backend.tensor_info import annotate, info_of
from keraflow.backend.watching import current_watcher
from keraflow.errors import ArgumentTypeError, describe
from keraflow.graph.call_arguments import is_spec, parts_in, replaced
from keraflow.graph.records import frozen, record_run, recording
from keraflow.layers.base.channels import PlacedShape
from keraflow.layers.base.input_spec import INPUT_DTYPES, required_specs
from keraflow.layers.base.inputs import annotatable, checked_specs, in_own_dtype, shape_of, spec_of, with_masks
from keraflow.layers.base.masks import loses_mask
from keraflow.layers.base.outputs import annotated, declared_shapes
from keraflow.layers.base.parameter_arguments import apply_arguments, complete_arguments
from keraflow.layers.base.reporting import penalize
from keraflow.layers.base.run_state import initial_run, running_host
from keraflow.layers.base.unused import tell_unused
from keraflow.owned import owned
from keraflow.schema.argument_scopes import no_argscope

__all__ = ['build', 'build_for', 'run']


def run(layer: Any, tensors: List[Any], arguments: Optional[Dict[str, Any]] = None) -> List[Any]:
    """Return the output tensors of a layer for its input tensors and other arguments; the first run makes the
    parameters."""
    arguments = dict(arguments or {})
    if 'mask' in arguments:
        tensors = with_masks(layer, tensors, arguments.pop('mask'))
    making = layer._first_run.lock
    if making is not None:  # later runs need no lock
        with making:        # one thread makes parameters and slots
            if not layer._parameters.are_made:
                return _run_first(layer, tensors, arguments)

    def compute() -> List[Any]:
        return _run(layer, tensors, shape_of(layer, checked_specs(layer, tensors)), arguments)
    watcher = current_watcher()
    return compute() if watcher is None else watcher.layer(layer, tensors, arguments, compute)


def build_for(layer: Any, specs: Sequence[TensorSpec], arguments: Optional[Dict[str, Any]] = None) -> None:
    """Make the parameters of a layer, by a run on placeholders for these specs and those among the arguments."""
    def run_on(*tensors: Any) -> List[Any]:
        for tensor, spec in zip(tensors, specs):
            if isinstance(spec.shape, PlacedShape):
                annotate(tensor, features=spec.shape.features)
        others = iter(tensors[len(specs):])
        return layer.run(list(tensors[:len(specs)]), replaced(arguments, lambda spec: next(others), is_spec))
    with B.phase('train'), recording():
        B.trace(run_on, [*specs, *parts_in(arguments, is_spec)])


def build(layer: Any, input_shape: Any) -> None:
    """Make the parameters of a layer for a static input shape (a list of shapes for several inputs).

    Raises
    ------
    ArgumentTypeError
        If it is not a shape, or a list of shapes.
    """
    listed = [input_shape] if shapes.is_shape(input_shape) else input_shape
    if not isinstance(listed, (list, tuple)) or not all(map(shapes.is_shape, listed)):
        raise ArgumentTypeError(f'{layer.name}: build: expected a shape with the batch, such as (None, 3), or a list '
                                f'of them, received {describe(input_shape)}.')
    wanted = [spec.dtype for spec in required_specs(layer.name, layer.input_spec, len(listed))]
    real = layer.dtype or B.floatx()
    build_for(layer, [TensorSpec(shapes.as_shape(shape), INPUT_DTYPES[dtype] if dtype in ('bool', 'int') else real)
                      for shape, dtype in zip(listed, wanted)])


def _run_first(layer: Any, tensors: List[Any], arguments: Dict[str, Any]) -> List[Any]:
    received = checked_specs(layer, tensors)
    input_shape, first = shape_of(layer, received), layer._first_run
    try:
        first.specs = received
        first.arguments = owned(replaced(arguments, lambda tensor: spec_of(layer, tensor), B.is_tensor))
        with initial_run(layer):
            _make_parameters(layer, input_shape, [spec.dtype for spec in received])
        outputs = _run(layer, tensors, input_shape, arguments)
        complete_arguments(layer)   # not before: embedded layers have parameters only now
        layer._changes.check_keys('slot')
    except Exception:
        layer._forget_parameters()
        raise
    first.lock = vars(layer)['initial_weights'] = None      # its arrays may be large
    tell_unused(layer)
    return outputs


def _make_parameters(layer: Any, input_shape: Any, dtypes: List[str]) -> None:
    """Make the parameters for inputs of a shape and dtypes."""
    own = layer._parameters
    own.dtype = own.dtype or next((dtype for dtype in dtypes if dtype in FLOATS), B.floatx())
    with B.outside_graph():  # a layer is linked in a graph, where nothing has a value that init_param() could use
        layer.init_param(input_shape)
    apply_arguments(layer, list(own))
    own.backend = B.current()   # last, because it marks them as made


def _run(layer: Any, tensors: List[Any], input_shape: Any, arguments: Dict[str, Any]) -> List[Any]:
    tensors = [in_own_dtype(layer, tensor) for tensor in tensors]
    # Scopes do not reach into a layer, which must be the same when it is loaded elsewhere.
    with no_argscope(), frozen(not layer.trainable), layer._slots.run(tensors) as now:
        layer._reports.repeat()
        result = _call_output(layer, tensors, arguments)
        outputs = [annotatable(layer, it) for it in (result if isinstance(result, (list, tuple)) else [result])]
    outputs = annotated(layer, input_shape, outputs, declared_shapes(layer, input_shape, outputs),
                        _output_mask(layer, tensors, input_shape))
    penalize(layer, outputs)
    if not (layer.reads_mask or now.hands_mask_in) and loses_mask(tensors, outputs):
        layer._reports.lost_mask()
    record_run(layer, outputs, running_host() is not None)
    return outputs


def _call_output(layer: Any, tensors: List[Any], arguments: Dict[str, Any]) -> Any:
    for name in layer.call_signature.required:
        if name not in arguments and name != 'mask':
            advice = f'Write output(self, x), where x is the list of the inputs, or pass {name}=.' \
                if layer.multi_input else f'Pass {name}=.'
            raise layer.call_signature.arguments[name].missing(f'{layer.name}: call', advice)
    return layer.output(tensors if layer.multi_input else tensors[0], **arguments)


def _output_mask(layer: Any, tensors: List[Any], input_shape: Any) -> Any:
    masks = [info_of(tensor).mask for tensor in tensors]
    if all(mask is None for mask in masks):
        return None
    return layer.output_mask(masks if layer.multi_input else masks[0], input_shape)
