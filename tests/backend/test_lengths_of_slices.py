"""The static shape of an index is the same on every backend, for tensors and for Kensors, and true in each run."""
import numpy as np
import pytest

from keraflow import backend as B
from keraflow.errors import ShapeError
from keraflow.layers import Input, Lambda

#: An index of a tensor of shape (None, None, 4), and what is known of the result.
CASES = [
    (lambda x: x[:, :1], (None, None, 4)), (lambda x: x[:, -1:], (None, None, 4)), (lambda x: x[:, :3], (None, None, 4)),
    (lambda x: x[:, 2:2], (None, None, 4)), (lambda x: x[:, ::-1], (None, None, 4)), (lambda x: x[:1], (None, None, 4)),
    (lambda x: x[-1:, 0], (None, 4)), (lambda x: x[..., :1, :], (None, None, 4)), (lambda x: x[:, None, :1], (None, 1, None, 4)),
    (lambda x: x[:, :, 1:3], (None, None, 2)), (lambda x: x[:, 0, ::2], (None, 2)), (lambda x: x[:, 1:, 3], (None, None)),
    (lambda x: x[:, 6000], (None, 4)), (lambda x: x[..., -1], (None, None))]


@pytest.mark.parametrize('act, shape', CASES, ids=range(len(CASES)))
def test_a_slice_of_an_unknown_length_is_of_an_unknown_length(act, shape):
    fed = B.placeholder((None, None, 4))
    made = B.symbolic(act, [fed])
    assert B.static_shape(made) == shape == act(Input((None, 4))).shape
    run = B.function([fed], [made])
    for lengths in ((2, 3), (1, 1), (2, 0)):
        x = np.random.default_rng(0).normal(size=(*lengths, 4)).astype('float32')
        try:
            expected = act(x)
        except IndexError:      # the error is up to the library
            with pytest.raises(Exception):
                run(x)
            continue
        np.testing.assert_array_equal(run(x)[0], expected)


@pytest.mark.parametrize('act, text', [
    (lambda x: x[:, :, 4], 'axis 2: expected an index from -4 to 3, received 4.'), (lambda x: x[..., -5], 'axis 2: expected an index from -4 to 3, received -5.'),
    (lambda x: x[None, 0, ..., np.int64(9)], 'axis 2: expected an index from -4 to 3, received 9.'),
    (lambda x: x[0, 0, 0, 0], 'expected at most 3 indices for shape (None, None, 4), received 4.')])
def test_a_cell_that_is_not_there_is_refused_alike(act, text):
    x = Input((None, 4))
    for one in (act, Lambda(act)):
        with pytest.raises(ShapeError) as caught:
            one(x)
        assert str(caught.value) == f'getitem: {text}'
