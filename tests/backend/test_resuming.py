"""Training in parts gives what training in one go gives."""
import copy
import functools
import gc
import json

import numpy as np
import pytest

import keraflow
from keraflow import backend as B
from keraflow import objectives, random
from keraflow.callbacks import Callback, EarlyStopping, ReduceLROnPlateau
from keraflow.errors import ArgumentError, GraphError, ModelFileError
from keraflow.files.tensors import dump_tensors, read_tensors
from keraflow.layers import BatchNormalization, Dense, Dropout, ElementWiseSum, Highway, Input, Lambda, Layer
from keraflow.models import Model, Sequential
from keraflow.optimizers import SGD, Adam, Nadam
from keraflow.regularizers import L2
from keraflow.schedules import ExponentialDecay, InverseTimeDecay
from keraflow.training.train_step import TrainStep

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
            (lambda: model.load_training('t.h5'), 't.h5: expected the state of a training, .safetensors, or a whole model, .keraflow. Pass a '
                                                  'file of save_training, ModelCheckpoint(path, every=...) or model.save.'),
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


# -- what a file says of the model that wrote it ------------------------------------------------------------------------

def weighted(y_pred, y_true):
    return B.square(y_pred - y_true) * 2.


def graph(optimizer=None, loss='mse', activation='tanh', frozen=(), is_swapped=False, drop_rate=0.5, seed=0, **kwargs):
    """Two branches of the same shapes, and a model that another program makes in the same way or nearly so."""
    x = Input(3, name='x')
    a, b = (Dense(3, name=name, activation=activation, init='uniform', **kwargs)(x) for name in 'ab')
    both = ElementWiseSum(name='s')([b, a] if is_swapped else [a, b])
    model = Model(x, Dense(2, name='y')(Dropout(drop_rate)(both)), name='m')
    for name in frozen:
        model.get_layer(name).trainable = False
    model.compile(optimizer or Adam(), loss)
    return model


DIFFERENCES = [
    ({'optimizer': lambda: SGD(momentum=0.9)}, 'the optimizer SGD, received Adam.'),
    ({'optimizer': lambda: Adam(lr=0.1)}, 'lr of the optimizer 0.1, received 0.001. Set optimizer.lr after '
     'load_training to continue with another rate.'),
    ({'optimizer': lambda: Adam(lr=ExponentialDecay(0.1, 0.5))},
     'lr of the optimizer ExponentialDecay, received 0.001.'),
    ({'optimizer': lambda: Adam(beta_1=0.8, clipnorm=2)}, 'beta_1 of the optimizer 0.8, received 0.9; clipnorm of the optimizer 2, '
     'received None.'),
    ({'loss': 'mae'}, 'the loss of y_0 absolute_error, received square_error.'),
    ({'loss': weighted}, 'the loss of y_0 weighted, received square_error.'),
    ({'loss': functools.partial(objectives.huber, delta=2.)}, 'the loss of y_0 huber, received square_error.'),
    ({'loss': lambda y_pred, y_true: y_pred - y_true}, 'the loss of y_0 <lambda>, received square_error.'),
    ({'activation': 'relu'}, 'activation of a relu, received tanh; activation of b relu, received tanh.'),
    ({'frozen': 'a'}, 'a/W frozen, received trainable; a/b frozen, received trainable.'),
    ({'is_swapped': True}, "the inputs of s_0 ['b_0', 'a_0'], received ['a_0', 'b_0']."),
    ({'drop_rate': 0.25}, 'drop_rate of dropout1 0.25, received 0.5.'),
    ({'regularizers': {'W': 'l2'}}, 'regularizers of a a dict of W, received None; regularizers of b a dict of W, received None.'),
    ({'optimizer': SGD, 'loss': 'mae', 'activation': 'relu', 'frozen': 'b', 'is_swapped': True},
     "the optimizer SGD, received Adam; the loss of y_0 absolute_error, received square_error; the inputs of s_0 ['b_0', 'a_0'], "
     "received ['a_0', 'b_0']; and 4 more."),
]


