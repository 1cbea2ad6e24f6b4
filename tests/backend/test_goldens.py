"""The same numbers as the first Keraflow, from its own files: outputs, training histories, trained weights."""
import json

import numpy as np
import pytest
from raced import CASES, FOLDER, RACED, arrays_of, simulate

from keraflow import backend as B
from keraflow import optimizers
from keraflow.errors import ModelFileError
from keraflow.layers import Dense, ElementWiseSum, Input
from keraflow.models import Model

LOADABLE = [name for name in CASES if name != 'shared_layer']
#: Slots of hosts that ours number otherwise: by case, the first Keraflow's and ours.
SLOTS = {'timedistributed': ('/embedded/1/', '/embedded/0/')}


def weights_of(case, prefix):
    """The weights by the names that ours have: the first Keraflow writes ``embedded/0`` for slot 0."""
    theirs, ours = SLOTS.get(case, ('', ''))
    return {name.replace(theirs, ours).replace('/embedded/', '/'): array for name, array in arrays_of(case, prefix).items()}


def optimizer_of(train):
    given = train['optimizer']
    return given if isinstance(given, str) else getattr(optimizers, given['class'])(**given['args'])


def assert_within(found, expected, tolerance):
    expected = np.asarray(expected)
    assert np.shape(found) == expected.shape
    assert np.max(np.abs(found - expected)) <= tolerance * np.max(np.abs(expected))


def test_every_file_is_in_the_index():
    names = {path.name for path in FOLDER.iterdir()}
    assert names == {'README.md', 'index.json'} | {case[key] for case in CASES.values() for key in ('config', 'arrays')}


@pytest.mark.parametrize('case', LOADABLE)
def test_outputs_history_and_trained_weights_of(case):
    model = Model.load_from_file(FOLDER / CASES[case]['config'])
    weights = weights_of(case, 'weight')
    assert set(model.get_weights()) == set(weights)
    model.set_weights(weights)
    outputs = model.predict(arrays_of(case, 'input'))
    for name, found in zip(CASES[case]['outputs'], outputs if isinstance(outputs, list) else [outputs]):
        expected = arrays_of(case, 'output')[name]
        assert found.dtype == expected.dtype and found.shape == expected.shape
        assert np.max(np.abs(found - expected)) <= 1e-5
    if 'train' in CASES[case]:
        check_training(model, case, CASES[case]['train'])


def check_training(model, case, train):
    model.compile(optimizer_of(train), {name: train['loss'] for name in CASES[case]['outputs']})
    inputs, targets = arrays_of(case, 'input'), arrays_of(case, 'target')
    raced = RACED.get(case, 0)
    if raced:
        race(model, case, raced)
    history = model.fit(inputs, targets, batch_size=len(next(iter(inputs.values()))), nb_epoch=train['epochs'] - raced,
                        shuffle=False, verbose=0)
    assert_within([logs['loss'] for logs in history], train['history'][raced:], 1e-4)
    found, trained = model.get_weights(), weights_of(case, 'trained')
    assert set(found) == set(trained)
    for name, expected in trained.items():
        assert_within(found[name], expected, 1e-4)


def race(model, case, nb_step):
    """Bring a model to where the first steps led that raced; NumPy takes them."""
    losses, weights, last = simulate(case, range(nb_step), nb_step)
    assert_within(losses, CASES[case]['train']['history'][:nb_step], 1e-6)
    model.set_weights(weights)
    state = model.optimizer.state()
    for name in model.get_weights():
        if f'v/{name}' in state:
            B.set_value(state[f'v/{name}'], last[name])


@pytest.mark.parametrize('case', RACED)
def test_the_first_steps_of_a_raced_case_are_within_what_the_race_changed(case):
    model, train = Model.load_from_file(FOLDER / CASES[case]['config']), CASES[case]['train']
    model.set_weights(weights_of(case, 'weight'))
    model.compile(optimizer_of(train), {name: train['loss'] for name in CASES[case]['outputs']})
    inputs = arrays_of(case, 'input')
    history = model.fit(inputs, arrays_of(case, 'target'), batch_size=len(next(iter(inputs.values()))), nb_epoch=2,
                        shuffle=False, verbose=0)
    assert_within(history[0]['loss'], train['history'][0], 1e-6)
    assert_within(history[1]['loss'], train['history'][1], 2e-2)


def test_some_cases_train_some_are_constrained_and_one_is_frozen():
    weights, trained = weights_of('frozen', 'weight'), weights_of('frozen', 'trained')
    assert [name for name in weights if np.array_equal(weights[name], trained[name])] == ['h/W', 'h/b']
    assert np.min(weights_of('nonneg', 'weight')['o/W']) < 0. < np.min(weights_of('nonneg', 'trained')['o/W'])
    assert sum('train' in case for case in CASES.values()) == 17


def test_a_shared_layer_with_one_name_for_two_calls_is_refused_with_the_reason():
    path = FOLDER / CASES['shared_layer']['config']
    with pytest.raises(ModelFileError) as caught:
        Model.load_from_file(path)
    assert str(caught.value) == (
        f"{path}: two calls of a shared layer are both called 'shared_0': the first format does not say which of them feeds where. "
        'Build the model in Python and set its weights.')


def test_the_shared_layer_built_in_python_gives_the_numbers():
    a, b = Input(3, name='a'), Input(3, name='b')
    config = json.loads((FOLDER / CASES['shared_layer']['config']).read_text())
    params = next(layer['params'] for layer in config['params']['layers'] if layer['params']['name'] == 'shared')
    shared = Dense(params['output_dim'], activation=params['activation']['name'], name='shared')
    model = Model([a, b], ElementWiseSum(name='sum')([shared(a), shared(b)]))
    model.set_weights(weights_of('shared_layer', 'weight'))
    found = model.predict(arrays_of('shared_layer', 'input'))
    assert np.max(np.abs(found - arrays_of('shared_layer', 'output')['sum'])) <= 1e-5
