"""Layer: the page everybody must read.

A layer stores its arguments (``__init__``), says which parameters it has (``param_specs``), computes (``output``) and
says the shape of what it computes (``output_shape``)::

    class Scaled(Layer):
        def __init__(self, init='one', **kwargs):
            super().__init__(**kwargs)
            self.init = init                        # under the name of the argument, so that it is saved

        def param_specs(self, input_shape):
            return {'W': ParameterSpec(input_shape[1:], self.init)}

        def output(self, x):
            return x * self.W                       # what param_specs() calls 'W'

        def output_shape(self, input_shape):
            return input_shape

The first run calls ``check_input_shape``, ``init_param``, which makes the parameters, and ``output``; each later one
the first and the last of them. Then ``output_shape`` and ``output_mask`` are asked. Each of these hooks has a default.
They come first here, then what they may use, then how a layer is called. What it has, and what a program may ask of it,
is in ``access.py``; how it runs, in ``running.py``.
"""
from typing import Any, Dict, List, Optional, Sequence, Union, overload

from keraflow import backend as B
from keraflow import shapes
from keraflow.backend.tensor import Operand, Tensor
from keraflow.backend.tensor_checks import check_tensor
from keraflow.backend.tensor_info import annotate, info_of
from keraflow.graph.call_arguments import CallSignature, is_kensor, parts_in
from keraflow.graph.kensor import Kensor
from keraflow.graph.records import recorded_value, runs_frozen
from keraflow.layers.base import reporting, running
from keraflow.layers.base.access import LayerAccess
from keraflow.layers.base.changes import NESTED, EmbeddedArguments
from keraflow.layers.base.class_checks import check_class
from keraflow.layers.base.embedding import embedded
from keraflow.layers.base.hooks import complete_hooks
from keraflow.layers.base.input_spec import InputSpec, check_equal_shapes
from keraflow.layers.base.inputs import as_own, as_tensor
from keraflow.layers.base.masks import joint_mask
from keraflow.layers.base.planned import EmbeddedInputs, ParameterSpecs
from keraflow.layers.base.slots import running_host
from keraflow.schema import Constraint, Constraints, DType, Initialization, Name, Natural, Regularizer, Regularizers
from keraflow.schema.checked import checked
from keraflow.shapes import Shape, unlist

__all__ = ['Layer', 'MultiInputLayer']