def test_each_difference_is_reported(tmp_path):
    path = tmp_path / 't.safetensors'
    first = graph()
    trained(first, nb_epoch=1)
    first.save_training(path)
    for changes, text in DIFFERENCES:
        other = graph(**{name: value() if name == 'optimizer' else value for name, value in changes.items()})
        before, lr = other.get_weights(), other.optimizer.lr
        with pytest.raises(ModelFileError) as caught:
            other.load_training(path)
        assert str(caught.value) == f'{path}: expected what save_training wrote with {text}'
        assert '; '.join(caught.value.differences[:3]) in text and text.count(', received') == min(3, len(caught.value.differences))
        assert other.optimizer.lr == lr
        assert all(np.array_equal(value, before[name]) for name, value in other.get_weights().items())
    assert len(caught.value.differences) == 7 and caught.value.differences[-1] == 'activation of a relu, received tanh'
    same = graph()
    same.load_training(path)
    for name, variable in first.optimizer.state().items():
        np.testing.assert_array_equal(B.get_value(variable), B.get_value(same.optimizer.state()[name]), err_msg=name)


def test_arguments_inside_of_arguments_are_compared(tmp_path):
    path = tmp_path / 't.safetensors'

    def made_of(scale, l2, decay, nb_unit, delta):
        x = Input(3, name='x')
        inner = Sequential([Dense(3, name='d', activation=functools.partial(scaled, scale=scale)), Dense(3, name='e')], name='inner')
        h = Highway(name='h', regularizers={'W': L2(l2)})(inner(x))
        model = Model(x, Dense(nb_unit, name='y')(h), name='m')
        model.compile(SGD(lr=InverseTimeDecay(0.1, decay)), functools.partial(objectives.huber, delta=delta))
        return model
    made_of(2., 0.1, 0.5, 2, 1.).save_training(path)
    made_of(2., 0.1, 0.5, 2, 1.).load_training(path)
    with pytest.raises(ModelFileError) as caught:
        made_of(3., 0.2, 0.25, 2, 2.).load_training(path)
    assert str(caught.value) == (
        f'{path}: expected what save_training wrote with lr.decay of the optimizer 0.25, received 0.5; delta of the loss of y_0 2.0, '
        'received 1.0; layers[0].activation.scale of inner 3.0, received 2.0; and 1 more.')
    assert caught.value.differences[-1] == 'regularizers.W.l2 of h 0.2, received 0.1'
    with pytest.raises(ModelFileError) as caught:
        made_of(2., 0.1, 0.5, 4, 1.).load_training(path)
    assert str(caught.value) == (
        f'{path}: the training does not fit: weights/y/W has shape (3, 2), expected (3, 4); weights/y/b has shape (2,), expected '
        '(4,); expected output_dim of y 4, received 2.')


def scaled(x, scale):
    return x * scale


def test_initial_values_and_names_of_the_program_are_no_difference(tmp_path):
    path, runs = tmp_path / 't.safetensors', []
    Dense(2)(Input(3))          # layers of the other program have other numbers
    for init, name in (('uniform', 'one'), ('zero', 'two')):
        model = Sequential([Input(3), Dense(4, init=init), Dense(2, initial_weights=[np.ones((4, 2)), np.ones(2)])], name=name)
        model.compile(Adam(), lambda y_pred, y_true: B.square(y_pred - y_true))
        runs.append(model)
    runs[0].save_training(path)
    runs[1].load_training(path)
    np.testing.assert_array_equal(runs[1].get_weights()['dense1/W'], runs[0].get_weights()['dense1/W'])


def test_a_layer_that_no_file_can_hold_is_no_obstacle(tmp_path):
    path = tmp_path / 't.safetensors'

    def lambdas(shift):
        x = Input(3)
        model = Model(x, Dense(2, name='y')(Lambda(lambda h: h + shift, name='l')(x)), name='m')
        model.compile('sgd', 'mse')
        return model
    lambdas(1.).save_training(path)
    lambdas(1.).load_training(path)


