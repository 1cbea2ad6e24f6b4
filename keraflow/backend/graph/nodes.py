"""Tensors as nodes of a graph: what they are computed by and from, and what is known of them before there are data.

A node is an :class:`Operation`, a pure function of arrays with static arguments, and the nodes that it is applied to.
The operation has a name; which function of arrays has this name is up to the library that runs the graph.

Lengths may be unknown before there are data. Everything that is known of a node is then derived twice, with two
stand-ins for each unknown length: a length that differs between the two is unknown. Integers that follow from lengths
are derived with them, because they may become lengths.
"""
from typing import Any, Callable, Dict, Iterable, List, Mapping, NamedTuple, NoReturn, Optional, Sequence, Tuple

import numpy as np

from keraflow.backend.forwarding import forwarding
from keraflow.backend.misuse import answer_to_numpy, check_index, no_arrays, operation_of_ufunc, require_bools
from keraflow.errors import SerializationError

__all__ = ['GIVEN', 'LONGEST_VALUE', 'OPERATIONS', 'STAND_INS', 'Graph', 'Known', 'Library',
           'Node', 'Operation', 'VariableNode',
           'apply', 'apply_many', 'is_constant', 'known_of', 'ordered']

#: What an unknown length is derived with. Many numbers divide both, so that axes can be split and joined.
STAND_INS = 5040, 10080
#: How many numbers a constant may have to be known before there are data: shapes have fewer.
LONGEST_VALUE = 32
#: What stands for an operand in the key of an index.
GIVEN = 'given'

OPERATIONS: Dict[str, 'Operation'] = {}


class Known(NamedTuple):
    """What is known of an array with a stand-in for each unknown length.

    Attributes
    ----------
    shape : tuple of int
    dtype : str
    value : array or None
        Its numbers, if they are few and follow from lengths and constants.
    """

    shape: Tuple[int, ...]
    dtype: str
    value: Optional[np.ndarray] = None


class Operation:
    """A pure function of arrays, by its name.

    Parameters
    ----------
    name : str
        The key of the function in the table of a library, which is called with the arrays and the static arguments.
    rule : function, optional
        From what is known of the operands, and the static arguments, to what is known of the result; a list of that,
        for an operation that returns several arrays. An elementwise operation needs none.
    dtype : str, optional
        Of the result of an elementwise operation, by default its static argument `dtype`, or that of its last operand.
    is_view : bool
        Whether the result may be an operand, have its memory, or be read-only. It is then never changed in place.
    of_values : function, optional
        The operation on NumPy arrays, for numbers that follow from lengths.

    Examples
    --------
    >>> Operation('twice', dtype='float32').is_elementwise
    True
    """

    def __init__(self, name: str, rule: Optional[Callable] = None, dtype: Optional[str] = None, is_view: bool = False,
                 of_values: Optional[Callable] = None):
        self.name = name
        self.rule = rule
        self.dtype = dtype
        self.is_elementwise = rule is None
        self.is_view = is_view
        self.of_values = of_values
        OPERATIONS[name] = self

    def __repr__(self) -> str:
        return f'<Operation {self.name}>'


