"""The contract between keraflow and a tensor library.

A plugin is a subclass of :class:`Backend`, found by the entry point group ``keraflow.backends``. It must implement the
methods (here and in :mod:`keraflow.backend.operations`) that raise ``NotImplementedError``; the others are derived from
them and may be overridden if the library does better. ``keraflow.testing.check_backend`` compares a plugin with this
class and with NumPy.

Besides these methods a plugin uses only what the modules of ``keraflow.backend`` make public, nothing that begins with
an underscore:

* here :func:`note_creation`, :func:`in_order_of_creation` and :meth:`Backend.current_stream`, for
  :meth:`Backend.variable`, :meth:`Backend.variables_used` and random operations;
* :class:`keraflow.backend.compiled.Compiled`, the result of :meth:`Backend.compile`,
  :func:`keraflow.backend.compiled.arrays_for`, for :meth:`Backend.function`, and
  :class:`keraflow.backend.batches.BatchLoop`, that of :meth:`Backend.batch_loop`; :func:`all_updates` and
  :func:`numbers_to_check` for both;
* :mod:`keraflow.backend.operators`: ``install_operators`` for the classes of the library, and ``follow_contract``
  around code of the program;
* :mod:`keraflow.backend.refusals`: ``marked`` and ``refusing``, to implement :meth:`Backend.require`, ``STOP`` and
  ``NotFinite`` for :class:`Finite`, and ``require_integers`` and ``require_split`` for what only the data can show;
* :mod:`keraflow.backend.dtypes`: which dtype a result has, and ``integers_of`` for :meth:`Backend.cast`;
* :mod:`keraflow.backend.layouts`: ``Backend.inner_format``, ``to_inner`` and ``to_outer`` for convolutions;
  ``outer_places``, ``sources_of`` and ``gradients_from_sources`` for code that looks behind it;
* :mod:`keraflow.backend.windows`: the lengths of windows and their padding;
* :mod:`keraflow.contexts`: ``bound``, to give a context variable a value inside a block;
* :class:`keraflow.backend.deferral.Deferred`, which represents a tensor: the library's own functions refuse it with its
  ``has_no_value``.

Rules for every operation:

* *Operands* are tensors or variables of the backend, NumPy arrays, or Python numbers and lists of them. A number, a
  list or a real array takes the dtype of the tensors that it meets (floatx if they are integers and it is not). If this
  dtype cannot hold it, it is refused (:mod:`keraflow.backend.ranges`): integers are never truncated or rounded, and no
  finite number becomes infinite.
* *Dtypes* are strings: ``'bool'``, ``'int32'``, ``'int64'``, ``'float32'``, ``'float64'``. Of two different dtypes a
  float wins over an integer, an integer over a bool, and within a kind the wider one (:func:`common_dtype`).
  A function whose result is real (``sqrt``, ``mean``, ``softmax``, ...) first casts integers and bools to floatx;
  ``sum``, ``prod`` and ``cumsum`` count bools in int64. Comparisons return bools; ``argmax`` and ``argmin`` int64.
* *Operators* of Python follow these rules, too, in code that a backend runs: builders, and functions for
  :meth:`Backend.trace`, :meth:`Backend.symbolic` and :meth:`Backend.no_autograph`. Elsewhere they are the library's. A
  plugin tells :func:`keraflow.backend.operators.install_operators` which classes have them. ``==`` and ``!=`` compare
  values.
* *Axes* may be negative. ``axis`` of a reduction is ``None`` (all), an integer, or a sequence of integers.
* *Broadcasting* is NumPy's, even if a length of 1 is only known from a static shape.
* *NaN* behaves as in NumPy: ``equal`` and the orders are False for it (``not_equal`` is True), even compared with
  itself; ``max``, ``min``, ``maximum``, ``minimum``, ``clip`` and ``relu`` propagate it; no warning is issued where it
  arises. The index that ``argmax`` returns for values with a NaN, and the other results of ``softmax`` and ``pool`` in
  its row or window, are up to the library. So is algebra that holds for numbers: a library may compute ``x - x`` as 0,
  or the largest root as the root of the largest number, so that a NaN is only certain to be seen in a function's
  output.
* *Gradients*: at a kink they are those of the branches of ``where``; ``round``, ``sign``, ``floor`` and comparisons
  have none. Equal maxima (or minima) share one gradient: ``max`` and ``min`` split it evenly, ``maximum`` and
  ``minimum`` pass it to their first argument, ``pool`` to the first cell of a window, row by row. So ``clip`` passes
  it on at its bounds; ``relu`` and ``abs`` have none at 0. The gradient of ``std`` and ``norm`` is 0 where they are
  0, and that of ``sqrt`` is infinite.
"""
import contextlib
import functools
import itertools
import math
import os
from typing import Any, Callable, Dict, List, NamedTuple, Optional, Sequence

