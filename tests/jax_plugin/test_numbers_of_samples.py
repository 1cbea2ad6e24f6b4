"""How many samples are placed at a time, which an iterable decides, hardly matters for what is compiled."""
import numpy as np

from keraflow import backend as B
from keraflow.backend.contract import TensorSpec
from keraflow_backends.jax_backend.execution import Jitted


def test_few_steps_are_compiled_for_many_numbers_of_samples(monkeypatch):
    numbers, traced = [], Jitted._traced_batch

    def noting(self, *args):
        numbers.append(args[-1][0].shape[0])
        return traced(self, *args)
    monkeypatch.setattr(Jitted, '_traced_batch', noting)
    steps = B.variable(0.)
    loop = B.batch_loop(lambda x: ([B.expand_dims(B.sum(x), 0)], [(steps, steps + 1.)]), [TensorSpec((None, 2), 'float32')])
    nb_step = 0
    for nb_batch in range(3, 40):
        x = np.arange(4. * nb_batch, dtype='float32').reshape(-1, 2)
        total = loop.sum(loop.load([x]), np.arange(len(x)).reshape(-1, 2), np.zeros(1))
        np.testing.assert_array_equal(total, [x.sum(dtype='float64')])
        nb_step += nb_batch
    assert numbers == [6, 8, 16, 32, 64, 128] and B.get_value(steps) == nb_step
