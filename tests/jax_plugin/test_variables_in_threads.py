"""A run takes the memory of the variables that it sets, whatever other threads do with their values."""
import threading

import numpy as np

from keraflow import backend as B


def test_values_are_read_while_other_threads_set_them():
    variable = B.variable(np.zeros((64, 64)))
    add = B.compile(lambda: ([], [(variable, variable + 1.)]), [])
    total = B.compile(lambda: ([B.sum(variable)], []), [])
    add(), total()
    done, wrong = threading.Event(), []

    def read(act):
        try:
            while not done.is_set():
                value = np.asarray(act()).reshape(-1)
                assert value.min() == value.max() == round(float(value[0]))
        except Exception as error:
            wrong.append(error)

    readers = [threading.Thread(target=read, args=[act]) for act in (lambda: total()[0], lambda: B.get_value(variable))]
    for one in readers:
        one.start()
    for _ in range(2000):
        add()
    done.set()
    for one in readers:
        one.join()
    assert wrong == [] and B.get_value(variable)[0, 0] == 2001
