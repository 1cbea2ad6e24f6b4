"""Data of numbered batches: what they may do between two epochs."""
import numpy as np
import pytest

from keraflow.layers import Dense, Input
from keraflow.models import Sequential


class Numbered:
    """Two batches, which count how often they were gone through."""

    def __init__(self):
        self.ends, self.seen = 0, []

    def __len__(self):
        return 2

    def __getitem__(self, number):
        self.seen.append(self.ends)
        return np.ones((2, 3)), np.ones((2, 1))

    def on_epoch_end(self):
        self.ends += 1


# Where an epoch of fit ends with the data, the next one finds out.
@pytest.mark.parametrize('nb_batch, ends', [(None, 3), (2, 2), (1, 1), (3, 4)])
def test_they_hear_of_the_end_of_their_epochs(nb_batch, ends):
    data, model = Numbered(), Sequential([Input(3), Dense(1)])
    model.compile('sgd', 'mse')
    model.fit(data, nb_epoch=3, nb_batch=nb_batch, verbose=0)
    assert data.ends == ends and data.seen == [number // 2 for number in range(len(data.seen))]


def test_an_attribute_of_that_name_need_not_be_a_method():
    class Other(Numbered):
        on_epoch_end = None
    model = Sequential([Input(3), Dense(1)])
    model.compile('sgd', 'mse')
    assert len(model.fit(Other(), nb_epoch=2, verbose=0)) == 2
