"""Rows with the same index are added up, to the same numbers whichever way."""
import numpy as np
import pytest

from keraflow.backend.graph.rows import unique_rows


@pytest.mark.parametrize('count, nb_row, shape', [(0, 3, (2,)), (1, 3, (2,)), (40, 1000, (5,)), (300, 20, (3, 2)), (50, 1, (4,)), (20, 3, ())])
@pytest.mark.parametrize('dtype', ['float32', 'float64'])
def test_rows_are_added_up_in_order(count, nb_row, shape, dtype):
    rng = np.random.default_rng(count)
    indices, values = rng.integers(nb_row, size=count), rng.normal(size=(count, *shape)).astype(dtype)
    found, sums = unique_rows(indices, values)
    np.testing.assert_array_equal(found, np.unique(indices))
    assert sums.dtype == dtype and sums.shape == (len(found), *shape)
    for index, total in zip(found, sums):
        rows = values[indices == index]
        # As NumPy adds up a column: the same bits, however many others there are.
        np.testing.assert_array_equal(total, np.add.reduceat(rows, [0])[0])