class Node:
    """A tensor of a graph. NumPy's elementwise functions of it are those of its backend.

    Parameters
    ----------
    operation : Operation or None
        ``None`` for what is given to a run: placeholders and variables.
    inputs : sequence of Node
        The operands.
    static : dict
        The static arguments.
    known : pair of Known
        One object for both stand-ins if it does not depend on unknown lengths.

    Attributes
    ----------
    graph : Graph
        Of the class: each backend has its own.
    shape : tuple of int or None
    dtype : str
    """

    graph: 'Graph'
    __iter__: Any = None        # iterating by __getitem__ would never end

    def __init__(self, operation: Optional[Operation], inputs: Sequence['Node'], static: Dict[str, Any],
                 known: Tuple[Any, Any]):
        self.operation = operation
        self.inputs = tuple(inputs)
        self.static = static
        self.known = known
        first, second = known
        if isinstance(first, Known):        # else it stands for several arrays
            self.dtype = first.dtype
            self.shape = first.shape if first is second else tuple(
                n if n == m else None for n, m in zip(first.shape, second.shape))

    @property
    def ndim(self) -> int:
        return len(self.shape)

    def __repr__(self) -> str:
        what = getattr(self, 'name', None) or (self.operation.name if self.operation else 'placeholder')
        return f'<{what}: {self.dtype} {self.shape}>'

    def __bool__(self) -> bool:
        raise TypeError('a tensor has no value before a run, so it is neither true nor false. Use B.where, or B.eval.')

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> 'Node':
        name = operation_of_ufunc(ufunc, method, inputs, kwargs, 'a tensor')
        return forwarding(name, lambda: self.graph.backend)(*inputs)

    def __array_function__(self, function: Any, types: Any, args: Sequence[Any], kwargs: Dict[str, Any]) -> Any:
        return answer_to_numpy(function, args, lambda one: one.shape, 'a tensor')

    def __array__(self, *args: Any, **kwargs: Any) -> np.ndarray:
        raise no_arrays('a tensor')

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        raise SerializationError('a tensor is not pickled, because reading a pickle can run code. Write B.eval(x), or '
                                 'B.get_value(x) for a variable, for an array.')

    def __copy__(self) -> 'Node':
        return self     # nothing changes it

    def __deepcopy__(self, memo: Any) -> 'Node':
        return self.__copy__()

    def __getitem__(self, index: Any) -> 'Node':
        return self.graph.getitem(self, index)

    def __neg__(self) -> 'Node':
        return self.graph.backend.negative(self)

    def __abs__(self) -> 'Node':
        return self.graph.backend.abs(self)

    def __invert__(self) -> 'Node':
        require_bools('logical_not', self)
        return self.graph.backend.logical_not(self)


def _operator(name: str, is_reflected: bool = False) -> Callable:
    def method(x: Node, y: Any) -> Any:
        if not isinstance(y, (Node, np.ndarray, np.generic, int, float, list, tuple)):
            return NotImplemented
        if name.startswith('logical'):
            require_bools(name, x, y)
        return getattr(x.graph.backend, name)(*((y, x) if is_reflected else (x, y)))
    return method


for _name, _method in {'add': 'add', 'sub': 'subtract', 'mul': 'multiply', 'truediv': 'divide', 'mod': 'mod',
                       'floordiv': 'floor_divide', 'pow': 'power', 'matmul': 'matmul', 'and': 'logical_and',
                       'or': 'logical_or'}.items():
    setattr(Node, f'__{_name}__', _operator(_method))
    setattr(Node, f'__r{_name}__', _operator(_method, is_reflected=True))
for _name, _method in {'lt': 'less', 'le': 'less_equal', 'gt': 'greater', 'ge': 'greater_equal'}.items():
    setattr(Node, f'__{_name}__', _operator(_method))


class VariableNode(Node):
    """A tensor whose value a run reads, and sets when all else is computed.

    Attributes
    ----------
    value : array
        Never changed in place while another thread may read it, except by the updates of a function.
    name : str
    is_trainable : bool
        Whether it is a parameter of whatever function uses it, if it is real.
    """

    is_trainable = True

    def __init__(self, value: np.ndarray, name: str):
        known = Known(value.shape, value.dtype.name)
        super().__init__(None, (), {}, (known, known))
        self.value = value
        self.name = name

    def __copy__(self) -> 'VariableNode':
        backend = self.graph.backend
        return backend.variable(backend.get_value(self), self.dtype, self.name)


class Library(NamedTuple):
    """What a library gives that computes the tensors of a graph.

    Attributes
    ----------
    functions : dict
        The functions of arrays, by the names of operations.
    function_class : type
        The subclass of :class:`~keraflow.backend.graph.execution.Function` that computes functions.
    stored : function
        From an array of NumPy, which nothing else uses, to the value of a variable.
    folds : bool
        Whether to compute what depends on constants alone once, and not in each run.
    """

    functions: Mapping[str, Callable]
    function_class: type
    stored: Callable[[np.ndarray], Any] = lambda array: array
    folds: bool = True