class Layer(LayerAccess):
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

    Notes
    -----
    What a layer does with the mask of its input is seen in its class, in three ways: it hands the mask on
    (:attr:`supports_masking`), changes it (:meth:`output_mask`), or reads it (:meth:`output` has an argument ``mask``).
    Otherwise the mask is lost, which is told in a warning.

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

    #: Whether the layer takes a list of inputs.
    multi_input = False
    #: What the inputs must be: one for all of them, or a list in their order; ``None`` for anything. May be a property.
    input_spec: Union[InputSpec, Sequence[Optional[InputSpec]], None] = InputSpec()
    #: Whether the mask of the input (of several: where all are True) is also that of the output. May be a property.
    supports_masking: bool = False

    # What keraflow.serialization.Serializable wants to know of the arguments below.
    kind = 'layer'
    omit_if_default = frozenset({'name', 'trainable', 'regularizers', 'constraints', 'activity_regularizer', 'dtype',
                                 NESTED})
    never_saved = frozenset({'initial_weights'})
    extensible_methods = frozenset({'output'})
    set_without_rebuild = frozenset({'trainable', 'regularizers', 'constraints'})

    # What hooks.py reads of `output`.
    call_signature: CallSignature
    _reads_masks: bool

    def __init__(self, name: Optional[Name] = None, trainable: bool = True, initial_weights: Any = None,
                 regularizers: Regularizers = None, constraints: Constraints = None,
                 activity_regularizer: Optional[Regularizer] = None, dtype: Optional[DType] = None,
                 embedded_arguments: EmbeddedArguments = None):
        super().__init__(name, dtype, embedded_arguments)
        self.trainable = trainable
        self.initial_weights = initial_weights
        self.regularizers = regularizers
        self.constraints = constraints
        self.activity_regularizer = activity_regularizer

    def __init_subclass__(cls, **kwargs: Any):
        check_class(cls, Layer)
        super().__init_subclass__(**kwargs)
        complete_hooks(cls, Layer)

    # -- what a layer may define: the hooks ---------------------------------------------------------------------------

    def param_specs(self, input_shape: Any) -> ParameterSpecs:
        """What the parameters of the layer itself are to be, by name, for inputs of this static shape (a list of them
        for several): ``{'W': ParameterSpec((3, 4), 'uniform')}``. Said without a backend; ``None`` if only a run tells.
        """
        return {}

    def init_param(self, input_shape: Any) -> None:
        """Make the parameters, with :meth:`set_trainable_params`, for inputs of this static shape (a list of them for
        several). Unless defined, those of :meth:`param_specs`."""
        self._parameters.make_specs(self.param_specs(input_shape) or {})

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

    def embedded_inputs(self, input_shape: Any) -> EmbeddedInputs:
        """The layers that :meth:`output` embeds, by the names that weights use (the numbers of their slots), each with
        the shape of what it is fed with: said without a backend; ``None`` where only a run tells."""
        return {}

    def check_input_shape(self, input_shape: Any) -> None:
        """Raise a ShapeError unless the input (a list for several) has a static shape that the layer can use: for what
        :attr:`input_spec` cannot say.

        Unless defined: several inputs have the same shape.
        """
        if self.multi_input:
            check_equal_shapes(self.name, input_shape)

    def output_mask(self, input_mask: Any, input_shape: Any) -> Any:
        """The mask of the output, for a layer that changes the time axis; ``None`` if there is none any more.

        Unless defined, that of the input if :attr:`supports_masking`, else ``None``. Asked only where an input has a
        mask. With several inputs both arguments are lists, in which ``None`` stands for no mask.

        A layer that makes a mask, as Masking does, returns a tensor with it: :meth:`set_tensor_mask`. That one wins.
        """
        if not self.support_mask():
            return None
        return joint_mask(input_mask) if self.multi_input else input_mask

    @property
    def reads_mask(self) -> bool:
        """Whether the layer reads the mask of its input, and so need not hand it on: whether :meth:`output` has the
        argument ``mask``. A property where that depends on the arguments of the layer; if it is False, ``mask`` is
        ``None``."""
        return self._reads_masks

    # -- what the hooks may use ---------------------------------------------------------------------------------------

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
        """The variable of a parameter, which is made unless there is one of this name and shape: may also be written
        inside of ``output``.

        Parameters
        ----------
        name, shape, dtype
            What it is to be; the dtype is that of the layer unless given.
        init : str or function
            Initialization of its value.
        regularizer, constraint : str or object, optional
            Those among the arguments of the layer win.
        trainable : bool
            Whether it is a parameter that training changes, or a state.

        Raises
        ------
        ShapeError
            If there is one of that name and another shape.
        ArgumentError
            If there is one of that name that was made with another dtype, regularizer or constraint, or as no state;
            and for a regularizer or constraint of a state, which would count nothing.
        """
        return self._parameters.add(name, tuple(shape), dtype, init, not trainable, regularizer=regularizer,
                                    constraint=constraint)

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
        return embedded(self, layer)

    def add_update(self, variable: Any, value: Any = None, inputs: Any = None) -> None:
        """Say, inside of :meth:`output`, that this run gives a state variable a new value; ``fit`` then sets it.

        Parameters
        ----------
        variable : variable or list of pairs
            Or all at once: ``add_update([(mean, new_mean), (count, count + 1)], inputs)``.
        value : tensor or function
            A layer that is called several times in a run computes it from :meth:`pending_value`, so that no call is
            lost. Inside of ``init_param`` it is a function without arguments, which is called in each run.
        inputs : tensor or list of tensor, optional
            The inputs that the value depends on, if it does, by which ``get_updates_for`` finds it.
        """
        self._reports.update(variable, value, inputs)

    def add_loss(self, losses: Any, inputs: Any = None) -> None:
        """Add to what is minimized and evaluated, inside of :meth:`output`.

        Parameters
        ----------
        losses : tensor, function or list of them
            Scalars. Inside of ``init_param`` they are functions without arguments, which are called in each run:
            ``self.add_loss(lambda: B.sum(B.square(self.W)))``.
        inputs : tensor or list of tensor, optional
            The inputs that they depend on: they then count for each call of the layer. Without, they are taken to
            depend on the parameters alone, and count once however often the layer is called.
        """
        self._reports.loss(losses, inputs)

    def pending_value(self, variable: Any) -> Any:
        """The value that the calls before this one in the same run give a state variable, else the variable."""
        return recorded_value(variable)

    @property
    def is_frozen(self) -> bool:
        """Inside of :meth:`output`: whether the layer is not trainable, or is run by one that is not."""
        return runs_frozen()

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
        return annotate(as_own(self, tensor), mask=mask)

    # -- how it is called ---------------------------------------------------------------------------------------------

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
            return unlist(B.without_layouts(B.no_autograph(self.run)([as_tensor(self, it) for it in fed], arguments)))
        return unlist(self._link(fed, arguments))

    def run(self, tensors: List[Any], arguments: Optional[Dict[str, Any]] = None) -> List[Any]:
        """The output tensors for these input tensors, and the arguments of the call beside them; the first time, the
        parameters are made."""
        return running.run(self, tensors, arguments)

    def penalize(self, outputs: List[Any]) -> None:
        """Add what the activity regularizer gives for the outputs of a run, in which masked steps are 0."""
        reporting.penalize(self, outputs)

    # -- other words for the same -------------------------------------------------------------------------------------

    # Of tf.layers, beside add_weight():

    weights = LayerAccess.variables
    trainable_weights = LayerAccess.trainable_variables
    non_trainable_weights = LayerAccess.non_trainable_variables

    def apply(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        """The same as a call of the layer."""
        return self(inputs, *args, **kwargs)

    @property
    def scope_name(self) -> str:
        """What the names of its parameters and outputs start with: its name."""
        return self.name

    # Of the first Keraflow, beside `latest` for pending_value():

    def support_mask(self) -> bool:
        """The first Keraflow's word for :attr:`supports_masking`, which a class may still override."""
        return self.supports_masking


complete_hooks(Layer, Layer)


class MultiInputLayer(Layer):
    """A layer with several inputs: ``output`` and the shape methods get lists."""

    multi_input = True