def test_slots_are_named_by_parameter(tmp_path):
    path = tmp_path / 't.safetensors'
    model = Sequential([Input(3), Dense(4), Sequential([Dense(3), Dense(2)], name='inner')], name='m')
    model.get_layer('dense1').trainable = False
    model.compile(Adam(), 'mse')
    model.save_training(path)
    arrays, _ = read_tensors(path)
    expected = [f'optimizer/{slot}/inner/{name}' for name in ('0/W', '0/b', '1/W', '1/b') for slot in 'mv']
    assert [name for name in arrays if name.startswith('optimizer/')] == ['optimizer/iterations', *expected]
    assert list(model.optimizer.state()) == [name.removeprefix('optimizer/') for name in ['iterations', *expected]]


@keraflow.layer_register(id='resuming-inner')
def inner(x):
    return Dense(4, name='d', activation='tanh')(x)


@keraflow.layer_register(id='resuming-outer')
def outer(x):
    return Dense(2, name='top')(inner(name='i')(x))


@pytest.mark.parametrize('version', [1, 2])
@pytest.mark.parametrize('optimizer', [Adam, lambda: SGD(momentum=0.9)], ids=['Adam', 'SGD'])
def test_files_in_which_layers_of_functions_are_numbers_go_on(optimizer, version, tmp_path):
    def composed():
        x = Input(3, name='x')
        model = Model(x, outer(name='o')(x), name='m')
        model.compile(optimizer(), 'mse')
        return model
    path, first = tmp_path / 't.safetensors', composed()
    trained(first, nb_epoch=1, shuffle=False)
    first.save_training(path)
    arrays, metadata = read_tensors(path)

    def numbered(name):
        return name.replace('o/i/d/', 'o/0/0/').replace('o/top/', 'o/1/')
    recipe = json.loads(metadata['recipe'])
    recipe['parts'] = {numbered(name): part for name, part in recipe['parts'].items()}
    if version == 2:
        old = {numbered(name): array for name, array in arrays.items()}
        metadata['recipe'] = json.dumps(recipe)
    else:       # the slots were numbered, too
        names = [f'o/i/d/{own}' for own in 'Wb'] + [f'o/top/{own}' for own in 'Wb']
        old = {numbered(name): array for name, array in arrays.items() if name.startswith('weights/') or name.endswith('iterations')}
        for slot in first.optimizer.slot_names:
            old.update({f'optimizer/{slot}/{number}': arrays[f'optimizer/{slot}/{name}'] for number, name in enumerate(names)})
        state = np.random.default_rng(3).bit_generator.state
        numbers = [state['state']['state'], state['state']['inc'], 0, 0]
        metadata = {'format': metadata['format'], 'optimizer': type(first.optimizer).__name__, 'lr': metadata['lr'],
                    'order': ' '.join(f'{number:x}' for number in numbers)}
    path.write_bytes(dump_tensors(old, metadata))
    second = composed()
    second.load_training(path)
    assert trained(second, nb_epoch=2, shuffle=False) == trained(first, nb_epoch=2, shuffle=False)


def test_a_file_of_a_newer_version_or_a_damaged_recipe(tmp_path):
    path, model = tmp_path / 't.safetensors', made('adam')
    model.save_training(path)
    arrays, metadata = read_tensors(path)
    newer = ("the training has format version {}, this keraflow reads '4'. Install the keraflow that wrote it, or a newer one.")
    for changes, text in (({'version': '5'}, newer.format("'5'")), ({'version': ''}, newer.format("''")),
                          ({'recipe': '{}'}, 'its description of the model is damaged.'),
                          ({'recipe': '{"parts": 1, "arguments": {}}'}, 'its description of the model is damaged.'),
                          ({'recipe': '{"parts": {}, "arguments": {"the optimizer": 3}}'}, None)):
        path.write_bytes(dump_tensors(arrays, {**metadata, **changes}))
        with pytest.raises(ModelFileError) as caught:
            model.load_training(path)
        if text is not None:
            assert str(caught.value) == f'{path}: {text}'
    recipe = json.loads(metadata['recipe'])
    recipe['parts']['the layer \x1b[31m' + 'x' * 1000] = ['\u202e'] * 1000
    path.write_bytes(dump_tensors(arrays, {**metadata, 'recipe': json.dumps(recipe)}))
    with pytest.raises(ModelFileError) as caught:
        model.load_training(path)
    assert str(caught.value).isprintable() and len(str(caught.value)) < 300 + len(str(path))