import numpy as np

from keraflow import random
from keraflow.backend import operand_checks
from keraflow.backend.batches import BatchLoop
from keraflow.backend.compiled import Compiled
from keraflow.backend.draws import Draw, Stream, current_step, draws_so_far
from keraflow.backend.dtypes import DTYPES, FLOATS, check_dtype, common_dtype, dtype_of_value, dtype_of_variable
from keraflow.backend.method_info import METHODS, checked_method
from keraflow.backend.operations.convolutions import Convolutions
from keraflow.backend.operations.neural import Neural
from keraflow.backend.operations.products import Products
from keraflow.backend.operations.randomness import Randomness
from keraflow.backend.operations.recurrence import Recurrence
from keraflow.backend.updates import Finite, FusedUpdates, Rows, all_updates, numbers_to_check
from keraflow.errors import BackendError

__all__ = ['Backend', 'Finite', 'FusedUpdates', 'Rows', 'TensorSpec', 'UsedVariable', 'Shape', 'check_dtype',
           'common_dtype', 'DTYPES', 'FLOATS', 'METHODS', 'OLD_NAMES', 'OPERATIONS', 'OTHER_VARIABLES', 'all_updates',
           'in_order_of_creation', 'note_creation', 'numbers_to_check']

Tensor = Any      # what the backend computes with
Variable = Any    # a tensor with a value that can be set
Shape = tuple     # of int or None; None is a length unknown before the data

#: The text of :meth:`Backend.variables_used` for a function that it refuses.
OTHER_VARIABLES = ('expected a callable that uses the same variables in each run, received one that makes others in '
                   'its second. Make the variables once, outside it.')


class TensorSpec(NamedTuple):
    """What is known of a tensor before there are data: static shape (``None`` = unknown length), dtype, name."""

    shape: Shape
    dtype: str
    name: Optional[str] = None


class UsedVariable(NamedTuple):
    """A variable with the last part of its name, and whether its library considers it trainable."""

    name: str
    variable: Variable
    trainable: bool


_creations = itertools.count()    # counts variables in order of creation


def note_creation(variable: Variable) -> Variable:
    """Record the place of a variable, which :meth:`Backend.variable` has just made, in the order of creation."""
    variable.keraflow_number = next(_creations)
    return variable


def in_order_of_creation(variables: Sequence[Variable]) -> List[Variable]:
    """Sort variables as :meth:`Backend.variables_used` lists them: those that the library itself made come last, and
    states of streams are left out."""
    return sorted((one for one in variables if not getattr(one, 'keraflow_of_stream', False)),
                  key=lambda variable: getattr(variable, 'keraflow_number', math.inf))