class Graph:
    """The tensors of one backend.

    Parameters
    ----------
    backend : Backend
    library : Library

    Attributes
    ----------
    tensor_class, variable_class : type
        Of this backend alone, because operators belong to a class.
    """

    def __init__(self, backend: Any, library: Library):
        self.backend = backend
        self.library = library
        own = {'graph': self, '__module__': type(backend).__module__}   # whose code has the library's operators
        self.tensor_class = type('Tensor', (Node,), own)
        self.variable_class = type('Variable', (VariableNode, self.tensor_class), own)

    def node(self, operation: Optional[Operation], inputs: Sequence[Node], static: Dict[str, Any],
             known: Tuple[Any, Any]) -> Any:
        """Return a node of which this is known."""
        return self.tensor_class(operation, inputs, static, known)

    def constant(self, array: np.ndarray) -> Any:
        """Return the node of an array, which nobody changes."""
        operation = OPERATIONS['constant']
        known = operation.rule(array)       # type: ignore[misc]
        return self.node(operation, (), {'value': array}, (known, known))

    def adopted(self, array: Any) -> Any:
        """Return the node of an array of the library, whose numbers may not be known."""
        known = Known(tuple(array.shape), array.dtype.name)
        return self.node(OPERATIONS['constant'], (), {'value': array}, (known, known))

    def getitem(self, x: Node, index: Any) -> Any:
        """Return ``x[index]``, as NumPy does; tensors may be among the indices and bounds."""
        index = index if isinstance(index, tuple) else (index,)
        check_index(index, x.shape, lambda one: isinstance(one, Node) and one.dtype == 'bool')
        given: List[Any] = []

        def marked(one: Any) -> Any:
            if isinstance(one, slice):
                return slice(*map(marked, (one.start, one.stop, one.step)))
            if isinstance(one, Node):
                given.append(one)
                return GIVEN
            return one.copy() if isinstance(one, np.ndarray) else one       # which the program may change
        key = tuple(map(marked, index))
        if None not in x.shape:
            return apply('getitem', [x, *given], key=key)
        return self.node(OPERATIONS['getitem'], (x, *given), {'key': key}, _known_of_index(x, index, key, given))


def _known_of_index(x: Node, index: tuple, key: tuple, given: Sequence[Node]) -> Tuple[Known, Known]:
    """Return what is known of an index of a tensor of which not all lengths are: no length of a slice of such an axis,
    which may be too short for it, as for ``x[:100]``."""
    rule: Any = OPERATIONS['getitem'].rule
    # Which place is taken does not count, and need not be there in a stand-in.
    key = tuple(one if isinstance(one, (slice, str)) else _first_place(one) for one in key)
    pairs = [[known._replace(value=None) if one.ndim else known for known in one.known] for one in given]
    first, second = (rule(x.known[i], *[pair[i] for pair in pairs], key=key) for i in (0, 1))
    whole = [rule(x.known[i], key=[_whole(one, i) for one in index]).shape for i in (0, 1)]
    lengths = [STAND_INS if n == m and before != after else (n, m)
               for n, m, before, after in zip(first.shape, second.shape, *whole)]
    if all(n == m for n, m in lengths):
        return first, first
    return first._replace(shape=tuple(n for n, _ in lengths)), second._replace(shape=tuple(m for _, m in lengths))


def _first_place(index: Any) -> Any:
    places = np.asarray(index)
    return np.zeros_like(places)[()] if places.dtype.kind in 'iu' else index


def _whole(index: Any, i: int) -> Any:
    """Return an index that takes all that a slice may take, and else as much."""
    if isinstance(index, slice):
        return slice(None)
    return np.zeros(index.known[i].shape, 'int64') if isinstance(index, Node) else _first_place(index)


def is_constant(node: Node) -> bool:
    """Return whether a node is an array."""
    return node.operation is not None and node.operation.name == 'constant'


def known_of(shape: Sequence, dtype: str) -> Tuple[Known, Known]:
    """Return what is known of a tensor with a static shape.

    Examples
    --------
    >>> first, second = known_of((None, 3), 'float32')
    >>> first.shape, second.shape
    ((5040, 3), (10080, 3))
    """
    first, second = (Known(tuple(stand_in if n is None else int(n) for n in shape), dtype) for stand_in in STAND_INS)
    return first, second if None in shape else first


def apply(name: str, inputs: Sequence[Any], **static: Any) -> Any:
    """Return the node of an operation that is applied to nodes, or to numbers and arrays beside at least one.

    A number takes the dtype of the first node.
    """
    operation, nodes = OPERATIONS[name], _as_nodes(inputs)
    return nodes[0].graph.node(operation, nodes, static, _derived(operation, nodes, static))


def apply_many(name: str, inputs: Sequence[Any], **static: Any) -> List[Any]:
    """Return the nodes of the results of an operation that returns several arrays."""
    whole = apply(name, inputs, **static)
    return [apply('item', [whole], number=number) for number in range(len(whole.known[0]))]


