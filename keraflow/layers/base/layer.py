"""Layer: the page everybody must read.

A layer is written by saying what it stores (``__init__``), which parameters it makes (``init_param``), what it computes
(``output``) and the shape of that (``output_shape``). The rest is in the files beside this one:
``access.py`` has what users may ask of a layer, ``running.py`` runs layers on tensors, ``slots.py`` keeps those that
layers embed, ``calls.py`` calls them on Kensors, ``parameters.py`` makes parameters, ``weights.py`` reads and
sets them, ``layer_name.py`` has names, and ``reporting.py`` what a run tells beside its output.
"""
import copy
from typing import Any, Dict, List, Optional, Sequence, Union, overload

from keraflow import backend as B
from keraflow import registry, shapes
from keraflow.arguments import as_numbers, is_array_like
from keraflow.backend.contract import TensorSpec
from keraflow.backend.dtypes import value_dtype
from keraflow.backend.tensor import Operand, Tensor
from keraflow.backend.tensor_checks import check_fits, check_tensor
from keraflow.backend.tensor_info import annotate, info_of
from keraflow.checked import checked
from keraflow.errors import ArgumentError, ArgumentTypeError, GraphError, SerializationError, ShapeError, describe
from keraflow.graph import naming
from keraflow.graph.call_arguments import is_kensor, is_spec, parts_in, replaced
from keraflow.graph.kensor import Kensor
from keraflow.graph.records import recording
from keraflow.habits import no_attribute
from keraflow.layers.base.changes import NESTED, ChangeableHost, EmbeddedArguments
from keraflow.layers.base.class_checks import check_class
from keraflow.layers.base.copying import copy_attributes
from keraflow.layers.base.input_spec import INPUT_DTYPES, InputSpec, specs_of
from keraflow.layers.base.masks import inherit_mask, joint_mask
from keraflow.layers.base.running import Running
from keraflow.layers.base.slots import run_of, running_host
from keraflow.layers.base.variables import Parameter
from keraflow.schema import Constraint, Constraints, DType, Initialization, Name, Natural, Regularizer, Regularizers
from keraflow.serialization import pack_init_params
from keraflow.shapes import Shape, unlist

__all__ = ['Layer', 'MultiInputLayer', 'Parameter', 'advice_for_class']


