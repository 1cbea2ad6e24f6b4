"""Gradients of loops over time: a second loop, and the gradient of each matrix as one product after it.

TensorFlow differentiates a loop by keeping what each operation of each time step made, and adds to the gradient of
every matrix in every time step, which takes as long as the product itself. Here the loop keeps its states and its
products; the second one goes back in time, computes the rest of a step again, and keeps the factors of the gradients.

Only products by :func:`product` of a matrix from outside of the loop are known here, which are ``B.dot`` and
``B.matmul`` of a step. A step without them is left to TensorFlow, and so is one that reads variables.
"""
import contextvars
from typing import Any, Callable, Dict, List, Optional, Sequence, Tuple

from keraflow.backend.draws import Draws, counting
from keraflow.contexts import bound

from . import conditions, private_api
from .library import tf

__all__ = ['TimeGradients', 'differentiated', 'product', 'stacked']

#: Loops with larger matrices are slower compiled in release 2.17: LSTM(128), of 65,536 numbers, takes 1.2 times as
#: long, GRU(128), of 32,768, 0.64 times, LSTM(64) 0.51 times. In release 2.21 all gain. Others were not measured.
_LARGEST = 2 ** 15 if tuple(map(int, tf.__version__.split('.')[:2])) < (2, 21) else None

_is_differentiated = contextvars.ContextVar('whether gradients are computed of what is built', default=False)
_products: 'contextvars.ContextVar[Optional[_Products]]' = contextvars.ContextVar('products of a step', default=None)


def differentiated() -> bound:
    """Let loops that are built inside the block prepare for their gradients."""
    return bound(_is_differentiated, True)


def product(x: Any, y: Any) -> Any:
    """Return the product of two matrices, which may be one of a step with a matrix from outside of the loop."""
    products = _products.get()
    if products is None or x.dtype not in (tf.float32, tf.float64) or not products.is_outside(x, y):
        return tf.matmul(x, y)
    return products.make(x, y)


class _Products:
    """The products of one run of a step, in order; the factors and results."""

    def __init__(self) -> None:
        self._graph = private_api.current_graph()
        self.factors: List[tuple] = []
        self.results: List[Any] = []

    def is_outside(self, x: Any, y: Any) -> bool:
        """Return whether `x` is made by the step, and `y` is not."""
        # A graph inside of the step, such as a branch, has products of its own.
        is_here = private_api.current_graph() is self._graph and getattr(x, 'graph', None) is self._graph
        return is_here and getattr(y, 'graph', None) is not self._graph

    def make(self, x: Any, y: Any) -> Any:
        if _LARGEST is not None and (y.shape.num_elements() or 0) > _LARGEST:
            conditions.avoid('loops over time are slower compiled, in this release of TensorFlow, with a matrix of '
                             f'more than {_LARGEST} numbers')
        result = tf.matmul(x, y)
        self.factors.append((x, y))
        self.results.append(result)
        return result


class _KnownProducts(_Products):
    """The products of a run that is repeated for its gradients: their results are known.

    Attributes
    ----------
    gradients : list
        The gradient of each result, or None if there is none.
    is_first : bool
        Whether gradients of the first order are computed.
    """

    def __init__(self, results: Sequence[Any], transposed: Sequence[Any]):
        super().__init__()
        self.results = list(results)
        self._transposed = transposed
        self.gradients: List[Any] = [None for _ in results]
        self.is_first = True

    def make(self, x: Any, y: Any) -> Any:
        place = len(self.factors)
        self.factors.append((x, y))

        @tf.custom_gradient
        def known(x: Any, y: Any) -> tuple:
            def gradient(above: Any) -> tuple:
                below = tf.matmul(above, self._transposed[place])
                if not self.is_first:
                    return below, tf.matmul(x, above, transpose_a=True)
                self.gradients[place] = above
                return below, None      # after the loop
            return tf.identity(self.results[place]), gradient
        return known(x, y)


