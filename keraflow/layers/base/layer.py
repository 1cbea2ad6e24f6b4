"""Layer: the page that everybody must read.

A layer stores its arguments (``__init__``), says which parameters it needs (``param_specs``), computes (``output``),
and says the shape of its output (``output_shape``)::

    class Scaled(Layer):
        def __init__(self, init='one', **kwargs):
            super().__init__(**kwargs)
            self.init = init                        # under the argument's own name, so that it is saved

        def param_specs(self, input_shape):
            return {'W': ParameterSpec(input_shape[1:], self.init)}

        def output(self, x):
            return x * self.W                       # each parameter is an attribute

        def output_shape(self, input_shape):
            return input_shape

The first run calls ``check_input_shape``, ``init_param`` (which makes the parameters) and ``output``; later runs call
only the first and the last. ``output_shape`` and ``output_mask`` follow. Every hook has a default. This file lists the
hooks first, then the methods that they may use, then how a layer is called. What a layer has, and what a program may
ask it, is in ``access.py``; how it runs, in ``running.py``.
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
from keraflow.layers.base import running
from keraflow.layers.base.access import LayerAccess
from keraflow.layers.base.class_checks import check_class
from keraflow.layers.base.embedded_changes import EMBEDDED_ARGUMENTS, EmbeddedArguments
from keraflow.layers.base.embedding import embedded
from keraflow.layers.base.hooks import complete_hooks
from keraflow.layers.base.input_spec import InputSpec, check_equal_shapes
from keraflow.layers.base.inputs import annotatable, as_tensor
from keraflow.layers.base.masks import joint_mask
from keraflow.layers.base.planned import EmbeddedInputs, ParameterSpecs
from keraflow.layers.base.run_state import running_host
from keraflow.schema import Constraint, Constraints, DType, Initialization, Name, Natural, Regularizer, Regularizers
from keraflow.schema.checked import checked
from keraflow.shapes import Shape, unlist

__all__ = ['Layer', 'MultiInputLayer']


class Layer(LayerAccess):
    """A layer with one input, which takes a Kensor and returns a Kensor (or a list of Kensors).

    Parameters
    ----------
    name : str, optional
        Unique in a model; letters, digits, ``_``, ``-`` and ``.``. By default numbered by class: ``dense1``.
    trainable : bool
        Whether training changes the parameters, including those of embedded layers.
    initial_weights : dict, list or array, optional
        Initial values that replace those of ``init``: by name (``'0/W'`` for a parameter of an embedded layer), in the
        order of the parameters, or one array for the first parameter. They are copied at once, and released when the
        layer is first fed.
    regularizers, constraints : dict or list, optional
        By name of the parameter (``'0/W'`` in an embedded layer), or in the order of the parameters: names (``'l1'``)
        or objects (``L1(0.1)``); ``None`` for none.
    activity_regularizer : str or object, optional
        A regularizer of the output: training minimizes its value, too, divided by the number of samples in the batch.
        Masked steps count as 0.
    dtype : str, optional
        Of the parameters; a layer that has parameters casts real inputs to it. By default that of the first real input.
    embedded_arguments : dict, optional
        Arguments of embedded layers that differ from those that :meth:`output` passes, by slot:
        ``{'0': {'trainable': False}}``, and by name for the layers of an embedded model. Files keep changes in it.

    Notes
    -----
    A class shows what it does with the mask of its input, in three ways: it passes the mask on
    (:attr:`supports_masking`), changes it (:meth:`output_mask`), or reads it (:meth:`output` has an argument ``mask``).
    Otherwise the mask is lost, with a warning.

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

    #: Whether the layer takes a list of inputs; the hooks are then given lists, too.
    multi_input = False
    #: What inputs must look like: one spec for all, or a list in their order; ``None`` for anything. May be a property.
    input_spec: Union[InputSpec, Sequence[Optional[InputSpec]], None] = InputSpec()
    #: Whether the output has the mask of the input (with several, their conjunction). May be a property.
    supports_masking: bool = False

    # What Serializable needs to know about the arguments below.
    kind = 'layer'
    renamed_members = {'latest': 'pending_value'}
    omit_if_default = frozenset({'name', 'trainable', 'regularizers', 'constraints', 'activity_regularizer', 'dtype',
                                 EMBEDDED_ARGUMENTS})
    never_saved = frozenset({'initial_weights'})
    extensible_methods = frozenset({'output'})
    set_without_rebuild = frozenset({'trainable', 'regularizers', 'constraints'})
    renamed_members = {'latest': 'pending_value'}

    # Derived from the signature of `output`, in hooks.py.
    call_signature: CallSignature
    _reads_masks: bool
    _is_declared = True
    #: Whether `_features_of` alone says where the features of the output are, and nothing that the layer calls.
    _places_features = True

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
        """Return the layer's own parameters by name, for a static input shape (a list of shapes for several inputs):
        ``{'W': ParameterSpec((3, 4), 'uniform')}``. Asks no backend; ``None`` if only a run can tell.
        """
        return {}

    def init_param(self, input_shape: Any) -> None:
        """Make the parameters, for a static input shape (a list of shapes for several inputs).

        By default those of :meth:`param_specs`; define it where values are computed, and make the parameters with
        :meth:`set_trainable_params` and :meth:`set_state_params`.
        """
        self._parameters.make_specs(self.param_specs(input_shape) or {})

    def output(self, x: Any) -> Any:
        """Compute the output tensor (or a list) from the input tensor (a list of tensors for several inputs).

        It must be repeatable: after its first run it makes no more parameters. Layers that it calls on tensors are
        embedded, as by :meth:`embed`.

        With an argument ``mask`` it reads the mask of the input, and is given it (a list for several inputs), or
        ``None``. Its other arguments belong to a call: ``layer(x, scale=2.)`` for ``output(self, x, scale=1.)``.
        """
        return x

    def output_shape(self, input_shape: Any) -> Any:
        """Return the static shape of the output (a list for several outputs), without asking a backend.

        ``None``, the default, leaves it to the backend. `input_shape` is a list of shapes if the layer takes several
        inputs.
        """
        return None

    def embedded_inputs(self, input_shape: Any) -> EmbeddedInputs:
        """Return the layers that :meth:`output` embeds, by the names that weights use (their slot numbers), each with
        its input shape. Asks no backend; ``None`` if only a run can tell."""
        return {}

    def check_input_shape(self, input_shape: Any) -> None:
        """Raise a ShapeError unless the layer can use this static input shape, for what :attr:`input_spec` cannot say.

        By default, several inputs must have the same shape.
        """
        if self.multi_input:
            check_equal_shapes(self.name, input_shape)

    def output_mask(self, input_mask: Any, input_shape: Any) -> Any:
        """Return the mask of the output, for a layer that changes the time axis; ``None`` for no mask.

        By default that of the input if :attr:`supports_masking`, else ``None``. Called only if an input has a mask.
        With several inputs both arguments are lists, in which ``None`` means no mask.

        A layer that makes a mask, as Masking does, attaches it to its output with :meth:`set_tensor_mask`, which takes
        precedence.
        """
        if not self.support_mask():
            return None
        return joint_mask(input_mask) if self.multi_input else input_mask

    @property
    def reads_mask(self) -> bool:
        """Whether the layer reads the mask of its input, and so need not pass it on: by default, whether :meth:`output`
        has the argument ``mask``. Where it is False, ``mask`` is ``None``."""
        return self._reads_masks

    # -- what the hooks may use ---------------------------------------------------------------------------------------

    def set_trainable_params(self, *pairs: Any) -> None:
        """Make trainable parameters: ``set_trainable_params('W', W, 'b', b)``. Each becomes an attribute.

        Parameters
        ----------
        *pairs : str, array, str, array, ...
            Names and initial values (arrays, variables or tensors). Lists of weights, regularizers and constraints
            have the same order.
        """
        self._parameters.make_pairs(pairs, 'set_trainable_params')

    def set_state_params(self, *pairs: Any) -> None:
        """Make states, as :meth:`set_trainable_params` does: saved with the weights, but changed only by
        :meth:`add_update`."""
        self._parameters.make_pairs(pairs, 'set_state_params', is_state=True)

    @checked
    def add_weight(self, name: Name, shape: Sequence[Natural], dtype: Optional[DType] = None,
                   init: Initialization = 'glorot_uniform', regularizer: Optional[Regularizer] = None,
                   trainable: bool = True, constraint: Optional[Constraint] = None) -> Any:
        """Return the parameter of a name, as a variable, and make it if there is none; also inside :meth:`output`.

        Parameters
        ----------
        name : str
        shape : sequence of int
        dtype : str, optional
            By default that of the layer.
        init : str or function
            The initialization of its value.
        regularizer, constraint : str or object, optional
            The layer's own arguments take precedence.
        trainable : bool
            Whether training changes it; otherwise it is a state.

        Raises
        ------
        ShapeError
            If it was made with another shape.
        ArgumentError
            If it was made with another dtype, regularizer or constraint, or is not a state; or if a state is given a
            regularizer or constraint, which would do nothing.
        """
        return self._parameters.add(name, tuple(shape), dtype, init, not trainable, regularizer=regularizer,
                                    constraint=constraint)

    def embed(self, layer: 'Layer') -> Any:
        """Return a function that runs an inner layer on tensors; its parameters become part of this layer.

        It is the same as calling the inner layer inside :meth:`output`. The layer of the first run is kept in a slot;
        those that later runs make are compared with it and dropped.

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
        """Give a state a new value, inside :meth:`output`; ``fit`` sets it after the step.

        Parameters
        ----------
        variable : variable or list of pairs
            Several at once: ``add_update([(mean, new_mean), (count, count + 1)], inputs)``.
        value : tensor or function
            Compute it from :meth:`pending_value`, so that no call is lost if the layer is called several times in a
            run. Inside ``init_param`` it is a function without arguments, which each run calls.
        inputs : tensor or list of tensor, optional
            The inputs that the value depends on, if any, by which :meth:`get_updates_for` finds it.
        """
        self._reports.update(variable, value, inputs)

    def add_loss(self, losses: Any, inputs: Any = None) -> None:
        """Add a term to the loss that is minimized and evaluated, inside :meth:`output`.

        Parameters
        ----------
        losses : tensor, function or list of them
            Scalars. Inside ``init_param`` they are functions without arguments, which each run calls:
            ``self.add_loss(lambda: B.sum(B.square(self.W)))``.
        inputs : tensor or list of tensor, optional
            The inputs that the losses depend on: they then count for each call of the layer. Otherwise they depend on
            the parameters alone, and count once however often the layer is called.
        """
        self._reports.loss(losses, inputs)

    def pending_value(self, variable: Any) -> Any:
        """Return the value that earlier calls in this run give a state, or its variable if there are none."""
        return recorded_value(variable)

    @property
    def is_frozen(self) -> bool:
        """Whether the layer, or one that runs it, is not trainable; asked inside :meth:`output`."""
        return runs_frozen()

    def get_tensor_shape(self, tensor: Any) -> Shape:
        """Return the static shape of a tensor, such as ``(None, 64)``; also of results of backend functions."""
        check_tensor(tensor, f'{self.name}: get_tensor_shape')
        known = info_of(tensor).shape
        return shapes.as_shape(B.static_shape(tensor)) if known is None else known

    def get_tensor_mask(self, tensor: Any) -> Any:
        """Return the mask of a tensor: a boolean tensor, True where a step counts; ``None`` for no mask.

        For the mask of the layer's input, prefer the argument ``mask`` of :meth:`output`. A class of the program that
        calls this method counts as reading the mask, as in the first Keraflow.
        """
        check_tensor(tensor, f'{self.name}: get_tensor_mask')
        return info_of(tensor).mask

    def set_tensor_mask(self, tensor: Any, mask: Any) -> Any:
        """Return a tensor with this mask (``None`` for none), for :meth:`output` to return."""
        check_tensor(tensor, f'{self.name}: set_tensor_mask')
        if mask is not None:
            check_tensor(mask, f'{self.name}: set_tensor_mask: mask')
        return annotate(annotatable(self, tensor), mask=mask)

    # -- how it is called ---------------------------------------------------------------------------------------------

    @overload
    def __call__(self, inputs: Union[Kensor, 'Layer', Sequence[Union[Kensor, 'Layer']]], *args: Any,
                 **kwargs: Any) -> Kensor: ...

    @overload
    def __call__(self, inputs: Operand, *args: Any, **kwargs: Any) -> Tensor: ...

    def __call__(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        """Feed the layer: return Kensors for Kensors, and tensors for tensors or arrays.

        Parameters
        ----------
        inputs : Kensor, tensor, array, or list of them for several
        *args, **kwargs
            The other arguments of :meth:`output`: numbers, strings, arrays, and lists and dicts of these, which are
            saved with the call; and Kensors, which become further inputs of the call.
        mask : Kensor, tensor or array (a list for several inputs), optional
            Boolean, ``(batch, time)``: the mask of the input.

        Raises
        ------
        ArgumentTypeError
            For an argument that :meth:`output` does not have, or a value that cannot be saved with the call.
        """
        fed = list(inputs) if isinstance(inputs, (list, tuple)) else [inputs]
        fed = [it.as_kensor() if isinstance(it, Layer) else it for it in fed]
        arguments = self.call_signature.given(self, args, kwargs) if args or kwargs else {}
        if not any(map(is_kensor, [*fed, *parts_in(arguments)])):
            host = running_host()
            if host is not None:
                return host.embed(self)(inputs, **arguments)
            adopted = list(map(B.current().adopt, fed))
            tensors = [as_tensor(self, it) if one is None else one for it, one in zip(fed, adopted)]
            made = B.without_layouts(B.no_autograph(self.run)(tensors, arguments))
            return unlist(made if adopted.count(None) == len(fed) else B.plain(made))
        return unlist(self._link(fed, arguments))

    def run(self, tensors: List[Any], arguments: Optional[Dict[str, Any]] = None) -> List[Any]:
        """Return the output tensors for lists of input tensors and other arguments; the first run makes the
        parameters."""
        return running.run(self, tensors, arguments)

    # -- other names --------------------------------------------------------------------------------------------------

    # Of tf.layers, like add_weight():
    weights = LayerAccess.variables
    trainable_weights = LayerAccess.trainable_variables
    non_trainable_weights = LayerAccess.non_trainable_variables

    def apply(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        """Call the layer."""
        return self(inputs, *args, **kwargs)

    @property
    def scope_name(self) -> str:
        """The prefix of the names of its parameters and outputs: its name."""
        return self.name

    # Of the first Keraflow:
    def support_mask(self) -> bool:
        """Return :attr:`supports_masking`; a class may still override it instead."""
        return self.supports_masking


complete_hooks(Layer, Layer)       # for which __init_subclass__ is not called


class MultiInputLayer(Layer):
    """A layer with several inputs: its hooks are given lists."""

    multi_input = True