class Layer(ChangeableHost, Running):
    """A layer with one input. It takes a Kensor and returns a Kensor (or a list of them).

    Parameters
    ----------
    name : str, optional
        Unique in a model. Letters, digits, ``_``, ``-``, ``.``; numbered by class (``dense1``) unless given.
    trainable : bool
        Whether training changes the parameters, those of embedded layers included.
    initial_weights : dict, list or array, optional
        Values to start from instead of those of ``init``: by name (``'0/W'`` for one of an embedded layer), in the
        order of the parameters, or for the first parameter alone. They are copied at once, and let go when the layer is
        first fed.
    regularizers, constraints : dict or list, optional
        By name (``'0/W'`` for one of an embedded layer) or in the order of the parameters: names (``'l1'``) or objects
        (``L1(0.1)``); ``None`` for none.
    activity_regularizer : str or object, optional
        A regularizer of the output: training adds what it gives, divided by the number of samples in the batch. Steps
        that are masked are 0 for it.
    dtype : str, optional
        Of the parameters, and what a layer that has some casts real inputs to; that of the first input with real
        numbers unless given.
    embedded_arguments : dict, optional
        Other arguments for embedded layers than those that :meth:`output` makes them with, by slot:
        ``{'0': {'trainable': False}}``; for those of a model in a slot by name. So a file keeps what is changed of one.

    Examples
    --------
    >>> from keraflow import backend as B
    >>> from keraflow.layers import Input, Layer
    >>> class Twice(Layer):
    ...     def output(self, x):
    ...         return x * 2
    >>> Twice()(Input(3)).shape
    (None, 3)
    """

    kind = 'layer'
    omit_if_default = frozenset({'name', 'trainable', 'regularizers', 'constraints', 'activity_regularizer', 'dtype',
                                 NESTED})
    never_saved = frozenset({'initial_weights'})
    extensible_methods = frozenset({'output'})
    set_without_rebuild = frozenset({'trainable', 'regularizers', 'constraints'})
    #: Attributes that a copy does not take over.
    never_copied: frozenset = frozenset()
    #: Whether the layer takes a list of inputs.
    multi_input = False
    #: Whether the mask of the input (of several: where all are True) is also that of the output. May be a property.
    supports_masking: bool = False
    #: What the inputs must be: one for all of them, or a list in their order; ``None`` for anything. May be a property.
    input_spec: Union[InputSpec, Sequence[Optional[InputSpec]], None] = InputSpec()

    def __init__(self, name: Optional[Name] = None, trainable: bool = True, initial_weights: Any = None,
                 regularizers: Regularizers = None, constraints: Constraints = None,
                 activity_regularizer: Optional[Regularizer] = None, dtype: Optional[DType] = None,
                 embedded_arguments: EmbeddedArguments = None):
        Running.__init__(self, name, dtype)
        ChangeableHost.__init__(self, embedded_arguments)
        self.trainable = trainable
        self.initial_weights = initial_weights
        self.regularizers = regularizers
        self.constraints = constraints
        self.activity_regularizer = activity_regularizer

    def __init_subclass__(cls, **kwargs: Any):
        check_class(cls, Layer)
        super().__init_subclass__(**kwargs)
        if 'supports_masking' in vars(cls) and 'support_mask' not in vars(cls):
            cls.support_mask = Layer.support_mask     # type: ignore[method-assign]  # of two words the last one

    def _remember(self, given: Dict[str, Any], passed: Dict[str, Any]) -> None:
        if '_slots' not in vars(self):
            raise ArgumentError(f'{type(self).__name__}: __init__ does not call super().__init__(**kwargs). '
                                'Write it as its first line.')
        super()._remember(given, passed)

    # -- what a layer may define ------------------------------------------------------------------------------------

    def init_param(self, input_shape: Any) -> None:
        """Make the parameters, with :meth:`set_trainable_params`, for inputs of this static shape (a list of them
        for several)."""

    def output(self, x: Any) -> Any:
        """The output tensor (or a list of them) for the input tensor (a list of them for several). Repeatable: it
        makes no parameters after its first run. Layers that it calls on tensors are embedded, as by :meth:`embed`.

        One that has an argument ``mask`` reads the mask of the input: it is given it (of several: the list of them), or
        ``None``. Others are arguments of a call: ``layer(x, scale=2.)`` for ``output(self, x, scale=1.)``.
        """
        return x

    def output_shape(self, input_shape: Any) -> Any:
        """The static shape of what :meth:`output` returns (a list for several), said without a backend; ``None``, as
        unless defined, where only the backend knows it.

        Asked with a list of shapes if the layer takes several inputs, or with one shape for one input.
        """
        return None

    def check_input_shape(self, input_shape: Any) -> None:
        """Raise a ShapeError unless the input (a list for several) has a static shape that the layer can use: for what
        :attr:`input_spec` cannot say.

        Unless defined: several inputs have the same shape.
        """
        if self.multi_input:
            self._check_equal_shapes(input_shape)

    def output_mask(self, input_mask: Any, input_shape: Any) -> Any:
        """The mask of the output, for a layer that changes the time axis; ``None`` if there is none any more.

        Unless defined, that of the input if :attr:`supports_masking`, else ``None``. Asked only where an input has a
        mask. With several inputs both arguments are lists, in which ``None`` stands for no mask.

        A mask that goes no further is told in a warning, unless :meth:`output` reads it. A layer that makes a mask, as
        Masking does, returns a tensor that has it: :meth:`set_tensor_mask`. That one wins.
        """
        if not self.support_mask():
            return None
        return joint_mask(input_mask) if self.multi_input else input_mask

    # -- what the methods above use ---------------------------------------------------------------------------------

    def set_trainable_params(self, *pairs: Any) -> None:
        """Register parameters: ``set_trainable_params('W', W, 'b', b)``. Each becomes a variable and an attribute.

        Parameters
        ----------
        *pairs : str, array, str, array, ...
            Names and initial values (arrays, variables or tensors), in the order in which lists of weights,
            regularizers and constraints go.
        """
        self._parameters.make_pairs(pairs, 'set_trainable_params')

    def set_state_params(self, *pairs: Any) -> None:
        """Register state: variables that are saved with the weights, but that only ``add_update`` changes."""
        self._parameters.make_pairs(pairs, 'set_state_params', is_state=True)

    @checked
    def add_weight(self, name: Name, shape: Sequence[Natural], dtype: Optional[DType] = None,
                   init: Initialization = 'glorot_uniform', regularizer: Optional[Regularizer] = None,
                   trainable: bool = True, constraint: Optional[Constraint] = None) -> Any:
        """Make a parameter, or find it again: may also be written inside of ``output``.

        Parameters
        ----------
        name : str
        shape : sequence of int
        dtype : str, optional
            That of the layer unless given.
        init : str or function
            Initialization of its value.
        regularizer, constraint : str or object, optional
            Those among the arguments of the layer win.
        trainable : bool
            Whether it is a parameter that training changes, or a state.

        Returns
        -------
        variable
            The one of that name, of this shape.

        Raises
        ------
        ShapeError
            If there is one of that name and another shape.
        ArgumentError
            If there is one of that name that was made with another dtype, regularizer or constraint, or as no state;
            and for a regularizer or constraint of a state, which would count nothing.
        """
        asked = {'regularizer': regularizer, 'constraint': constraint}
        asked = {kind: registry.resolve(kind, one, f'{self.name}: {name}: ') for kind, one in asked.items()
                 if one is not None}
        return self._parameters.add(name, tuple(shape), dtype, init, not trainable, asked)

    def _initialize(self, name: str, init: Any, shape: Sequence[Any]) -> None:
        """Make a parameter with the values that an initialization gives for this shape, and for no other."""
        self._parameters.initialize(name, init, shape)

    def embed(self, layer: 'Layer') -> Any:
        """A function from tensors to tensors that runs an inner layer, whose parameters become those of this layer.

        The same as to call the inner layer inside of :meth:`output`: that of the first run is kept in a slot, and the
        layers that later runs make are checked against what it was then, and dropped.

        Examples
        --------
        >>> from keraflow.layers import Dense, Input, Layer
        >>> class Block(Layer):
        ...     def output(self, x):
        ...         return self.embed(Dense(4, regularizers=['l1']))(x)
        ...     def output_shape(self, input_shape):
        ...         return (input_shape[0], 4)
        >>> block = Block()
        >>> _ = block(Input(3))
        >>> sorted(block.get_weights())
        ['0/W', '0/b']
        """
        if not isinstance(layer, Layer):
            raise ArgumentTypeError(f'{self.name}: embed: expected a layer, received {describe(layer)}.'
                                    f'{advice_for_class(layer)}')
        inner = self._slots.take(layer)

        def run(tensors: Any, *args: Any, **kwargs: Any) -> Any:
            fed, own = list(tensors) if isinstance(tensors, (list, tuple)) else [tensors], run_of(self)
            fed = [inherit_mask(inner._as_tensor(tensor), () if own is None else own.inputs) for tensor in fed]
            if own is not None and any(info_of(tensor).mask is not None for tensor in fed):
                own.hands_mask_in = True
            return unlist(inner.run(fed, inner.call_signature.given(inner, args, kwargs)))
        return run

    def get_tensor_shape(self, tensor: Any) -> Shape:
        """Static shape of a raw tensor, for example ``(None, 64)``; also of results of backend functions."""
        check_tensor(tensor, f'{self.name}: get_tensor_shape')
        known = info_of(tensor).shape
        return shapes.as_shape(B.static_shape(tensor)) if known is None else known

    def get_tensor_mask(self, tensor: Any) -> Any:
        """The mask of a raw tensor: a bool tensor, True where a step counts; ``None`` if there is none.

        That of its input a layer gets as the argument ``mask`` of :meth:`output`. A class of the program that uses this
        method counts as one that reads the mask, as with the first Keraflow.
        """
        check_tensor(tensor, f'{self.name}: get_tensor_mask')
        return info_of(tensor).mask

    def set_tensor_mask(self, tensor: Any, mask: Any) -> Any:
        """A tensor for :meth:`output` to return, with this mask (``None`` for none)."""
        check_tensor(tensor, f'{self.name}: set_tensor_mask')
        if mask is not None:
            check_tensor(mask, f'{self.name}: set_tensor_mask: mask')
        return annotate(self._as_own(tensor), mask=mask)

    def support_mask(self) -> bool:
        """The first Keraflow's word for :attr:`supports_masking`, which a class may still override."""
        return self.supports_masking

    # -- what users call --------------------------------------------------------------------------------------------

    def __getattr__(self, name: str) -> Any:
        now = self._current_names.get(name, name)
        if now != name or hasattr(type(self), name):        # a property that raised an AttributeError of its own
            return object.__getattribute__(self, now)
        raise no_attribute(f"'{type(self).__name__}' object", name, dir(type(self)))

    @overload
    def __call__(self, inputs: Union[Kensor, 'Layer', Sequence[Union[Kensor, 'Layer']]], *args: Any,
                 **kwargs: Any) -> Kensor: ...

    @overload
    def __call__(self, inputs: Operand, *args: Any, **kwargs: Any) -> Tensor: ...

    def __call__(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        """Feed the layer: with Kensors it links and gives Kensors; with tensors (or arrays) it runs and gives
        tensors.

        Parameters
        ----------
        inputs : Kensor, tensor, array, or list of them for several
        *args, **kwargs
            For the other arguments of :meth:`output`: what is saved with the call, numbers, strings, arrays, and lists
            and dicts of these; and Kensors, which are then inputs of the call, too.
        mask : Kensor, tensor or array (a list of them for several inputs), optional
            Truth values ``(batch, time)`` that become the mask of the input.

        Raises
        ------
        ArgumentTypeError
            For an argument that :meth:`output` does not have, or a value that cannot be kept with the call.
        """
        fed = list(inputs) if isinstance(inputs, (list, tuple)) else [inputs]
        fed = [it.as_kensor() if isinstance(it, Layer) else it for it in fed]
        arguments = self.call_signature.given(self, args, kwargs) if args or kwargs else {}
        if not any(map(is_kensor, [*fed, *parts_in(arguments)])):
            host = running_host()
            if host is not None:
                return host.embed(self)(inputs, **arguments)
            return unlist(B.without_layouts(B.no_autograph(self.run)([self._as_tensor(it) for it in fed], arguments)))
        return unlist(self._link(fed, arguments))

    def _as_tensor(self, it: Any) -> Any:
        if B.is_tensor(it):
            return it
        if isinstance(it, str) or not is_array_like(it):
            raise GraphError(f'{self.name}: expected a Kensor, a tensor or an array, received {describe(it)}.'
                             f'{advice_for_class(it)}')
        check_fits(as_numbers(it, self.name), value_dtype(it, B.floatx()), self.name)
        return B.current().constant(it)

    def build(self, input_shape: Any) -> None:
        """Make the parameters now, for inputs of this static shape with the batch (a list of them for several).

        Examples
        --------
        >>> from keraflow.layers import Dense
        >>> dense = Dense(2)
        >>> dense.build((None, 3))
        >>> dense.built, dense.count_params()
        (True, 8)
        """
        listed = [input_shape] if shapes.is_shape(input_shape) else input_shape
        if not isinstance(listed, (list, tuple)) or not all(map(shapes.is_shape, listed)):
            raise ArgumentTypeError(f'{self.name}: build: expected a shape with the batch, such as (None, 3), or a '
                                    f'list of them, received {describe(input_shape)}.')
        wanted = [spec.dtype for spec in specs_of(self.name, self.input_spec, len(listed))]
        real = self.dtype or B.floatx()
        self._make_for([TensorSpec(shapes.as_shape(shape), INPUT_DTYPES[dtype] if dtype in ('bool', 'int') else real)
                        for shape, dtype in zip(listed, wanted)])

    def _link(self, kensors: List[Kensor], arguments: Dict[str, Any]) -> List[Kensor]:
        return self._calls.link(kensors, arguments)

    def _make_for(self, specs: Sequence[TensorSpec], features: Sequence[Optional[int]] = (),
                  arguments: Optional[Dict[str, Any]] = None) -> None:
        """Run on placeholders of these specs, with their features on these axes where that is known, and of the specs
        among the arguments of a call."""
        def run(*tensors: Any) -> List[Any]:
            for tensor, axis in zip(tensors, features):
                annotate(tensor, features=axis)
            others = iter(tensors[len(specs):])
            return self.run(list(tensors[:len(specs)]), replaced(arguments, lambda spec: next(others), is_spec))
        with B.phase('train'), recording():
            B.trace(run, [*specs, *parts_in(arguments, is_spec)])

    def apply(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        """The same as a call of the layer."""
        return self(inputs, *args, **kwargs)

    def __deepcopy__(self, memo: Dict[int, Any]) -> 'Layer':
        """A layer with the same arguments and values and with new variables. Only the layer that is asked for (and not
        those inside of it) gets a new name, so that both can be in one model."""
        outermost = not memo
        params = copy.deepcopy(pack_init_params(self), memo)
        if outermost and 'name' in params:
            params['name'] = naming.unique(params['name'])
        made = memo[id(self)] = type(self)(**self.unpack_init_param(params))
        if not self._first_specs:
            made.initial_weights = self.initial_weights
        copy_attributes(self, made, memo)
        if self._first_specs and not made.built:
            made._make_for(self._first_specs, self._first_features, self._first_arguments)
            made.set_weights(self.get_weights())
        return made

    def __copy__(self) -> 'Layer':
        raise GraphError(f'{self.name}: copy.copy would share the parameters of this {type(self).__name__} without '
                         'saying so. Write copy.deepcopy for a copy with parameters of its own, or use the same object '
                         'twice.')

    def __reduce_ex__(self, protocol: Any) -> Any:
        raise SerializationError(f'{self.name}: a layer is not pickled, because reading a pickle can run code. '
                                 'Write keraflow.serialize(layer) and get_weights(), or copy.deepcopy for a copy.')

    def as_kensor(self) -> Kensor:
        """The Kensor that stands for the layer where one is wanted; only an Input and a Sequential that starts with
        one have it."""
        raise GraphError(f'{self.name}: expected a Kensor, received the layer {type(self).__name__} itself. '
                         f'Feed it first: {type(self).__name__}(...)(x).')

    def _check_equal_shapes(self, input_shapes: List[Shape]) -> None:
        for shape in input_shapes[1:]:
            if not shapes.agree(shape, input_shapes[0]):
                raise ShapeError(
                    f'{self.name}: expected inputs of one shape, received {", ".join(map(str, input_shapes))}.')


def advice_for_class(value: Any) -> str:
    return f' Make an object of it: {value.__name__}(...).' if isinstance(value, type) else \
        getattr(value, 'how_to_feed', '')


class MultiInputLayer(Layer):
    """A layer with several inputs: ``output`` and the shape methods get lists."""

    multi_input = True
