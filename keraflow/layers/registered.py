"""``layer_register``: turn an ordinary function of tensors into a class of layers."""
import inspect
import types
from typing import Any, Callable, Dict, List, Optional, Sequence, get_type_hints

import numpy as np

from keraflow import backend as B
from keraflow import registry, schema
from keraflow.backend.tensor_info import info_of
from keraflow.errors import ArgumentError, ArgumentTypeError, GraphError, describe
from keraflow.graph.kensor import Kensor
from keraflow.layers.base import Layer
from keraflow.layers.base.inputs import annotatable
from keraflow.layers.base.masks import joint_mask
from keraflow.layers.base.run_state import running_host
from keraflow.owned import owned
from keraflow.schema.checked import checked
from keraflow.shapes import Shape, agree

__all__ = ['FunctionLayer', 'add_weight', 'layer_register', 'named']


#: What a LinearWrap has besides layers.
RESERVED = frozenset({'B', 'apply', 'print_tensor', 'tensor', 'variables'})


class FunctionLayer(Layer):
    """Base of the classes that :func:`layer_register` makes.

    It can also be called like its function: ``ConvBlock('conv0', x, 32)`` as well as ``ConvBlock(32)(x)``.
    """

    multi_input = True
    #: Computes the output from the input and the arguments.
    function: Callable
    #: Names of the arguments of the function, after its input.
    argument_names: List[str] = []
    #: Whether the function takes a list, even of one tensor.
    takes_list = False
    #: Whether the function has the argument ``mask``.
    function_reads_mask = False
    #: Whether a string before what the layer is fed with is its name.
    use_scope = True

    def __new__(cls, /, *args: Any, **kwargs: Any) -> Any:
        if args and _is_fed(args[0]):
            return cls(*args[1:], **kwargs)(args[0])    # no object of the class, so that Python calls no __init__
        if len(args) > 1 and isinstance(args[0], str) and _is_fed(args[1]):
            if not cls.use_scope:
                raise ArgumentTypeError(f"{cls.__name__}: takes no name before its input, because it was "
                                        f"registered with use_scope=False, received '{args[0]}'.")
            return named(cls, args[0], *args[2:], **kwargs)(args[1])
        return super().__new__(cls)

    def __init__(self, **arguments: Any):
        own = {name: arguments.pop(name) for name in self.argument_names if name in arguments}
        super().__init__(**arguments)
        signature = inspect.signature(type(self).function)
        for name in self.argument_names:
            setattr(self, name, own.get(name, signature.parameters[name].default))

    def layer_ids(self) -> Dict[str, Layer]:
        """Return the layers that the function calls, by the names it gives them, else by the numbers of their slots."""
        found: Dict[str, Layer] = {}
        for number, layer in enumerate(self.embedded_layers):
            given = layer.user_name
            is_free = given is not None and given not in found and not given.isdigit()
            found[given if is_free else str(number)] = layer
        return found

    def _slot_names(self) -> List[str]:
        return list(map(str, range(len(self.embedded_layers))))

    def check_input_shape(self, input_shape: List[Shape]) -> None:
        """Accept any: the function checks its inputs."""

    @property
    def reads_mask(self) -> bool:
        return self.function_reads_mask

    def output(self, x: List[Any], *, mask: Sequence[Any] = ()) -> Any:
        arguments = {name: owned(getattr(self, name)) for name in self.argument_names}     # which it may change
        is_list = len(x) > 1 or self.takes_list
        if self.reads_mask:
            arguments['mask'] = mask if is_list else mask[0]
        result = type(self).function(x if is_list else x[0], **arguments)
        return [self._with_mask(it, x) for it in result] if isinstance(result, (list, tuple)) else \
            self._with_mask(result, x)

    def _with_mask(self, tensor: Any, inputs: List[Any]) -> Any:
        """Give a result that no layer returned the masks of inputs with its rank and as many steps."""
        if not B.is_tensor(tensor):
            return tensor
        tensor = annotatable(self, tensor)
        shape = self.get_tensor_shape(tensor)
        masks = [info_of(it).mask for it in inputs if B.ndim(it) == len(shape)]
        agreeing = [it for it in masks if it is not None and agree(shape[:B.ndim(it)], B.static_shape(it))]
        has_known_shape = info_of(tensor).shape is not None
        return tensor if has_known_shape or not agreeing else self.set_tensor_mask(tensor, joint_mask(agreeing))

    def output_shape(self, input_shape: List[Shape]) -> None:
        return None

    def embedded_inputs(self, input_shape: List[Shape]) -> None:
        return None     # the function calls layers, or add_weight


