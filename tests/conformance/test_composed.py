"""Laws for what programs compose, beyond those of ``check_layer``: files, Sequential, masks, sharing, copies, dtypes."""
import contextlib
import copy

import numpy as np
import pytest
from catalogue import COMPOSED, LAYERS
from catalogue.composed import Affined, Embedding, Reporting, Scaled, Total

import keraflow
from keraflow.arguments import to_list
from keraflow.layers import Activation, Dropout, Foreign, GlobalPooling1D, Input, Operation, TimeDistributed
from keraflow.models import Model, Sequential
from keraflow.shapes import unlist
from keraflow.testing import check_layer

ALL = {**COMPOSED, **{name: LAYERS[name] for name in ('Foreign', 'Model', 'Operation', 'Sequential')}}
OF_ANY_DTYPE = {name: some for name, some in COMPOSED.items() if name.startswith(('activity', 'function', 'losses'))}


def params(samples):
    return [pytest.param(one, id=f'{name}-{number}') for name, some in samples.items() for number, one in enumerate(some)]


def shapes_of(sample):
    return sample.input_shapes if isinstance(sample.input_shapes, list) else [sample.input_shapes]


def inputs_of(sample):
    """Inputs of the dtypes that a sample wants."""
    dtypes = sample.options.get('dtype')
    dtypes = dtypes if isinstance(dtypes, (list, tuple)) else [dtypes] * len(shapes_of(sample))
    return [Input(shape, dtype=dtype) for shape, dtype in zip(shapes_of(sample), dtypes)]


def arrays_for(inputs, seed=0):
    rng = np.random.default_rng(seed)
    shapes = [[4 if length is None else length for length in it.shape] for it in inputs]
    return [rng.uniform(-1, 1, shape).astype(it.dtype) if it.dtype.startswith('float') else rng.integers(0, 5, shape)
            for it, shape in zip(inputs, shapes)]


def fed(layer, kensors):
    return to_list(layer(kensors if layer.multi_input else kensors[0]))


def assert_same(found, expected, rtol=1e-6):
    assert len(found) == len(expected)
    for one, other in zip(found, expected):
        np.testing.assert_allclose(one, other, rtol=rtol, atol=1e-6)


@pytest.mark.parametrize('sample', params(COMPOSED))
def test_laws_of_layers(sample):
    check_layer(sample.make, sample.input_shapes, **sample.options)


