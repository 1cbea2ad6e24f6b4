"""The contract between keraflow and a tensor library.

A plugin is a subclass of :class:`Backend`, found by the entry point group ``keraflow.backends``. The methods (here and
in :mod:`keraflow.backend.operations`) that raise ``NotImplementedError`` are what a plugin must write; the others are
derived from them and may be overridden where the library does better. ``keraflow.testing.check_backend`` compares a
plugin with this class and with NumPy.

Beside these methods a plugin uses what the modules of ``keraflow.backend`` make public, and nothing that begins with an
underscore:

* here :func:`note_creation`, :func:`in_order_of_creation` and :meth:`Backend.current_stream`, for
  :meth:`Backend.variable`, :meth:`Backend.variables_used` and random operations;
* :class:`keraflow.backend.compiled.Compiled`, what :meth:`Backend.compile` gives;
* :mod:`keraflow.backend.operators`: ``install_operators`` for the classes of the library, and ``follow_contract``
  around what a program wrote;
* :mod:`keraflow.backend.refusals`: ``marked`` and ``refusing``, of which :meth:`Backend.require` is made, and
  ``require_integers`` and ``require_split`` for what only the data can show;
* :mod:`keraflow.backend.dtypes`: which dtype a result has, and ``integers_of`` for :meth:`Backend.cast`;
* :mod:`keraflow.backend.layouts`: ``Backend.inner_format``, ``to_inner`` and ``to_outer`` for convolutions;
  ``outer_places``, ``sources_of`` and ``gradients_from_sources`` for what looks behind it;
* :mod:`keraflow.backend.windows`: how long windows and their padding are;
* :class:`keraflow.backend.deferral.Deferred`, what stands for a tensor: the library's own functions refuse it with its
  ``has_no_value``.

Rules that hold for every operation:

* *Operands* are tensors or variables of the backend, NumPy arrays, or Python numbers and lists of them. A number, a
  list or a real array takes the dtype of the tensors that it meets (floatx where they are integer and it is not). One
  that this dtype cannot hold is refused (:mod:`keraflow.backend.ranges`): integers are never cut or rounded, and no
  finite number becomes infinite.
* *Dtypes* are strings: ``'bool'``, ``'int32'``, ``'int64'``, ``'float32'``, ``'float64'``. Of two different dtypes a
  float wins over an integer, an integer over a bool, and within a kind the wider one (:func:`common_dtype`).
  A function whose result is real (``sqrt``, ``mean``, ``softmax``, ...) first casts integers and bools to floatx;
  ``sum``, ``prod`` and ``cumsum`` count bools in int64. Comparisons give bools; ``argmax`` and ``argmin`` int64.
* *Operators* of Python follow these rules, too, in what a backend runs: builders, and functions for
  :meth:`Backend.trace`, :meth:`Backend.symbolic` and :meth:`Backend.no_autograph`. Elsewhere they are the library's. A
  plugin says to :func:`keraflow.backend.operators.install_operators` which classes have them. ``==`` and ``!=``
  compare values.
* *Axes* may be negative. ``axis`` of a reduction is ``None`` (all), an integer, or a sequence of integers.
* *Broadcasting* is NumPy's, also where a length of 1 is only known from a static shape.
* *NaN* is NumPy's: ``equal`` and the orders are False of it (``not_equal`` is True), of itself too; ``max``, ``min``,
  ``maximum``, ``minimum``, ``clip`` and ``relu`` give it on; no warning is given where it arises. Which index
  ``argmax`` gives of values with a NaN, and what ``softmax`` and ``pool`` give of the others in its row or window, is
  the library's affair. So is algebra that holds for numbers: a library may compute ``x - x`` as 0, or the largest
  root as the root of the largest number, so that a NaN is seen for certain only where it leaves a function.
* *Gradients*: at a kink they are what the branches of ``where`` give; ``round``, ``sign``, ``floor`` and comparisons
  have none. Where the largest (or smallest) values are equal they have the gradient together, once: ``max`` and ``min``
  share it evenly, ``maximum`` and ``minimum`` give it to their first argument, ``pool`` to the first cell of a window,
  row by row. Thus ``clip`` hands it on at its bounds; ``relu`` and ``abs`` have none at 0. ``std`` and ``norm`` have
  the gradient 0 where they are 0, and ``sqrt`` an infinite one.
"""
import contextlib
import itertools
import math
from typing import Any, Callable, List, NamedTuple, Optional, Sequence

import numpy as np

from keraflow import random
from keraflow.backend import operand_checks
from keraflow.backend.compiled import Compiled
from keraflow.backend.dtypes import DTYPES, FLOATS, check_dtype, common_dtype, dtype_of_value, dtype_of_variable
from keraflow.backend.method_info import METHODS, checked_method
from keraflow.backend.operations.convolutions import Convolutions
from keraflow.backend.operations.neural import Neural
from keraflow.backend.operations.products import Products
from keraflow.backend.operations.randomness import Randomness
from keraflow.backend.operations.recurrence import Recurrence

