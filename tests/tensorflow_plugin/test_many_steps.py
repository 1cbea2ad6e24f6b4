"""Trainings of many steps, for which another way to run is chosen."""
import numpy as np
import pytest

from keraflow import backend as B
from keraflow.callbacks import Callback
from keraflow.layers import LSTM, Dense, Embedding, Input
from keraflow.models import Sequential


class Stop(Callback):
    """Stop after an epoch of a training that was to take many."""

    def on_epoch_end(self, epoch, logs):
        self.model.stop_training = True


@pytest.mark.parametrize('nb_step', [600, 2000])        # enough to compile, and to know the size of the batches
def test_samples_of_unknown_lengths_in_a_small_network_run_by_kernels(nb_step):
    model = Sequential([Input((None,), dtype='int32', mask_value=0), Embedding(9, 4), LSTM(4), Dense(1)], name='words')
    model.compile('sgd', 'mse')
    X = np.random.default_rng(0).integers(1, 9, (12, 7)).astype('int32')
    model.fit(X, np.ones((12, 1)), batch_size=4, nb_epoch=-(-nb_step // 3), callbacks=[Stop()], verbose=0)
    assert model.explain().splitlines() == [f'words: on tensorflow {B.current().version()}, in float32',
                                            'fit: plain (not compiled: a small update is faster as it is)']
