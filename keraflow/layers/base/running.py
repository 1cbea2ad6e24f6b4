"""How a layer runs: ``output`` on tensors, between the checks of what it takes and of what it gives."""
import itertools
import threading
from typing import Any, Callable, Dict, List, Optional, Sequence, Union

import numpy as np

from keraflow import backend as B
from keraflow import schema, shapes
from keraflow.argument_scopes import no_argscope
from keraflow.arguments import is_array_like
from keraflow.backend.contract import FLOATS, TensorSpec
from keraflow.backend.deferral import Deferred
from keraflow.backend.tensor_checks import check_numbers, described
from keraflow.backend.tensor_info import annotate, info_of
from keraflow.errors import ArgumentError, GraphError, ShapeError, describe, warn
from keraflow.graph.call_arguments import CallSignature, replaced
from keraflow.graph.records import frozen, record_run
from keraflow.layers.base.access import LayerAccess
from keraflow.layers.base.channels import inherited_features
from keraflow.layers.base.class_checks import names_reached, names_used, reads_masks
from keraflow.layers.base.input_spec import InputSpec, check_rank, specs_of
from keraflow.layers.base.masks import loses_mask, with_mask
from keraflow.layers.base.parameter_arguments import apply_arguments, complete_arguments
from keraflow.layers.base.planned import for_shapes
from keraflow.layers.base.reporting import Reporting
from keraflow.layers.base.slots import Run, initial_run, is_layer, run_of, running_host
from keraflow.layers.base.unused import tell_unused
from keraflow.owned import owned
from keraflow.sameness import same
from keraflow.serialization.reserved import of_program
from keraflow.shapes import Shape

__all__ = ['Running']