__all__ = ['Backend', 'Rows', 'TensorSpec', 'UsedVariable', 'Shape', 'check_dtype', 'common_dtype', 'DTYPES', 'FLOATS',
           'METHODS', 'OLD_NAMES', 'OPERATIONS', 'OTHER_VARIABLES', 'in_order_of_creation', 'note_creation']

Tensor = Any      # what the backend computes with
Variable = Any    # a tensor with a value that can be set
Shape = tuple     # of int or None; None is a length that is not known before the data

#: What :meth:`Backend.variables_used` says of a function that it refuses.
OTHER_VARIABLES = ('expected what computes to use the same variables in each run, received one that makes others in '
                   'its second. Make the variables once, outside of what computes.')


class TensorSpec(NamedTuple):
    """What is known of a tensor before there is data: static shape (``None`` = unknown length), dtype, name."""

    shape: Shape
    dtype: str
    name: Optional[str] = None


class Rows(NamedTuple):
    """Some rows of a variable: 1-D `indices`, none of them twice, and `values`, which has a row for each.

    As a gradient, it is 0 in all other rows. As a new value, all other rows stay as they are.
    """

    indices: Tensor
    values: Tensor


class UsedVariable(NamedTuple):
    """A variable with the last part of its name, and whether its library means it to be trained."""

    name: str
    variable: Variable
    trainable: bool


_creations = itertools.count()    # of variables, in the order in which they are made


def note_creation(variable: Variable) -> Variable:
    """A variable that :meth:`Backend.variable` has just made: it remembers its place in the order of all of them."""
    variable.keraflow_number = next(_creations)
    return variable


def in_order_of_creation(variables: Sequence[Variable]) -> List[Variable]:
    """Variables as :meth:`Backend.variables_used` lists them: those of a program's own library come last."""
    return sorted(variables, key=lambda variable: getattr(variable, 'keraflow_number', math.inf))


