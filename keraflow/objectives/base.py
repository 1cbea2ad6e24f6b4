"""What objectives have in common: the target they need, and one value for each sample."""
import functools
from typing import Any, Callable, NamedTuple, Optional

from keraflow import backend as B
from keraflow import shapes
from keraflow.arguments import as_numbers
from keraflow.backend.contract import FLOATS
from keraflow.backend.deferral import deferred_among
from keraflow.backend.tensor_info import features_of
from keraflow.errors import ArgumentTypeError, ShapeError, describe, warn
from keraflow.graph.counted import counted_parts, has_parts
from keraflow.graph.lengths import equally_long
from keraflow.objectives.calling import call_objective, function_of
from keraflow.registry import builtin, kind_of

__all__ = ['Target', 'class_numbers', 'classes', 'is_better_larger', 'objective', 'one_hot', 'per_sample', 'reals',
           'target_of', 'wants']


class Target(NamedTuple):
    """The target arrays that an objective accepts.

    Attributes
    ----------
    shape : tuple
        With the sample axis.
    dtype : str
    nb_class : int, optional
        If targets are class indices: the number of classes.
    """

    shape: tuple
    dtype: str
    nb_class: Optional[int] = None


def objective(*aliases: str) -> Callable:
    """Register keraflow's own objectives, with aliases that users may write, and let them accept arrays.

    Real arrays are cast to floatx, as for the input of a layer.
    """
    def add(function: Callable) -> Callable:
        @functools.wraps(function)
        def call(y_pred: Any, y_true: Any, *args: Any, **kwargs: Any) -> Any:
            fed = ((f'{function.__name__}: {name}', value) for name, value in (('y_pred', y_pred), ('y_true', y_true)))
            return function(*(_as_tensor(*one) for one in fed), *args, **kwargs)
        return builtin('objective', *aliases)(call)
    return add


def _as_tensor(where: str, value: Any) -> Any:
    # A Kensor passes, too: the operations on it become layers.
    return value if B.is_tensor(value) or deferred_among((value,), {}) else B.constant(as_numbers(value, where))


def wants(target: Callable[[tuple], Target]) -> Callable:
    """Mark an objective whose target differs from its prediction, with a function from the prediction's shape.

    Examples
    --------
    >>> @wants(lambda shape: Target(shape[:1], 'int32'))
    ... def miss(y_pred, y_true):
    ...     return B.abs(B.sum(y_pred, -1) - B.cast(y_true, B.dtype(y_pred)))
    >>> target_of(miss, (None, 3), 'float32')
    Target(shape=(None,), dtype='int32', nb_class=None)
    """
    def mark(objective: Any) -> Any:
        objective.target = target
        return objective
    return mark


def is_better_larger(objective: Any) -> Optional[bool]:
    """Return whether larger values are better, as the function says by ``larger_is_better``.

    Without it, they are not for keraflow's own objectives, and unknown (``None``) for others.
    """
    function = function_of(objective)
    return getattr(function, 'larger_is_better', False if kind_of(function) == 'objective' else None)


def target_of(objective: Any, shape: tuple, dtype: str, features: Optional[int] = None) -> Target:
    """Return the target of `objective` for a prediction of this shape and dtype: by default a real of the same shape.

    The feature axis is treated as the last one, where class indices have length 1.
    """
    declared = getattr(function_of(objective), 'target', None)
    if declared is None:
        return Target(shape, dtype if dtype in FLOATS else B.floatx())
    axis = (-1 if features is None else features) % len(shape)
    return declared((*shape[:axis], *shape[axis + 1:], shape[axis]))


def classes(shape: tuple) -> Target:
    """Return the target for a prediction ``(batch, ..., nb_class)``: class indices ``(batch, ..., 1)``."""
    return Target((*shape[:-1], 1), 'int32', shape[-1])


def one_hot(numbers: Any, y_pred: Any) -> Any:
    """One-hot encode class indices, as :func:`class_numbers` returns them, in a tensor like the prediction."""
    axis, ndim = features_of(y_pred) % B.ndim(y_pred), B.ndim(y_pred)
    rows = B.one_hot(numbers, B.static_shape(y_pred)[axis], B.dtype(y_pred))
    return rows if axis == ndim - 1 else B.transpose(rows, [*range(axis), ndim - 1, *range(axis, ndim - 1)])