class TimeGradients:
    """The gradients of one loop.

    Parameters
    ----------
    step : function
        Takes the slices of a time step and the states before it, and returns the states after it.
    slices : list of TensorArray
        The sequences of the loop.
    sequences, states : list of tensor
        As in :meth:`keraflow.backend.operations.recurrence.Recurrence.loop`.
    length : int or tensor
        The number of time steps.

    Attributes
    ----------
    is_own : bool
        Whether the gradients are computed here, not by TensorFlow.
    """

    def __init__(self, step: Callable, slices: Sequence, sequences: Sequence, states: Sequence, length: Any):
        self._context = contextvars.copy_context()
        self._step = step
        self._slices = list(slices)
        self._sequences = list(sequences)
        self._states = list(states)
        self._length = length
        self.is_own = _is_differentiated.get() and not tf.executing_eagerly() and self._finds_products()

    def _finds_products(self) -> bool:
        """Find out what the step multiplies, and what it takes from outside of the loop."""
        with private_api.FuncGraph('keraflow_step').as_default() as graph:
            products = _Products()
            self._run_again(products, [private_api.placeholder(x.dtype, x.shape[1:]) for x in self._sequences],
                            [private_api.placeholder(x.dtype, x.shape) for x in self._states])
        taken = private_api.taken_from_outside(graph)
        self._taken = _reals(taken)
        self._matrices = [y for _, y in products.factors]
        self._first_factors = [tf.TensorSpec(x.shape, x.dtype) for x, _ in products.factors]
        self._results = [tf.TensorSpec(x.shape, x.dtype) for x in products.results]
        return bool(products.results) and not any(x.dtype in (tf.resource, tf.variant) for x in taken)

    def _run_again(self, products: _Products, slices: List[Any], states: List[Any]) -> List[Any]:
        """Run the step as it is run in the loop, where what it requires is checked."""
        def run() -> List[Any]:
            # A step that draws is left to TensorFlow, because it reads a variable: what is drawn here is not used.
            with bound(_products, products), counting(Draws()), conditions.collecting(states[0]):
                return self._step(slices, states)
        return self._context.copy().run(run)

    def arrays(self) -> List[Any]:
        """Return arrays for what :meth:`run` returns in each time step for the gradients."""
        return self._arrays_of([*self._states, *self._results]) if self.is_own else []

    def _arrays_of(self, alike: Sequence[Any]) -> List[Any]:
        return [tf.TensorArray(x.dtype, self._length, element_shape=x.shape) for x in alike]

    def run(self, slices: List[Any], states: List[Any]) -> Tuple[List[Any], List[Any]]:
        """Run the step in the loop, and return the states after it and what the gradients need."""
        if tf.executing_eagerly():
            return self._step(slices, states), []
        products = _Products()
        with bound(_products, products):
            after = self._step(slices, states)
        return after, [*states, *products.results] if self.is_own else []

    def given_to(self, outputs: List[Any], last: List[Any], kept: List[Any]) -> Tuple[List[Any], List[Any]]:
        """Return the results of the loop with these gradients: its outputs, if any, and the last states."""
        if not self.is_own:
            return outputs, last

        @tf.custom_gradient
        def results(*_: Any) -> tuple:
            def gradient(*above: Any) -> List[Any]:
                return self._backwards(list(above[:len(outputs)]), list(above[len(outputs):]), kept)
            return [tf.identity(x) for x in [*outputs, *_reals(last)]], gradient
        # Copies, because what is outside of a graph is recorded there by its placeholder.
        sources = [tf.identity(x) for x in [*_reals(self._sequences), *_reals(self._states), *self._taken]]
        made = iter(results(*sources))
        outputs = [next(made) for _ in outputs]
        return outputs, [next(made) if x.dtype.is_floating else x for x in last]

    def _backwards(self, of_outputs: List[Any], of_last: List[Any], kept: List[Any]) -> List[Any]:
        """Return the gradients of the sequences, of the first states, and of what the step takes from outside."""
        sequences, nb_product = _reals(self._sequences), len(self._results)
        of_outputs = [tf.TensorArray(x.dtype, self._length).unstack(x) for x in of_outputs]
        transposed = [tf.transpose(y) for y in self._matrices]      # once, and not in each product
        arrays = self._arrays_of([*(tf.TensorSpec(x.shape[1:], x.dtype) for x in sequences),
                                  *self._first_factors, *self._results])
        places: List[Optional[int]] = []
        is_added: List[bool] = []

        def body(time: Any, of_states: List[Any], sums: List[Any], arrays: List[Any]) -> tuple:
            time = time - 1
            read = [array.read(time) for array in kept]
            if of_outputs:
                of_states = [of_states[0] + of_outputs[0].read(time), *of_states[1:]]
            before, found, added = self._step_back(time, read, transposed, of_states)
            is_added[:] = [x is not None for x in added]
            # A tensor that is in some array is not written to another.
            first: Dict[int, int] = {id(x): place for place, x in enumerate(read)}
            places[:] = [None if x is None else first.setdefault(id(x), len(kept) + number)
                         for number, x in enumerate(found)]
            arrays = [array.write(time, x) if place == len(kept) + number else array
                      for number, (array, x, place) in enumerate(zip(arrays, found, places))]
            return time, before, [x if one is None else x + one for x, one in zip(sums, added)], arrays
        _, of_first, sums, arrays = tf.while_loop(
            lambda time, *_: time > 0, body, (self._length, of_last, [tf.zeros_like(x) for x in self._taken], arrays),
            maximum_iterations=self._length if isinstance(self._length, int) else None)
        shapes = [tf.shape(x)[1:] for x in sequences] + [None for _ in places[len(sequences):]]
        stacks: Dict[int, Any] = {}
        for place, shape in zip(places, shapes):
            if place is not None and place not in stacks:
                stacks[place] = stacked([*kept, *arrays][place], self._length, shape)
        found = [None if place is None else stacks[place] for place in places]
        of_taken = [x if is_one else None for x, is_one in zip(sums, is_added)]
        factors = zip(found[len(sequences):-nb_product], found[-nb_product:])
        for matrix, (x, above) in zip(self._matrices, factors):
            if above is not None:
                [place] = [number for number, one in enumerate(self._taken) if one is matrix]
                one = tf.matmul(_rows(x), _rows(above), transpose_a=True)
                of_taken[place] = one if of_taken[place] is None else of_taken[place] + one
        return [*found[:len(sequences)], *of_first, *of_taken]

    def _step_back(self, time: Any, kept: List[Any], transposed: List[Any], of_states: List[Any]) -> tuple:
        """Return the gradients of the states before a time step.

        Also what is collected over time (the gradients of the slices, the first factors of products, the gradients of
        their results) and what is added up (the gradients of what the step takes from outside).
        """
        states, results = kept[:len(self._states)], kept[len(self._states):]
        slices = [array.read(time) for array in self._slices]
        taken = [private_api.placeholder_of(x) for x in self._taken]
        products = _KnownProducts(results, transposed)
        sources = [*_reals(states), *_reals(slices), *taken]
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(sources)
            after = _reals(self._run_again(products, slices, states))
        gradients = tape.gradient(after, sources, output_gradients=of_states)
        products.is_first = False
        gradients = [None if x is None else tf.convert_to_tensor(x) for x in gradients]     # not the rows of a table
        nb_state, nb_taken = len(of_states), len(taken)
        before = [tf.zeros_like(x) if one is None else one for x, one in zip(of_states, gradients)]
        collected = [*gradients[nb_state:len(gradients) - nb_taken], *(x for x, _ in products.factors),
                     *products.gradients]
        return before, collected, gradients[len(gradients) - nb_taken:]


def stacked(array: Any, length: Any, shape: Any = None) -> Any:
    """Stack what was written in each of the time steps; if there were none, each item is of this shape.

    Without a shape the lengths that are not known are then 0.
    """
    if array.element_shape.is_fully_defined() or isinstance(length, int) and length:
        return array.stack()
    if shape is None:       # -1 is a length that the items tell
        shape = [tf.where(tf.equal(length, 0), 0, -1) if one is None else one for one in array.element_shape]
    made = tf.raw_ops.TensorListStack(input_handle=array.flow, element_shape=tf.cast(shape, tf.int32),
                                      element_dtype=array.dtype)
    made.set_shape([None, *array.element_shape])
    return made


def _reals(tensors: Sequence[Any]) -> List[Any]:
    return [x for x in tensors if x.dtype.is_floating]


def _rows(x: Any) -> Any:
    """Join the first two axes of three."""
    return tf.reshape(x, (-1, x.shape[-1] or tf.shape(x)[-1]))