# -- an optimizer belongs to one model ----------------------------------------------------------------------------------

@pytest.mark.parametrize('nb_epoch', [0, 1])
@pytest.mark.parametrize('other', [Sequential, TrainStep])
def test_an_optimizer_of_another_model_is_refused(nb_epoch, other):
    optimizer, model = SGD(lr=0.1, momentum=0.9), made('sgd')
    model.compile(optimizer, 'mse')
    trained(model, nb_epoch=nb_epoch)
    state = {name: B.get_value(variable) for name, variable in optimizer.state().items()}
    second = made('adam')
    with pytest.raises(ArgumentError) as caught:
        if other is TrainStep:
            TrainStep(lambda x: B.mean(second(x)), Input(3), second, optimizer)
        else:
            second.compile(optimizer, 'mae')
    assert str(caught.value) == (
        f'{"TrainStep" if other is TrainStep else "m"}: optimizer: expected its own optimizer, received the SGD that was built '
        'for m. Give each model its own optimizer: copy.deepcopy(optimizer) makes one with the same arguments.')
    assert isinstance(second.optimizer, Adam) and list(optimizer.state()) == list(state)
    assert all(np.array_equal(B.get_value(optimizer.state()[name]), value) for name, value in state.items())
    trained(second, nb_epoch=1)
    second.compile(copy.deepcopy(optimizer), 'mse')
    optimizer.lr = 0.5
    assert second.optimizer.lr == 0.1 and second.optimizer.momentum == 0.9
    trained(second, nb_epoch=1)
    assert int(B.get_value(optimizer.state()['iterations'])) == 3 * nb_epoch


def test_an_optimizer_is_refused_when_the_model_that_it_belonged_to_is_gone():
    optimizer = SGD()
    made(optimizer)
    gc.collect()
    with pytest.raises(ArgumentError, match='Give each model its own optimizer'):
        made(optimizer)


def test_a_model_is_compiled_again_with_its_optimizer():
    optimizer, model = SGD(lr=0.1, momentum=0.9), made('sgd')
    for _ in range(2):
        model.compile(optimizer, 'mse')
        trained(model, nb_epoch=1)
        assert int(B.get_value(optimizer.state()['iterations'])) == 3
        assert 'v/dense1/W' in optimizer.state()


def test_the_optimizer_of_a_step_names_slots_by_layer():
    one, two = made('sgd'), made('sgd')
    assert 'm/dense1/W' in TrainStep(lambda x: B.mean(one(x)), Input(3), one, Adam()).optimizer.state()
    step = TrainStep(lambda x: B.mean(one(x)) + B.mean(two(x)), Input(3), [one, two], Adam())
    assert {'m/0/dense1/W', 'v/1/dense2/b'} < set(step.optimizer.state())


class Shifted(Layer):
    """Its calls have arguments."""

    def output(self, x, by=0., other=None):
        return x + by if other is None else x + by * other


def test_arguments_of_calls_are_compared(tmp_path):
    path = tmp_path / 't.safetensors'

    def called(by, other):
        x = Input(3, name='x')
        a, b = (Dense(3, name=name)(x) for name in 'ab')
        model = Model(x, ElementWiseSum(name='t')([Shifted(name='s')(a, by=by, other=a if other == 'a' else b), b]), name='m')
        model.compile('sgd', 'mse')
        return model
    called(2., 'b').save_training(path)
    called(2., 'b').load_training(path)
    with pytest.raises(ModelFileError) as caught:
        called(3., 'a').load_training(path)
    assert str(caught.value) == (f'{path}: expected what save_training wrote with by of the arguments of s_0 3.0, received 2.0; '
                                 'other.input of the arguments of s_0 a_0, received b_0.')