class Running(LayerAccess, Reporting):
    """The part of :class:`~keraflow.layers.Layer` that runs it on tensors."""

    multi_input: bool
    input_spec: Union[InputSpec, Sequence[Optional[InputSpec]], None]
    never_copied: frozenset
    input_dimension: Callable       # the word of the first Keraflow for the rank of the input, if a class has it
    init_param: Callable
    check_embedded_keys: Callable
    output: Callable
    output_shape: Callable
    output_mask: Callable
    check_input_shape: Callable
    get_tensor_shape: Callable
    _reads_masks: bool              # whether the class says that it reads the mask of its input
    #: What :meth:`output` takes beside its input.
    call_signature: CallSignature

    def __init__(self, name: Optional[str], dtype: Any) -> None:
        LayerAccess.__init__(self, name, dtype)
        Reporting.__init__(self)
        self._first_specs: List[TensorSpec] = []    # of the tensors that the parameters were made for
        self._first_features: List[Optional[int]] = []      # where their features are, as far as it is known
        self._first_arguments: Dict[str, Any] = {}  # of that call, with specs of tensors
        self._first_run: Optional[threading.RLock] = threading.RLock()  # held in it; None when it is over
        self._told: Dict[str, Run] = {}             # of what was told once: the run that told it

    def __init_subclass__(cls, **kwargs: Any):
        super().__init_subclass__(**kwargs)
        cls.call_signature = CallSignature(cls.output)
        if 'mask' in cls.call_signature.names:
            cls.output = with_mask(cls.output)
        cls._reads_masks = reads_masks(cls)
        answer = for_shapes(cls.output_shape)
        if answer is not cls.output_shape:
            cls.output_shape = answer

    def run(self, tensors: List[Any], arguments: Optional[Dict[str, Any]] = None) -> List[Any]:
        """The output tensors for these input tensors, and the arguments of the call beside them; the first time, the
        parameters are made."""
        arguments = dict(arguments or {})
        if 'mask' in arguments:
            tensors = self._with_masks(tensors, arguments.pop('mask'))
        making = self._first_run
        if making is not None:
            with making:        # what it makes is made by one thread
                if self._parameters.backend is None:
                    return self._run_first(tensors, arguments)
        return self._run_checked(tensors, self._shape_of(self._received(tensors)), arguments)

    def _taken(self, name: str, value: Any) -> Any:
        if run_of(self) is None:
            value = super()._taken(name, value)
            if self.built and name in names_reached(type(self), 'init_param') and \
                    'kind' not in vars(schema.arguments_of(type(self))[name].owner) and \
                    not same(vars(self)[name], value):      # what all layers have, such as `trainable`, counts later
                raise ArgumentError(f'{self.name}: {name} is read when the layer is first fed, and cannot be set any '
                                    f'more. Make a layer with {name}= in its place.')
            return value
        before = vars(self)[name]
        if not same(before, value):     # set by init_param() or output(), which a rebuilt layer calls again
            self._passed[name] = before
            self._kept -= {name}
        return value

    def _computes_with(self, name: str) -> bool:
        return run_of(self) is None and name not in self.never_copied and \
            bool(names_used(of_program(type(self)), {name}, beside=('__init__',)))

    def _with_masks(self, tensors: List[Any], given: Any) -> List[Any]:
        """Inputs with the masks that a call was given: one, or a list of one (or None) for each."""
        masks = list(given) if isinstance(given, (list, tuple)) and self.multi_input else [given]
        if len(masks) != len(tensors):
            raise ArgumentError(f'{self.name}: mask: expected a list of {len(tensors)} mask(s) (or None), one for each '
                                f'input, received {len(masks)}.')
        return [tensor if mask is None else
                annotate(B.identity(tensor), **info_of(tensor)._replace(mask=self._mask_for(tensor, mask))._asdict())
                for tensor, mask in zip(tensors, masks)]

    def _mask_for(self, tensor: Any, mask: Any) -> Any:
        check_numbers(mask, f'{self.name}: mask')
        mask = mask if B.is_tensor(mask) else B.constant(np.asarray(mask))
        expected, received = self.get_tensor_shape(tensor)[:2], tuple(B.static_shape(mask))
        if B.dtype(mask) != 'bool' or len(expected) < 2 or not shapes.agree(expected, received):
            raise ShapeError(f'{self.name}: mask: expected truth values of shape (batch, time), here {expected}, '
                             f'received {B.dtype(mask)} of shape {received}. Write for example B.not_equal(x, 0).')
        return mask

    def _run_first(self, tensors: List[Any], arguments: Dict[str, Any]) -> List[Any]:
        received = self._received(tensors)
        try:
            self._first_specs = received
            self._first_features = [info_of(tensor).features for tensor in tensors]
            self._first_arguments = owned(replaced(arguments, self._spec_of, B.is_tensor))
            with initial_run(self):
                self._build(self._shape_of(received), [spec.dtype for spec in received])
            outputs = self._run_checked(tensors, self._shape_of(received), arguments)
            complete_arguments(self)
            self.check_embedded_keys('slot')
        except Exception:
            self._forget_parameters()
            raise
        self._first_run = vars(self)['initial_weights'] = None      # whose arrays may be large
        tell_unused(self)
        return outputs

    def _build(self, input_shape: Any, dtypes: List[str]) -> None:
        """Make the parameters for inputs of this shape and these dtypes."""
        own = self._parameters
        own.dtype = own.dtype or next((dtype for dtype in dtypes if dtype in FLOATS), B.floatx())
        with B.outside_graph():
            self.init_param(input_shape)
        apply_arguments(self, list(own))
        own.backend = B.current()

    def _forget_parameters(self) -> None:
        self._parameters.forget(self._passed.get('dtype'))
        self._slots.forget()
        self._standing.clear()
        self._first_specs = []
        self._first_run = self._first_run or threading.RLock()

    def _first_run_is_over(self) -> bool:
        return self._first_run is None

    def _received(self, tensors: List[Any]) -> List[TensorSpec]:
        """What the layer is fed with, checked."""
        self._check_count(tensors)
        self._check_backend()
        received = list(map(self._spec_of, tensors))
        self._check_inputs(received)
        self.check_input_shape(self._shape_of(received))
        return received

    def _spec_of(self, tensor: Any) -> TensorSpec:
        return TensorSpec(self.get_tensor_shape(tensor), B.dtype(tensor))

    def _shape_of(self, received: List[TensorSpec]) -> Any:
        return [one.shape for one in received] if self.multi_input else received[0].shape

    def _run_checked(self, tensors: List[Any], input_shape: Any, arguments: Dict[str, Any]) -> List[Any]:
        tensors = [self._in_own_dtype(tensor) for tensor in tensors]
        with no_argscope(), frozen(not self.trainable), self._slots.run(tensors) as run:
            self._report_standing()
            result = self._call_output(tensors, arguments)
            outputs = [self._as_own(it) for it in (result if isinstance(result, (list, tuple)) else [result])]
        outputs = self._annotate(tensors, outputs, self._declared_shapes(input_shape, outputs),
                                 self._output_mask(tensors, input_shape))
        self.penalize(outputs)
        if not (self.reads_mask or run.hands_mask_in) and loses_mask(tensors, outputs):
            self._warn_of_lost_mask(run)
        record_run(self, outputs, running_host() is not None)
        return outputs

    def _call_output(self, tensors: List[Any], arguments: Dict[str, Any]) -> Any:
        for name in self.call_signature.required:
            if name not in arguments and name != 'mask':
                advice = f'Write output(self, x), where x is the list of the inputs, or pass {name}=.' \
                    if self.multi_input else f'Pass {name}=.'
                raise self.call_signature.arguments[name].missing(f'{self.name}: call', advice)
        return self.output(tensors if self.multi_input else tensors[0], **arguments)

    def _declared_shapes(self, input_shape: Any, outputs: List[Any]) -> List[Shape]:
        declared = self.output_shape(input_shape)
        if declared is None:
            return [self.get_tensor_shape(tensor) if B.is_tensor(tensor) else () for tensor in outputs]
        several = [declared] if shapes.is_shape(declared) else declared
        if not isinstance(several, (list, tuple)) or not all(map(shapes.is_shape, several)):
            raise ShapeError(f'{self.name}: output_shape(): expected a shape such as (None, 3), a list of shapes or '
                             f'None, received {describe(declared)}.')
        return [shapes.as_shape(one) for one in several]

    def _annotate(self, inputs: List[Any], outputs: List[Any], declared: List[Shape], mask: Any) -> List[Any]:
        if len(outputs) != len(declared):
            raise ShapeError(f'{self.name}: output_shape() gives {len(declared)} shape(s), but output() '
                             f'{len(outputs)} tensor(s). Make them the same number.')
        if not outputs:
            raise GraphError(f'{self.name}: output() returned an empty list, expected at least one tensor.')
        annotated = []
        for tensor, shape in zip(outputs, declared):
            if not B.is_tensor(tensor):
                raise GraphError(f'{self.name}: output() returned {described(tensor)}, expected a tensor. '
                                 f'{_advice_on_result(tensor)}')
            actual = shapes.as_shape(B.static_shape(tensor))
            if not shapes.agree(shape, actual):
                raise self._of_other_shape(shape, actual)
            known = shapes.merge(shape, actual)
            named = B.with_static_shape(tensor, known)
            # A mask that output() or an embedded layer recorded is the output's.
            info = info_of(tensor)
            kept = mask if info.mask is None else info.mask
            features = inherited_features(known, inputs) if info.features is None else info.features
            annotated.append(annotate(named, shape=known, mask=kept, features=features))
        return annotated

    def _of_other_shape(self, declared: Shape, actual: Shape) -> ShapeError:
        for name, kind in schema.kinds_of(type(self)).items():
            if kind == 'activation' and is_layer(vars(self).get(name)):
                return ShapeError(f'{self.name}: {name}: expected a layer that keeps the shape, as PReLU() does, '
                                  f'received {vars(self)[name]!r}, with which the output is {actual} and not '
                                  f'{declared}. Feed it with the output of this layer.')
        return ShapeError(f'{self.name}: output_shape() says {declared}, but output() gives {actual}. '
                          'Let output_shape() return the shape of what output() returns.')

    def _output_mask(self, tensors: List[Any], input_shape: Any) -> Any:
        masks = [info_of(tensor).mask for tensor in tensors]
        if all(mask is None for mask in masks):
            return None
        return self.output_mask(masks if self.multi_input else masks[0], input_shape)

    @property
    def reads_mask(self) -> bool:
        """Whether the layer reads the mask of its input, and so need not hand it on: whether :meth:`output` has the
        argument ``mask``. A property where that depends on the arguments of the layer; if it is False, ``mask`` is
        ``None``."""
        return self._reads_masks

    def _warn_of_lost_mask(self, run: Run) -> None:
        if self._told.setdefault('lost mask', run) is run:      # the first of all threads
            warn(f'{self.name}: the mask of its input is lost, because {type(self).__name__} neither hands it on nor '
                 'reads it: what follows takes the masked steps for steps that count. If that is meant, put a '
                 'Masking(None) before it.')

    def _in_own_dtype(self, tensor: Any) -> Any:
        """An input in the dtype of the parameters, if both are real: some libraries compute with one dtype only."""
        dtype = B.dtype(tensor)
        if not self._parameters or dtype == self.dtype or dtype not in FLOATS:
            return tensor
        info = info_of(tensor)
        return annotate(B.cast(tensor, self.dtype), shape=info.shape, mask=info.mask, features=info.features)

    def _as_own(self, tensor: Any) -> Any:
        """A tensor of which can be recorded what must not be recorded of an input or a parameter."""
        run = run_of(self)
        is_foreign = run is not None and any(tensor is one for one in run.inputs) or B.is_variable(tensor)
        return B.identity(tensor) if is_foreign else tensor

    def _check_count(self, tensors: List[Any]) -> None:
        if not tensors:
            raise GraphError(f'{self.name}: was fed an empty list. Feed it with at least one Kensor.')
        if len(tensors) > 1 and not self.multi_input:
            raise GraphError(
                f'{self.name}: expected one input, received {len(tensors)}. Join them first, with '
                'Concatenate() or with operators on Kensors such as a + b, or write a MultiInputLayer.')

    def _check_inputs(self, received: List[TensorSpec]) -> None:
        first = itertools.repeat(None) if self._parameters.backend is None else self._first_specs
        for spec, one, before in zip(specs_of(self.name, self.input_spec, len(received)), received, first):
            spec.check(self.name, one, before)
        for one in received if callable(getattr(type(self), 'input_dimension', None)) else ():
            check_rank(self.name, self.input_dimension(), one)


def _advice_on_result(value: Any) -> str:
    if value is None:
        return 'Does it end with return?'
    if isinstance(value, dict):
        return 'Return a list of tensors.'
    if isinstance(value, Deferred):
        return 'Compute it from the tensors that output() is given.'
    is_array = is_array_like(value) and not isinstance(value, str)
    return 'Write B.constant(...) of it.' if is_array else 'Compute it with functions of keraflow.backend.'
