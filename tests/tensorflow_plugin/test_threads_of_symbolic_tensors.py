"""The graph of symbolic tensors is built by one thread at a time, also where operations open it by themselves."""
import threading

import numpy as np
import pytest
import tensorflow as tf

from keraflow import backend as B


@pytest.mark.parametrize('compute', [lambda x: B.add(x, 1.), lambda x: x + 1., lambda x: tf.add(x, 1.)])
def test_an_operation_waits_while_another_thread_builds(compute):
    x, entered, leave, found = B.placeholder((1,)), threading.Event(), threading.Event(), []
    other = threading.Thread(target=lambda: B.symbolic(lambda: entered.set() or leave.wait(60), []))
    mine = threading.Thread(target=lambda: found.append(compute(x)))
    other.start()
    assert entered.wait(60)
    mine.start()
    mine.join(0.5)
    before = list(found)
    leave.set()
    for thread in (other, mine):
        thread.join(60)
    assert before == []
    np.testing.assert_array_equal(B.function([x], found)([1.])[0], [2.])