@pytest.mark.parametrize('sample', params(ALL))
@pytest.mark.parametrize('extension', ['yaml', 'json'])
def test_fed_twice_it_comes_back_from_files_as_one(sample, extension, tmp_path):
    layer, ends = sample.make(), [inputs_of(sample), inputs_of(sample)]
    model = Model([*ends[0], *ends[1]], [kensor for inputs in ends for kensor in fed(layer, inputs)])
    assert len(model.variables) == len(layer.variables)
    path, weights = tmp_path / f'model.{extension}', tmp_path / 'model.safetensors'
    model.save_to_file(path, weights)
    assert 'catalogue.' not in path.read_text()
    again = Model.load_from_file(path, weights)
    data = arrays_for(model.inputs)
    found = to_list(model.predict(data))
    assert_same(to_list(again.predict(data)), found)
    assert again.variables.names == model.variables.names
    swapped = to_list(model.predict([*data[len(ends[0]):], *data[:len(ends[0])]]))
    assert_same(found[len(found) // 2:], swapped[:len(found) // 2])     # both calls are the same function


@pytest.mark.parametrize('sample', params(ALL))
def test_in_a_sequential(sample):
    layer, inputs = sample.make(), inputs_of(sample)
    data = arrays_for(inputs)
    expected = to_list(Model(inputs, unlist(fed(layer, inputs))).predict(data))
    tail = Sequential([layer])
    assert_same(to_list(Model(inputs, unlist(fed(tail, inputs))).predict(data)), expected)
    if len(inputs) == 1:
        model = Sequential([inputs_of(sample)[0], layer])
        again = keraflow.unserialize(keraflow.serialize(model))
        again.set_weights(model.get_weights())
        for one in (model, again):
            assert_same(to_list(one.predict(data)), expected)


@pytest.mark.parametrize('sample', params(ALL))
def test_a_copy_has_variables_of_its_own(sample):
    layer, inputs = sample.make(), inputs_of(sample)
    kensors = fed(layer, inputs)
    other = copy.deepcopy(layer)
    model = Model(inputs, [*kensors, *fed(other, inputs)])
    assert len(model.variables) == 2 * len(layer.variables)
    found = to_list(model.predict(arrays_for(inputs)))
    assert_same(found[:len(kensors)], found[len(kensors):])
    other.set_weights([array + 1 for array in other.get_weights().values()])
    assert_same(to_list(model.predict(arrays_for(inputs)))[:len(kensors)], found[:len(kensors)])


@pytest.mark.parametrize('sample', params(ALL))
def test_it_learns_in_a_model_of_several_outputs(sample):
    layer, inputs = sample.make(), inputs_of(sample)
    kensors = fed(layer, inputs)
    model = Model(inputs, kensors)
    real = [kensor.dtype.startswith('float') for kensor in kensors]
    model.compile('sgd', ['mse' if is_real else None for is_real in real])
    data = arrays_for(inputs)
    targets = [array + 1 for array, is_real in zip(to_list(model.predict(data)), real) if is_real]
    before = model.evaluate(data, targets)['loss']
    told = contextlib.nullcontext() if layer.trainable_variables else pytest.warns(UserWarning, match='no parameter is trainable')
    with told:
        model.fit(data, targets, nb_epoch=1, batch_size=4, verbose=0)
    after = model.evaluate(data, targets)['loss']
    assert after < before if layer.trainable_variables else after == before


@pytest.mark.parametrize('sample', params(OF_ANY_DTYPE))
def test_its_dtype_is_that_of_its_first_input(sample):
    layer = sample.make()
    kensors = fed(layer, [Input(shape, dtype='float64') for shape in shapes_of(sample)])
    assert {array.dtype.name for array in layer.get_weights().values()} <= {'float64'} == {kensor.dtype for kensor in kensors}


@pytest.mark.parametrize('sample', params({name: some[:1] for name, some in LAYERS.items() if name not in ALL}))
def test_the_dtype_that_a_layer_is_given_is_that_of_its_parameters(sample):
    data = keraflow.serialize(sample.make())
    data['args']['dtype'] = 'float64'
    layer, inputs = keraflow.unserialize(data, sample.options.get('custom_objects')), inputs_of(sample)
    kensors = fed(layer, inputs)
    found = to_list(Model(inputs, kensors).predict(arrays_for(inputs)))
    assert [array.dtype.name for array in found] == [kensor.dtype for kensor in kensors]
    if layer.layer_ids() == {} and layer.variables:
        assert {array.dtype.name for array in layer.get_weights().values()} == {'float64'} == {kensor.dtype for kensor in kensors}


@keraflow.register(id='same-in-test-composed')
def make_same():
    return lambda x: x * 1.


def masked_model():
    x = Input((3, 2), mask_value=0.)
    return Model(x, Scaled(2., name='s')(Activation('tanh', name='a')(x)))


# -- masks ----------------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize('make, shape, keeps', [
    (lambda: Scaled(), (3, 2), True), (lambda: Total(), (3, 2), True), (lambda: Foreign(make_same), (3, 2), False),
    (lambda: Affined(2), (3, 2), True), (lambda: TimeDistributed(Embedding(2)), (3, 2), True), (lambda: TimeDistributed(Affined(4)), (3, 2), True),
    (lambda: Reporting(), (3, 2), False), (lambda: Operation('tanh', [{'input': 0}]), (3, 2), True),
    (lambda: Sequential([Scaled(), Activation('tanh'), Affined(3)]), (3, 2), True), (lambda: masked_model(), (3, 2), True),
    (lambda: masked_model().replace('s', Scaled(3.)).insert_after('a', Dropout(0.5)), (3, 2), True),
    (lambda: Sequential([Dropout(0.5, activity_regularizer='l2')], activity_regularizer='l1'), (3, 2), True),
])
def test_masks(make, shape, keeps):
    x = Input(shape, mask_value=0.)
    for layer in (make(), keraflow.unserialize(keraflow.serialize(make())), Sequential([make()])):
        if keeps:
            assert fed(layer, [x])[0].mask_shape == (None, 3)
        else:
            with pytest.warns(UserWarning, match='the mask of its input is lost'):
                assert fed(layer, [x])[0].mask_shape is None


def test_a_mask_that_went_through_all_is_the_one_of_the_input():
    x = Input((3, 2), mask_value=0.)
    h = Total()([x, x])
    for layer in (Scaled(0.5), Operation('multiply', [{'input': 0}, 3.]), masked_model(), TimeDistributed(Affined(2, name='own'))):
        h = layer(h)
    model = Model(x, [h, GlobalPooling1D('avg')(h)])
    series = np.array([[[1., 2], [3, 4], [0, 0]], [[5, 6], [0, 0], [0, 0]]])
    steps, mean = model.predict(series)
    np.testing.assert_allclose(mean, [(steps[0, 0] + steps[0, 1]) / 2, steps[1, 0]], rtol=1e-5)
