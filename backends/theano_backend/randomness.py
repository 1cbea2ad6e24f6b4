"""Random numbers: Philox as an Op, in C code."""
import contextvars
import itertools
import math
from typing import Any, Callable, Dict, Optional, Sequence

import numpy as np

from keraflow.backend.contract import Backend
from keraflow.backend.draws import NB_RUN, NEXT_RUN, Draw, Stream
from keraflow.backend.philox import hits, normals, reals
from keraflow.contexts import bound

from .configure import T, theano
from .operands import as_tensor
from .philox_code import CALLS, SUPPORT
from .shaping import as_lengths

__all__ = ['DrawsOfStep', 'Philox', 'Randomness', 'drawing_in', 'places_of']


class Philox(theano.graph.op.COp):
    """Random numbers of one kind from ``(state, place, step, threshold, *lengths)``.

    Parameters
    ----------
    kind : str
        The name of a function of :mod:`keraflow.backend.philox`.
    dtype : str
    """

    __props__ = ('kind', 'dtype')

    def __init__(self, kind: str, dtype: str):
        self.kind = kind
        self.dtype = dtype
        self.per_block = 2 if kind == 'normals' or dtype == 'float64' else 4

    def make_node(self, *inputs: Any) -> Any:
        state, place, *numbers = inputs
        broadcastable = [isinstance(n, int) and n == 1 for n in numbers[2:]]
        numbers = [as_tensor(n, 'int64') for n in numbers]
        return theano.graph.basic.Apply(self, [state, place, *numbers], [T.TensorType(self.dtype, broadcastable)()])

    def perform(self, node: Any, inputs: Any, output_storage: Any) -> None:
        state, place, step, threshold, *lengths = inputs
        shape = tuple(map(int, lengths))
        count = math.prod(shape)
        low = int(state[1]) + int(step) * -(-count // self.per_block)
        start = [int(state[0]), low, int(state[2]) + int(place) * NB_RUN]
        what = int(threshold) if self.kind == 'hits' else self.dtype
        draw: Any = {'reals': reals, 'normals': normals, 'hits': hits}[self.kind]
        made = draw(start, count, what)
        output_storage[0][0] = made.reshape(shape)

    def c_code_cache_version(self) -> tuple:
        return (1,)

    def c_headers(self, **kwargs: Any) -> list:
        return ['<cmath>', '<cstdlib>', '<cstring>']

    def c_support_code(self, **kwargs: Any) -> str:
        return SUPPORT

    def c_code(self, node: Any, name: str, inputs: Any, outputs: Any, sub: Any) -> str:
        (made,), ndim, letter = outputs, len(inputs) - 4, node.outputs[0].type.dtype_specs()[1]
        _, place, step, threshold, *lengths = [f'*(npy_int64*) PyArray_DATA({one})' for one in inputs]
        state = [f'*(npy_int64*) PyArray_GETPTR1({inputs[0]}, {i})' for i in range(3)]
        return f'''
            npy_intp dims[] = {{{', '.join([*lengths, '1'])}}}, n = 1;
            int fits = {made} && PyArray_IS_C_CONTIGUOUS({made});
            for (int i = 0; i < {ndim}; i++) {{
                n *= dims[i];
                fits = fits && PyArray_DIMS({made})[i] == dims[i];
            }}
            if (!fits) {{
                Py_XDECREF({made});
                {made} = (PyArrayObject*) PyArray_EMPTY({ndim}, dims, {node.outputs[0].type.dtype_specs()[2]}, 0);
                if (!{made}) {{ {sub['fail']} }}
            }}
            {{      // a block, because the code for errors must not jump over what is declared
                {letter}* out = ({letter}*) PyArray_DATA({made});
                const npy_uint64 threshold = {threshold}, nb_block = (n + {self.per_block - 1}) / {self.per_block};
                const npy_uint64 start[] = {{(npy_uint64) {state[0]}, (npy_uint64) {state[1]} + {step} * nb_block,
                                             (npy_uint64) {state[2]} + (npy_uint64) {place} * {NB_RUN}u}};
                {CALLS[self.kind] % sub}
            }}
        '''

    def infer_shape(self, fgraph: Any, node: Any, shapes: Any) -> list:
        return [node.inputs[4:]]

    def connection_pattern(self, node: Any) -> list:
        return [[False] for _ in node.inputs]

    def grad(self, inputs: Any, output_gradients: Any) -> list:
        return [theano.gradient.DisconnectedType()() for _ in inputs]


class _LonePlace(T.TensorConstant):
    """The place of a draw outside of builders, which the function that computes it renumbers.

    Not made by Theano's own function, which returns the same object for the same number.
    """


def places_of(nodes: Sequence) -> list:
    """Return, for the draws outside of builders that are among the inputs of nodes, pairs of the present and the new
    place: they are numbered in order of creation, so that a function draws the same whatever was built before it."""
    lone = {id(x): x for node in nodes for x in node.inputs if isinstance(x, _LonePlace)}
    ordered = sorted(lone.values(), key=lambda place: int(place.data))
    return [(place, T.TensorConstant(T.lscalar, np.array(number))) for number, place in enumerate(ordered)]


class DrawsOfStep:
    """What the draws of a loop's step take from outside of the loop, and the time step: they see stand-ins.

    A step runs once, and only then it is known whether it draws. If it saw the state of a stream, ``theano.scan`` would
    apply its default update in each time step; if it saw the place of a draw outside of builders, no function could
    renumber that.
    """

    def __init__(self) -> None:
        self._outer = _loop.get()
        self._found: Dict[int, tuple] = {}
        self.time = T.lscalar()

    def seen(self, x: Any) -> Any:
        """Return the stand-in for a variable."""
        given = x if self._outer is None else self._outer.seen(x)
        return self._found.setdefault(id(given), (given, given.type()))[1]

    def outside(self) -> list:
        """Return what has stand-ins: copies, because a state itself would be advanced here, too."""
        return [T.tensor_copy(given) for given, _ in self._found.values()]

    def completed(self, inputs: Sequence, results: Sequence, constants: Sequence) -> Callable:
        """Return the step that has these results as a function of the time step, its inputs, and :meth:`outside`."""
        stand_ins = [self.time, *inputs, *(stand_in for _, stand_in in self._found.values())]

        def step(*tensors: Any) -> list:
            memo = dict(zip(stand_ins, tensors))
            made = theano.graph.basic.clone_get_equiv(constants, results, copy_inputs=False, copy_orphans=False,
                                                      memo=memo)
            return [made[x] for x in results]
        return step


_loop: 'contextvars.ContextVar[Optional[DrawsOfStep]]' = contextvars.ContextVar('draws of a step', default=None)


def drawing_in(loop: DrawsOfStep) -> bound:
    """Let draws inside the block be those of a loop's step."""
    return bound(_loop, loop)


class Randomness(Backend):
    """Random numbers; see the contract."""

    _next_place = itertools.count()     # which several threads may advance at once

    def new_stream(self) -> Stream:
        stream = super().new_stream()
        # Theano applies it in every function that draws, even in those that the program itself makes.
        stream.state.default_update = stream.state + NEXT_RUN
        return stream

    def lone_draw(self, stream: Stream) -> Draw:
        return Draw(stream.state, _LonePlace(T.lscalar, np.array(next(self._next_place))))

    def draw_reals(self, draw: Draw, shape: Sequence, dtype: str) -> Any:
        return self._drawn('reals', dtype, draw, shape)

    def draw_normals(self, draw: Draw, shape: Sequence, dtype: str) -> Any:
        return self._drawn('normals', dtype, draw, shape)

    def draw_hits(self, draw: Draw, shape: Sequence, threshold: int) -> Any:
        return self._drawn('hits', 'bool', draw, shape, threshold)

    def _drawn(self, kind: str, dtype: str, draw: Draw, shape: Sequence, threshold: int = 0) -> Any:
        place = as_tensor(draw.place, 'int64')
        state, loop = draw.state, _loop.get()
        if loop is not None:
            state, place = loop.seen(state), loop.seen(place)
        return Philox(kind, dtype)(state, place, draw.step, threshold, *as_lengths(shape))