class Backend(Neural, Products, Randomness, Convolutions, Recurrence):
    """The operations, variables and functions of one tensor library.

    Parameters
    ----------
    floatx : {'float32', 'float64'}
        The default dtype of real numbers.
    """

    #: The entry point's name, for example ``'tensorflow'``.
    name = ''

    def __init__(self, floatx: str = 'float32'):
        self.set_floatx(floatx)
        self._own_stream = self.new_stream()
        self.seed(int(np.random.SeedSequence().generate_state(1)[0]))      # unpredictable until the program seeds it

    def seed(self, value: int) -> None:
        """Restart the backend's own stream of random numbers, even for functions that are already compiled.

        It is used outside models.
        """
        self._own_stream.begin(value % 2 ** 63)      # a key is less than 2 ** 63

    # -- settings ---------------------------------------------------------------------------------------------------

    def set_floatx(self, dtype: str) -> None:
        """Set the dtype of real numbers; existing tensors and variables keep theirs."""
        self._floatx = dtype

    def version(self) -> str:
        """Return the version of the tensor library."""
        raise NotImplementedError

    def devices(self) -> list:
        """Return the names of the devices: ``'cpu'``, and ``'gpu:0'``, ... if GPUs can be used."""
        return ['cpu']

    def nb_thread(self) -> int:
        """Return with how many threads operations compute."""
        asked = os.environ.get('OMP_NUM_THREADS', '')
        return int(asked) if asked.isdigit() else len(os.sched_getaffinity(0)) if hasattr(os, 'sched_getaffinity') \
            else os.cpu_count() or 1

    def device(self, name: str) -> contextlib.AbstractContextManager:
        """Place what is made inside ``with B.device('gpu:0'):``.

        Raises
        ------
        BackendError
            If there is no such device.
        """
        if name not in self.devices():
            raise BackendError(f"device: there is no device '{name}'; this machine has {', '.join(self.devices())}.")
        return contextlib.nullcontext()

    def no_autograph(self, fn: Callable) -> Callable:
        """Run `fn` like a builder: its operators follow the contract's dtypes, and the library does not rewrite it.

        Some libraries otherwise rewrite Python functions that they run.
        """
        return fn

    def outside_graph(self) -> contextlib.AbstractContextManager:
        """Give tensors made from values inside the block a value (:meth:`eval`), even while a graph is being built."""
        return contextlib.nullcontext()

    # -- variables and values ---------------------------------------------------------------------------------------

    @checked_method(dtype=dtype_of_value, check=operand_checks.value)
    def variable(self, value: Any, dtype: Optional[str] = None, name: Optional[str] = None) -> Variable:
        """Make a variable with a copy of `value`, an array or number.

        Its dtype is by default floatx, or that of an integer array.
        """
        raise NotImplementedError

    def is_variable(self, x: Any) -> bool:
        """Return whether `x` is a variable of this backend."""
        raise NotImplementedError

    def get_value(self, variable: Variable) -> np.ndarray:
        """Return a copy of the value of a variable."""
        raise NotImplementedError

    @checked_method(dtype=dtype_of_variable, check=operand_checks.set_value)
    def set_value(self, variable: Variable, value: Any) -> None:
        """Set the value of a variable: an array of its shape, of numbers that its dtype can hold.

        Another shape is a ShapeError.
        """
        raise NotImplementedError

    @checked_method(check=operand_checks.placeholder)
    def placeholder(self, shape: Shape, dtype: Optional[str] = None, name: Optional[str] = None) -> Tensor:
        """Make a symbolic tensor to be fed by :meth:`function`; lengths of the static `shape` may be ``None``."""
        raise NotImplementedError

    def eval(self, tensors: Any) -> Any:
        """Compute a tensor that depends on no placeholder, as an array; a list of tensors becomes a list of arrays."""
        raise NotImplementedError

    # -- the program's own arrays and functions -----------------------------------------------------------------------

    def adopt(self, x: Any) -> Any:
        """Return a tensor for an array of the library that is none itself, even if it has no value yet; else None.

        A layer that is called on such arrays returns such arrays, made by :meth:`plain`.
        """
        return None

    def plain(self, tensors: Sequence[Tensor]) -> list:
        """Return arrays of the library for tensors that were computed from those of :meth:`adopt`."""
        return list(tensors)

    def call(self, fn: Callable, *tensors: Tensor) -> Any:
        """Return the result of a function of the program: one of tensors, or of the library's own arrays."""
        return fn(*tensors)

    def adopt_function(self, fn: Callable) -> Callable:
        """Return a function or module of the program as a function ``run`` of tensors.

        ``run(tensors, arguments, in_training, value_of)`` returns what `fn` returns for a list of tensors and a dict of
        other arguments, and a list of pairs of a variable and its new value. Only the arrays of a module whose library
        has no variables become some here, among them those that a run changes. Such a module runs as its library runs
        it in training or else; ``value_of(variable)`` is what it computes from.

        Raises
        ------
        ArgumentError
            For a module that cannot be run so.
        """
        def run(tensors: Sequence[Tensor], arguments: Dict[str, Any], in_training: bool, value_of: Callable) -> tuple:
            return self.call(functools.partial(fn, **arguments), *tensors), []
        return run

    # -- functions --------------------------------------------------------------------------------------------------

    def trace(self, fn: Callable, specs: Sequence[TensorSpec]) -> Any:
        """Run ``fn(*placeholders)`` on fresh symbolic tensors of these specs and return what it returns.

        Nothing is kept: the symbolic world may be dropped as soon as the result is.
        """
        return self.symbolic(fn, [self.placeholder(*spec) for spec in specs])

    def symbolic(self, fn: Callable, tensors: Sequence[Tensor]) -> Any:
        """Run ``fn(*tensors)`` on existing symbolic tensors, made by :meth:`placeholder` and earlier calls."""
        raise NotImplementedError

    @checked_method(check=operand_checks.function)
    def function(self, inputs: Sequence[Tensor], outputs: Sequence[Tensor],
                 updates: Sequence = ()) -> Callable[..., list]:
        """Return a callable from arrays, one for each placeholder in `inputs`, to the list of the arrays of `outputs`.

        `updates` are pairs ``(variable, new value)``. All outputs and new values are computed from the values of
        variables before the call; then the variables are set.
        """
        raise NotImplementedError

    def compile(self, builder: Callable, specs: Sequence[TensorSpec]) -> Compiled:
        """Return a callable from arrays of these specs to the list of outputs that ``builder(*tensors)`` describes.

        `builder` takes symbolic tensors and returns ``(outputs, updates)``, as for :meth:`function`; among the updates
        may be :class:`FusedUpdates` and :class:`Finite`. It runs on the first call, in that thread, and perhaps more
        than once; it must make no variables. Several threads may call the callable at once. The outputs are anything
        that ``numpy.asarray`` accepts, computed as late as the backend likes. Arrays must have the dtypes of `specs`
        and be C-contiguous: they are not checked again.
        """
        raise NotImplementedError

    def batch_loop(self, builder: Callable, specs: Sequence[TensorSpec], execution: str = 'auto') -> BatchLoop:
        """Return a builder, as for :meth:`compile`, as a loop over batches.

        `execution` is one of :data:`~keraflow.schema.Execution`. A backend runs the loop in another way
        if it cannot run it so, and tells. Results are the same but for rounding.
        """
        return BatchLoop(self.compile(builder, specs))

    def value_and_gradients(self, loss_fn: Callable[[], Any], variables: Sequence[Variable]) -> tuple:
        """Return ``(loss, aux, gradients)`` of ``loss, aux = loss_fn()``, inside a builder or eagerly.

        The loss is a scalar, `aux` anything. The gradient of a variable that the loss does not depend on is zeros.
        """
        raise NotImplementedError

    def value_and_row_gradients(self, loss_fn: Callable[[], Any], variables: Sequence[Variable],
                                by_rows: Sequence[bool]) -> tuple:
        """Do the same as :meth:`value_and_gradients`, but allow :class:`Rows` as gradients where `by_rows` is True.

        A backend that overrides this method returns Rows if the loss depends on the variable only through
        :meth:`gather` along the first axis. It then also accepts Rows as the new value of a variable.
        """
        return self.value_and_gradients(loss_fn, variables)

    def variables_used(self, fn: Callable, specs: Sequence[TensorSpec]) -> List[UsedVariable]:
        """Return the variables of this library that ``fn(*tensors)`` uses on tensors of these specs.

        Those of :meth:`variable` come first, in order of creation, then others in order of use; states of streams of
        random numbers are left out. `fn` may belong to any other library. What it makes in its first run stays. If its
        second run uses other variables, an ArgumentError with the text :data:`OTHER_VARIABLES` is raised.
        """
        raise NotImplementedError

    def new_stream(self) -> Stream:
        """Return a new stream of random numbers, such as each model has."""
        return Stream(self)

    def current_stream(self) -> Stream:
        """Return the stream to draw from: that of the model being run or built, else the backend's own."""
        owner = random.drawn_stream()
        return self._own_stream if owner is None else owner.inside(self.name, self.new_stream)

    def next_draw(self) -> Draw:
        stream, draws = self.current_stream(), draws_so_far()
        draw = self.lone_draw(stream) if draws is None else draws.next(stream)
        return draw._replace(step=current_step())

    def lone_draw(self, stream: Stream) -> Draw:
        """Return a draw outside of builders: a run of its own, or a place in the :meth:`function` that computes it."""
        raise NotImplementedError

    @checked_method(check=operand_checks.gradients)
    def gradients(self, loss: Tensor, variables: Sequence[Variable]) -> list:
        """Return the gradients of an existing symbolic scalar with respect to variables or tensors it was made from.

        If no placeholder is involved, make the scalar by :meth:`symbolic`: some libraries compute immediately.
        """
        raise NotImplementedError


#: The current names of operations, by their old ones.
OLD_NAMES = {method.old_name: name for name, method in METHODS.items() if method.old_name}
#: Names of the functions from tensors to tensors.
OPERATIONS = frozenset(name for name, method in METHODS.items() if method.is_operation)
