"""Tables of which only some rows are used: find the rows, differentiate with respect to them, and update them."""
import collections
from typing import Any, Dict, Iterator, Sequence

from keraflow.backend.contract import Rows

from .configure import T

__all__ = ['lookups_among', 'rows_of', 'set_rows']


def lookups_among(nodes: Sequence) -> Dict[Any, list]:
    """Return the lookups of each tensor of which these nodes use only rows."""
    users = collections.defaultdict(list)
    for node in nodes:
        for x in node.inputs:
            users[x].append(node)
    return {x: [node.outputs[0] for node in found] for x, found in users.items()
            if all(isinstance(node.op, T.AdvancedSubtensor1) and node.inputs[0] is x for node in found)}


def rows_of(taken: Sequence, gradients: Iterator) -> Rows:
    """Combine the gradients of a table's lookups, in the same order, adding up those with the same index."""
    indices, places = T.extra_ops.Unique(return_inverse=True)(T.concatenate([x.owner.inputs[1] for x in taken]))
    values = T.concatenate([next(gradients) for _ in taken])
    zeros = T.zeros([indices.shape[0], *values.shape[1:]], values.dtype)
    return Rows(indices, _ByRows()(zeros, values, places))


def set_rows(x: Any, rows: Rows) -> Any:
    """Set some rows of a table to other values, in place if Theano can."""
    return _ByRows(set_instead_of_inc=True)(x, rows.values, rows.indices)


class _ByRows(T.AdvancedIncSubtensor1):
    """Theano's Op for ``x[indices] += y`` and ``x[indices] = y``, several times as fast on contiguous rows: its own C
    code works value by value."""

    def c_code(self, node: Any, name: str, *args: Any) -> str:
        return super().c_code(node, name, *args).replace('inplace_increment(', f'by_rows_{name}(')

    def c_support_code_apply(self, node: Any, name: str) -> str:
        real, _, index = (x.type.dtype_specs()[1] for x in node.inputs)
        return _BY_ROWS % {'name': name, 'real': real, 'index': index}

    def c_code_cache_version(self) -> tuple:
        return (*super().c_code_cache_version(), 1)      # to be raised with each change of _BY_ROWS


_BY_ROWS = """
static int by_rows_%(name)s(PyArrayObject* x, PyObject* indices, PyArrayObject* y, int inc) {
    PyArrayObject* at = (PyArrayObject*) indices;
    npy_intp n = PyArray_DIM(at, 0), size = PyArray_MultiplyList(PyArray_DIMS(x) + 1, PyArray_NDIM(x) - 1);
    if (!PyArray_ISCARRAY(x) || !PyArray_ISCARRAY_RO(y) || !PyArray_ISCARRAY_RO(at) ||
        PyArray_TYPE(x) != PyArray_TYPE(y) || PyArray_SIZE(y) != n * size)
        return inplace_increment(x, indices, y, inc);
    const %(index)s* row = (const %(index)s*) PyArray_DATA(at);
    for (npy_intp k = 0; k < n; k++)
        if (row[k] < 0 || row[k] >= PyArray_DIM(x, 0))      // counted from the end, or to be refused
            return inplace_increment(x, indices, y, inc);
    const %(real)s* from = (const %(real)s*) PyArray_DATA(y);
    for (npy_intp k = 0; k < n; k++, from += size) {
        %(real)s* to = (%(real)s*) PyArray_DATA(x) + row[k] * size;
        if (inc)
            for (npy_intp j = 0; j < size; j++)
                to[j] += from[j];
        else
            memcpy(to, from, size * sizeof(%(real)s));
    }
    return 0;
}
"""
