"""Training in parts gives what training in one go gives."""
import numpy as np
import pytest

import keraflow
from keraflow import random
from keraflow.callbacks import Callback, EarlyStopping, ReduceLROnPlateau
from keraflow.errors import GraphError, ModelFileError
from keraflow.files.tensors import dump_tensors, read_tensors
from keraflow.layers import BatchNormalization, Dense, Dropout, Input
from keraflow.models import Sequential
from keraflow.optimizers import SGD, Adam, Nadam
from keraflow.schedules import ExponentialDecay

rng = np.random.default_rng(5)
X, Y = rng.normal(size=(10, 3)).astype('float32'), rng.normal(size=(10, 2)).astype('float32')


def made(optimizer, drop_rate=0.):
    model = Sequential([Input(3), Dense(4, activation='tanh'), BatchNormalization(), Dropout(drop_rate), Dense(2)], name='m')
    model.compile(optimizer, 'mse')
    return model


def trained(model, **kwargs):
    return model.fit(X, Y, batch_size=4, verbose=0, **kwargs)


@pytest.mark.parametrize('optimizer', [lambda: Adam(lr=0.1), Nadam, lambda: SGD(lr=0.1, momentum=0.9, decay=0.1),
                                       lambda: SGD(lr=ExponentialDecay(0.1, 0.5))], ids=['Adam', 'Nadam', 'SGD', 'schedule'])
def test_another_program_goes_on_from_a_file(optimizer, tmp_path):
    path = tmp_path / 't.safetensors'
    whole = made(optimizer())
    start = whole.get_weights()
    keraflow.seed(1)
    expected = trained(whole, nb_epoch=4)
    first = made(optimizer())
    first.set_weights(start)
    keraflow.seed(1)
    begun = trained(first, nb_epoch=2)
    first.save_training(path)
    random.generator().permutation(10)      # the other program draws other numbers before
    second = made(optimizer())
    second.load_training(path)
    assert [*begun, *trained(second, nb_epoch=2, initial_epoch=2)] == list(expected)
    for name, value in whole.get_weights().items():
        np.testing.assert_array_equal(second.get_weights()[name], value)


def test_the_masks_of_dropout_are_the_same_after_a_seed_for_each_part(tmp_path):
    path, runs = tmp_path / 't.safetensors', []
    start = made('sgd').get_weights()
    for is_broken_off in (False, True):
        model = made('adam', 0.5)
        model.set_weights(start)
        keraflow.seed(1)
        trained(model, nb_epoch=1)
        if is_broken_off:
            model.save_training(path)
            model = made('adam', 0.5)
            model.load_training(path)
        keraflow.seed(2)
        runs.append(trained(model, nb_epoch=2))
    assert runs[0] == runs[1]


def test_a_lowered_rate_is_saved(tmp_path):
    model, other = made(SGD(lr=0.5)), made(SGD(lr=0.5))
    model.optimizer.lr = 0.125
    model.save_training(tmp_path / 't.safetensors')
    other.load_training(tmp_path / 't.safetensors')
    assert other.optimizer.lr == 0.125 and other.optimizer.current_lr == 0.125


def test_epochs_are_numbered_on(capsys):
    class Numbers(Callback):
        def __init__(self):
            self.seen = []

        def on_epoch_begin(self, epoch, logs):
            self.seen.append(epoch)
    numbers, model = Numbers(), made('sgd')
    history = model.fit(X, Y, nb_epoch=2, initial_epoch=5, callbacks=[numbers])
    assert numbers.seen == [5, 6] and len(history) == 2
    assert [line.split(':')[0] for line in capsys.readouterr().out.splitlines()] == ['Epoch 6/7', 'Epoch 7/7']


def test_callbacks_begin_anew_with_each_fit():
    stopping, reducing = EarlyStopping('loss', patience=1), ReduceLROnPlateau('loss', factor=0.5, patience=2)
    for _ in range(2):
        model = made(SGD(lr=1e-30))     # no epoch is better than the first one
        assert len(trained(model, nb_epoch=9, shuffle=False, callbacks=[stopping, reducing])) == 3
        assert stopping.best_epoch == 0 and model.optimizer.lr == 0.5e-30


def test_what_does_not_fit_is_refused(tmp_path):
    path, weights = tmp_path / 't.safetensors', tmp_path / 'w.safetensors'
    model = made('adam')
    trained(model, nb_epoch=1)
    model.save_training(path)
    model.save_weights(weights)
    arrays, metadata = read_tensors(path)
    damaged = []
    for number, changes in enumerate([{'order': 'x'}, {'order': '1 2 3'}, {'order': f'{2 ** 200:x} 1 0 0'}, {'lr': 'inf'}, {'lr': ''}]):
        damaged.append(tmp_path / f'{number}.safetensors')
        damaged[-1].write_bytes(dump_tensors(arrays, {**metadata, **changes}))
    other = Sequential([Input(3), Dense(2, name='d')], name='o')
    other.compile('adam', 'mse')
    descent = made('sgd')
    before, state = model.get_weights(), random.generator().bit_generator.state
    for run, text in [
            (lambda: descent.load_training(path), f'{path}: expected what save_training wrote with the optimizer SGD, received Adam.'),
            (lambda: model.load_training(weights), f'{weights}: expected what save_training wrote with the optimizer Adam, received other '
                                                   'weights.'),
            (lambda: model.load_training('t.h5'), 't.h5: weights are saved as safetensors. Let the name end with .safetensors.'),
            *((lambda one=one: model.load_training(one), f'{one}: the learning rate or the order of samples in it is damaged.')
              for one in damaged)]:
        with pytest.raises(ModelFileError) as caught:
            run()
        assert str(caught.value) == text
    with pytest.raises(ModelFileError, match='the training does not fit: missing weights/'):
        other.load_training(path)
    assert random.generator().bit_generator.state == state and model.optimizer.lr == 0.001
    assert all(np.array_equal(value, model.get_weights()[name]) for name, value in before.items())
    model.forget_training()
    with pytest.raises(GraphError) as caught:
        model.save_training(path)
    assert str(caught.value) == 'm: save_training needs an optimizer and a loss. Call compile(optimizer=..., loss=...) first.'
    with pytest.raises(FileExistsError):
        made('adam').save_training(path)