@checked
def layer_register(function: Any = None, *, id: Optional[str] = None, use_scope: bool = True) -> Any:
    """Turn a function of tensors into a class of layers that files may name.

    The first argument of the function is a tensor, or the list of its input tensors (even of one, if it is annotated as
    a list); it returns a tensor or a list. Its other arguments become those of ``__init__``, besides the common ones.
    The layers that it calls on tensors are embedded, and run again as parts of the host.

    Parameters
    ----------
    function : function
        Annotations of its arguments (``nb_kernel: PositiveInt``) are checked, as those of any layer.
    id : str, optional
        The name to use in files; by default that of the function.
    use_scope : bool
        Whether a layer may be given a name as the first argument. If not, a string there is an argument of the
        function, even in a LinearWrap.

    Returns
    -------
    class
        ``ConvBlock(32, name='conv0')(x)`` and ``ConvBlock('conv0', x, 32)`` mean the same; the name is optional.

    Raises
    ------
    ArgumentTypeError
        For anything but a function, or one that takes ``*args`` or ``**kwargs``.
    ArgumentError
        For an argument named like an attribute of every layer, or an `id` that LinearWrap uses.

    Notes
    -----
    A result with the rank and the number of steps of a masked input gets that mask. A function that moves time steps
    should end with ``Masking(None)``. An argument ``mask`` is not an argument of the class: it receives the mask of the
    input (a list of them for a list), or None.

    References
    ----------
    .. [1] Y. Wu et al., "Tensorpack", https://github.com/tensorpack/tensorpack, 2016 (``layer_register``).

    Examples
    --------
    >>> from keraflow.layers import Dense, Dropout, Input
    >>> @layer_register()
    ... def Block(x, output_dim, rate=0.5):
    ...     h = Dense(output_dim, activation='relu')(x)
    ...     return Dropout(rate)(h)
    >>> Block('block0', Input(3), 8).shape
    (None, 8)
    >>> sorted(Block(8)(Input(3)).layer.get_weights())
    ['0/W', '0/b']
    """
    if function is None:
        return lambda it: layer_register(it, id=id, use_scope=use_scope)
    if not inspect.isfunction(function) or not function.__name__.isidentifier():
        raise ArgumentTypeError(f'layer_register: expected a function with a name, received {describe(function)}.')
    if (id or function.__name__) in RESERVED:
        raise ArgumentError(f"layer_register: '{id or function.__name__}' is what a LinearWrap has under this name, so "
                            'that the layer could not be part of a chain. Choose another, as the name of the function '
                            "or with id='...'.")
    cls = _class_of(function)
    cls.use_scope = use_scope       # type: ignore[attr-defined]
    return registry.register(cls, id=id)


def add_weight(name: str, shape: Sequence[int], **kwargs: Any) -> Any:
    """Make a parameter of the running layer, or find it again: for functions of :func:`layer_register`.

    Parameters
    ----------
    name, shape, **kwargs
        As for the method :meth:`~keraflow.layers.Layer.add_weight`.

    Raises
    ------
    GraphError
        If no layer is running.

    References
    ----------
    .. [1] M. Abadi et al., "TensorFlow: a system for large-scale machine learning", OSDI, 2016 (``tf.get_variable``).

    Examples
    --------
    >>> from keraflow.layers import Input
    >>> @layer_register()
    ... def Scale(x, init='one'):
    ...     return x * add_weight('scale', B.static_shape(x)[1:], init=init)
    >>> Scale()(Input(3)).layer.variables.names
    ['scale']
    """
    host = running_host()
    if host is None:
        raise GraphError(f"add_weight: no layer runs that '{name}' could belong to. Call it in a function of "
                         'layer_register, or write layer.add_weight(...).')
    return host.add_weight(name, shape, **kwargs)


def named(cls: type, name: str, /, *args: Any, **kwargs: Any) -> Any:
    """Make an object of a class of layers, given a name and its arguments.

    Raises
    ------
    ArgumentTypeError
        The name is given twice.
    """
    if 'name' in kwargs:
        raise ArgumentTypeError(f"{cls.__name__}: the argument 'name' is given twice.")
    return cls(*args, name=name, **kwargs)


def _class_of(function: Callable) -> type:
    name = function.__name__
    listed = list(inspect.signature(function).parameters.values())
    own = [one for one in listed[1:] if one.name != 'mask']
    hints = get_type_hints(function, include_extras=True)
    if not listed or any(one.kind in (one.VAR_POSITIONAL, one.VAR_KEYWORD) for one in listed):
        raise ArgumentTypeError(f'layer_register: {name}: expected a function of a tensor and named arguments, '
                                f'received {name}{inspect.signature(function)}. Name its arguments.')
    for one in own:
        if hasattr(FunctionLayer, one.name) or one.name in inspect.signature(Layer.__init__).parameters:
            raise ArgumentError(f"layer_register: {name}: '{one.name}' cannot be the name of an argument, because each "
                                'layer has an attribute of that name. Choose another.')
    body: Dict[str, Any] = {
        '__init__': _init_of(own, hints), '__doc__': function.__doc__, '__module__': function.__module__ or '__main__',
        '__qualname__': function.__qualname__, 'function': staticmethod(function),
        'argument_names': [one.name for one in own], 'function_reads_mask': len(own) < len(listed) - 1,
        'takes_list': schema.takes_list(hints.get(listed[0].name))}
    return types.new_class(name, (FunctionLayer,), exec_body=lambda namespace: namespace.update(body))


def _init_of(arguments: List[inspect.Parameter], hints: Dict[str, Any]) -> Callable:
    """Make an ``__init__`` with the function's arguments and annotations, which define the schema of the class."""
    def __init__(self: FunctionLayer, **given: Any) -> None:
        FunctionLayer.__init__(self, **given)
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    rest = '_'.join([*(one.name for one in arguments), 'common'])   # longer than any of their names, so unique
    own = [inspect.Parameter('self', kind), *arguments, inspect.Parameter(rest, inspect.Parameter.VAR_KEYWORD)]
    __init__.__signature__ = inspect.Signature(own)     # type: ignore[attr-defined]
    __init__.__annotations__ = {one.name: hints[one.name] for one in arguments if one.name in hints}
    return __init__


def _is_fed(value: Any) -> bool:
    """Return whether a value can be the input of a layer: a Kensor (or a substitute), a tensor, or a list of them."""
    if isinstance(value, (list, tuple)):
        return bool(value) and all(map(_is_fed, value))
    if isinstance(value, Layer):
        return isinstance(value, Kensor) or getattr(value, 'is_model', False)
    return isinstance(value, (Kensor, np.ndarray)) or hasattr(type(value), 'how_to_feed') or \
        not isinstance(value, (str, int, float)) and B.is_tensor(value)