def _as_nodes(inputs: Sequence[Any]) -> List[Any]:
    if all(isinstance(x, Node) for x in inputs):
        return list(inputs)
    first = next(x for x in inputs if isinstance(x, Node))
    return [x if isinstance(x, Node) else first.graph.constant(
        x if isinstance(x, np.ndarray) else np.asarray(x, first.dtype)) for x in inputs]


def _derived(operation: Operation, nodes: Sequence[Node], static: Dict[str, Any]) -> Tuple[Any, Any]:
    knowns = [x.known for x in nodes]
    if operation.rule is None:
        dtype = operation.dtype or static.get('dtype') or nodes[-1].dtype
        first, second = (Known(shape, dtype) for shape in _broadcast(knowns))
    else:
        first = operation.rule(*[one for one, _ in knowns], **static)
        if all(one is other for one, other in knowns):
            second = first
        else:
            second = operation.rule(*[other for _, other in knowns], **static)
    if operation.of_values is not None and all(one.value is not None for one, _ in knowns):
        is_same = all(one is other for one, other in knowns)
        first = _valued(first, operation, [one.value for one, _ in knowns], static)
        second = first if is_same else _valued(second, operation, [other.value for _, other in knowns], static)
        if operation.rule is None and not is_same:
            first, second = _told_apart(first, second, knowns)
    return first, first if _is_same(first, second) else second


def _valued(one: Known, operation: Operation, values: Sequence[Any], static: Dict[str, Any]) -> Known:
    """Return what is known of a result together with its numbers."""
    with np.errstate(all='ignore'):
        value = np.asarray(operation.of_values(*values, **static))      # type: ignore[misc]
    return Known(value.shape, one.dtype, value) if value.size <= LONGEST_VALUE else one


def _told_apart(first: Known, second: Known, knowns: Sequence[Tuple[Known, Known]]) -> Tuple[Known, Known]:
    """Let numbers differ that follow from lengths that do, such as ``length % 4`` and ``minimum(length, 100)``."""
    one, other = first.value, second.value
    if one is None or other is None or one.shape != other.shape:
        return first, second
    is_same = one == other
    for this, that in knowns:
        is_same = is_same & (this.value == that.value)
    follows = (one == other) & ~is_same
    instead = (False, True) if one.dtype == bool else STAND_INS
    return (first._replace(value=np.where(follows, instead[0], one).astype(one.dtype)),
            second._replace(value=np.where(follows, instead[1], other).astype(other.dtype)))


def _is_same(first: Any, second: Any) -> bool:
    if isinstance(first, list):
        return all(map(_is_same, first, second))
    return first.value is None and first[:2] == second[:2]


def _broadcast(knowns: Sequence[Tuple[Known, Known]]) -> Tuple[tuple, tuple]:
    """Return the shapes of a result of operands that broadcast, for both stand-ins.

    An unknown length beside a known one is taken for that: it is that, or 1.
    """
    firsts, seconds = ([pair[i].shape for pair in knowns] for i in (0, 1))
    if all(shape == firsts[0] for shape in firsts) and all(shape == seconds[0] for shape in seconds):
        return firsts[0], seconds[0]
    ndim = max(map(len, firsts))
    axes = zip(*[[(1, 1)] * (ndim - len(one)) + list(zip(one, other)) for one, other in zip(firsts, seconds)])
    lengths = [_common_length(pairs) for pairs in axes]
    return tuple(n for n, _ in lengths), tuple(m for _, m in lengths)


def _common_length(pairs: Iterable[Tuple[int, int]]) -> Tuple[int, int]:
    found = 1, 1
    for n, m in pairs:
        if n == m and n != 1:
            return n, m
        found = (n, m) if found == (1, 1) else found
    return found


def ordered(roots: Iterable[Node], leaves: Iterable[Node] = ()) -> List[Node]:
    """Return the nodes that some depend on, each once, behind its inputs; what leaves depend on is left out."""
    stop, found, seen = set(leaves), [], set()
    stack = [(root, False) for root in reversed(list(roots))]
    while stack:
        node, is_ready = stack.pop()
        if is_ready:
            found.append(node)
        elif node not in seen:
            seen.add(node)
            stack.append((node, True))
            if node not in stop:
                stack.extend((one, False) for one in reversed(node.inputs) if one not in seen)
    return found