class Backend(Neural, Products, Randomness, Convolutions, Recurrence):
    """Operations, variables and functions of one tensor library.

    Parameters
    ----------
    floatx : {'float32', 'float64'}
        dtype of real numbers where nothing else says one.
    """

    #: The entry point's name, for example ``'tensorflow'``.
    name = ''

    def __init__(self, floatx: str = 'float32'):
        self.set_floatx(floatx)
        self._own_stream = self.new_stream()
        self.seed(int(np.random.SeedSequence().generate_state(1)[0]))

    def seed(self, value: int) -> None:
        """Start the backend's own stream of random numbers anew, also for functions that are already compiled.

        It is drawn from outside of models.
        """
        self._own_stream.begin(value % 2 ** 63)

    # -- settings ---------------------------------------------------------------------------------------------------

    def set_floatx(self, dtype: str) -> None:
        """Set the dtype of real numbers; existing tensors and variables keep theirs."""
        self._floatx = dtype

    def version(self) -> str:
        """Version of the tensor library."""
        raise NotImplementedError

    def devices(self) -> list:
        """Names of the devices there are: ``'cpu'``, and ``'gpu:0'``, ... where GPUs can be used."""
        raise NotImplementedError

    def device(self, name: str) -> contextlib.AbstractContextManager:
        """Place what is made inside ``with B.device('gpu:0'):``; BackendError when there is no such device."""
        raise NotImplementedError

    def no_autograph(self, fn: Callable) -> Callable:
        """`fn`, as a builder is run: the operators in it follow the rules of dtypes, and the library rewrites nothing
        of it, where it does so with Python functions that it runs."""
        return fn

    def outside_graph(self) -> contextlib.AbstractContextManager:
        """Inside, what is made from values has a value (:meth:`eval`), also while a graph is built around it."""
        return contextlib.nullcontext()

    # -- variables and values ---------------------------------------------------------------------------------------

    @checked_method(dtype=dtype_of_value, check=operand_checks.value)
    def variable(self, value: Any, dtype: Optional[str] = None, name: Optional[str] = None) -> Variable:
        """A new variable with a copy of `value` (array or number; dtype floatx unless given or `value` is an
        integer array)."""
        raise NotImplementedError

    def is_variable(self, x: Any) -> bool:
        """Whether `x` is a variable of this backend."""
        raise NotImplementedError

    def get_value(self, variable: Variable) -> np.ndarray:
        """A copy of the value of a variable."""
        raise NotImplementedError

    @checked_method(dtype=dtype_of_variable, check=operand_checks.set_value)
    def set_value(self, variable: Variable, value: Any) -> None:
        """Set the value of a variable: an array of its shape, of numbers that its dtype can hold.

        ShapeError for another shape.
        """
        raise NotImplementedError

    @checked_method(check=operand_checks.placeholder)
    def placeholder(self, shape: Shape, dtype: Optional[str] = None, name: Optional[str] = None) -> Tensor:
        """A symbolic tensor to be fed by :meth:`function`; lengths of the static `shape` may be ``None``."""
        raise NotImplementedError

    def eval(self, tensors: Any) -> Any:
        """The value of a tensor that depends on no placeholder, as an array; a list of tensors gives a list of
        arrays."""
        raise NotImplementedError

    # -- functions --------------------------------------------------------------------------------------------------

    def trace(self, fn: Callable, specs: Sequence[TensorSpec]) -> Any:
        """Run ``fn(*placeholders)`` on fresh symbolic tensors of these specs and return what it returns.

        Nothing is kept: the symbolic world may be dropped as soon as the result is.
        """
        return self.symbolic(fn, [self.placeholder(*spec) for spec in specs])

    def symbolic(self, fn: Callable, tensors: Sequence[Tensor]) -> Any:
        """Run ``fn(*tensors)`` on symbolic tensors that :meth:`placeholder` and earlier calls made."""
        raise NotImplementedError

    def function(self, inputs: Sequence[Tensor], outputs: Sequence[Tensor],
                 updates: Sequence = ()) -> Callable[..., list]:
        """A callable from arrays (one for each placeholder of `inputs`) to the list of the arrays of `outputs`.

        `updates` are pairs ``(variable, new value)``. All outputs and new values are computed from the variables'
        values before the call; then the variables are set.
        """
        raise NotImplementedError

    def compile(self, builder: Callable, specs: Sequence[TensorSpec]) -> Compiled:
        """A callable from arrays of these specs to the list of outputs that ``builder(*tensors)`` describes.

        `builder` takes symbolic tensors and returns ``(outputs, updates)``, as for :meth:`function`. It is run when the
        callable is first needed, in that thread, and perhaps more than once; it must make no variables. Several threads
        may call the callable at once. The outputs are anything ``numpy.asarray`` takes,
        computed as late as the backend likes. Arrays must have the dtypes of `specs` and be C-contiguous: they are not
        checked again.
        """
        raise NotImplementedError

    def value_and_gradients(self, loss_fn: Callable[[], Any], variables: Sequence[Variable]) -> tuple:
        """``(loss, aux, gradients)`` of ``loss, aux = loss_fn()``, a scalar and anything else, inside a builder or
        eagerly.

        The gradient of a variable that the loss does not depend on is zeros.
        """
        raise NotImplementedError

    def value_and_row_gradients(self, loss_fn: Callable[[], Any], variables: Sequence[Variable],
                                by_rows: Sequence[bool]) -> tuple:
        """As :meth:`value_and_gradients`, but the gradient of a variable may be :class:`Rows` where its place in
        `by_rows` is True.

        It is where the loss depends on the variable through :meth:`gather` along the first axis alone, if the backend
        overrides this method. Such a backend takes Rows as the new value of a variable, too.
        """
        return self.value_and_gradients(loss_fn, variables)

    def variables_used(self, fn: Callable, specs: Sequence[TensorSpec]) -> List[UsedVariable]:
        """The variables of this library that ``fn(*tensors)`` uses on tensors of these specs.

        Those of :meth:`variable` come first, in the order in which they were made, then others in the order of use.
        `fn` may be of any other library. What it makes in its first run is made for good. If it uses other variables in
        its second run there is an ArgumentError with the text :data:`OTHER_VARIABLES`.
        """
        raise NotImplementedError

    def new_stream(self) -> Any:
        """A stream of random numbers, as each model has one.

        It has a method ``begin(key, position=0)``, which starts it anew, also for functions that are compiled already:
        `key` is an integer below 2**63, and `position` what its attribute ``position`` was, an integer that tells how
        far it is. Random operations draw from the stream that :meth:`current_stream` gives where they are called.
        """
        raise NotImplementedError

    def current_stream(self) -> Any:
        """The stream to draw from: that of the model which is run or built, else the backend's own."""
        owner = random.drawn_stream()
        return self._own_stream if owner is None else owner.inside(self.name, self.new_stream)

    @checked_method(check=operand_checks.gradients)
    def gradients(self, loss: Tensor, variables: Sequence[Variable]) -> list:
        """Gradients of a symbolic scalar that is already there with regard to variables or tensors it was made from.

        It is made by :meth:`symbolic` where no placeholder is in it: some libraries compute at once.
        """
        raise NotImplementedError


#: The names of operations by those that they had.
OLD_NAMES = {method.old_name: name for name, method in METHODS.items() if method.old_name}
#: Names of the functions from tensors to tensors.
OPERATIONS = frozenset(name for name, method in METHODS.items() if method.is_operation)