def class_numbers(y_pred: Any, y_true: Any) -> Any:
    """Return class indices as ``(batch, ...)``, from that shape or ``(batch, ..., 1)``."""
    return B.cast(B.squeeze(y_true, -1) if B.ndim(y_true) == B.ndim(y_pred) else y_true, 'int64')


def per_sample(objective: Any, y_pred: Any, y_true: Any, weights: Any = None) -> Any:
    """Return one value for each sample: the mean of an objective over all other axes.

    Parts that the mask of the prediction excludes are left out of the mean, unless a function of the program has
    already combined parts of a sample, which causes a warning. With weights for parts, ``(batch, time)``, it is the sum
    of the weighted values divided by the number of parts that count. A sample without any has the value 0.

    Raises
    ------
    ArgumentTypeError, ShapeError
        If the objective does not return a tensor with a value for each sample, or for each weighted part.
    """
    values = call_objective(objective, y_pred, y_true)
    where = getattr(objective, '__name__', objective)
    if not B.is_tensor(values):
        raise ArgumentTypeError(f'{where}: expected a tensor, received {describe(values)}. Does it end with return?')
    if B.ndim(values) == 0:
        raise ShapeError(f'{where}: expected a value for each sample, received a scalar. An objective keeps the sample '
                         'axis; the model takes the mean.')
    values = B.cast(values, B.floatx()) if B.dtype(values) == 'bool' else values
    is_own = not kind_of(function_of(objective))     # keraflow's own need no check
    if is_own:
        values = _of_all_samples(values, y_pred, where)
    counted = counted_parts(y_pred, weights)
    if counted is None:
        return _mean(values, 1)
    rank = B.ndim(counted)
    shape = B.static_shape(y_pred)
    if B.ndim(y_pred) > rank:
        axis = features_of(y_pred) % len(shape)
        values = B.mean(values, axis) if B.ndim(values) == len(shape) else values
        shape = (*shape[:axis], *shape[axis + 1:])
    if not has_parts(B.static_shape(values), shape, rank):
        if weights is not None:
            raise ShapeError(f'{where}: expected a value for each part of a sample that has a weight, received '
                             f'{tuple(B.static_shape(values))}. Pass a weight for each sample.')
        if is_own:
            warn(f'{where}: expected a value for each part of a sample, of which the mask leaves some out, received '
                 f'{tuple(B.static_shape(values))}: parts that do not count are in it, with targets of 0. Keep the '
                 'axes of the mask; the model takes the mean of what counts.')
        return _mean(values, 1)
    losses = B.where(counted, _mean(values, rank), 0.)
    if rank == 1:
        return losses
    axes = list(range(1, rank))
    total = B.sum(losses if weights is None else losses * B.cast(weights, B.dtype(losses)), axes)
    # At least 1, so that a sample of which nothing counts is 0 and not NaN.
    return total / B.clip(B.cast(B.sum(counted, axes), B.dtype(total)), 1.)


def _of_all_samples(values: Any, y_pred: Any, where: Any) -> Any:
    message = (f'{where}: expected a value for each sample, received another number of values. An objective keeps the '
               'sample axis; the model takes the mean.')
    received, nb_sample = B.static_shape(values)[0], B.static_shape(y_pred)[0]
    if received is not None and received != nb_sample:
        raise ShapeError(message)
    return B.require(values, B.equal(B.shape(values)[0], B.shape(y_pred)[0]), message) if received is None else values


def _mean(values: Any, first: int) -> Any:
    """Return the mean over the axes from number `first` on."""
    return B.mean(values, axis=list(range(first, B.ndim(values)))) if B.ndim(values) > first else values


def reals(y_pred: Any, y_true: Any) -> tuple:
    """Convert both to real tensors of one dtype.

    A real prediction stays the same object, with what is recorded about it.

    Raises
    ------
    ShapeError
        If their shapes differ. Lengths that are only known with the data cause a DataError in the run.
    """
    shape, wanted = B.static_shape(y_true), B.static_shape(y_pred)
    if not shapes.agree(shape, wanted):
        raise ShapeError(f'y_true: expected a target of the shape of the prediction, {wanted}, received {shape}. For '
                         "numbers of classes there are 'sparse_categorical_crossentropy' and "
                         "'sparse_categorical_accuracy'.")
    y_true = equally_long(y_true, y_pred, 'y_true: expected a target as long as the prediction along axis {}.')
    y_pred = B.as_real(y_pred)
    return y_pred, B.cast(y_true, B.dtype(y_pred))
