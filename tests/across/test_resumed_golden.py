"""A training that was saved in the middle of an epoch goes on for ever, and on any backend."""
import warnings
from pathlib import Path

import numpy as np
import pytest
from drawn import X, Y, noisy

import keraflow
from keraflow import backend as B
from keraflow.callbacks import EarlyStopping, ReduceLROnPlateau

DATA = Path(__file__).parent.parent / 'data' / 'training4'
#: What the training reports that these files hold after the fourth of nine batches.
LOSSES = [0.5805804759270453, 0.7032766796239941, 0.6199708824234391]
VALIDATED = [0.5129457816539403, 0.5763105392723882, 0.6413228271387225]
#: The sums of the absolute values of some weights after the best epoch, the first.
SUMS = {'l/W_i': 6.078633124430341, 'l/b_c': 0.2338113616021662, 'y/W': 4.050426429741386}


@pytest.mark.parametrize('file', ['tensorflow', 'theano'])
def test_a_training_of_the_fourth_version_is_resumed(backend, file):
    B.use(backend)
    B.set_floatx('float64')
    try:
        keraflow.seed(1)
        model = noisy()
        with warnings.catch_warnings():
            # It was written elsewhere, where sines may have had other last bits, too.
            warnings.filterwarnings('ignore', '.*may go on differently in the last bits')
            history = model.fit(X, Y, batch_size=4, nb_epoch=3, verbose=0, validation_data=(X[:6], Y[:6]),
                                resume=DATA / f'{file}.safetensors', resume_changes=('x', 'y'), callbacks=[
                                    EarlyStopping('val_loss', patience=2, restore_best_weights=True), ReduceLROnPlateau('loss', patience=1)])
        np.testing.assert_allclose(history.column('loss'), LOSSES, rtol=1e-9)
        np.testing.assert_allclose(history.column('val_loss'), VALIDATED, rtol=1e-9)
        weights = model.get_weights()
        np.testing.assert_allclose([np.abs(weights[name]).sum() for name in SUMS], list(SUMS.values()), rtol=1e-9)
        other = noisy()
        other.load_training(DATA / f'{file}.safetensors')
        assert other._stream.position == 4
    finally:
        B.set_floatx('float32')
