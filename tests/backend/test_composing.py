"""argscope, LinearWrap, functions as layers: each is the same model as the plain way of writing it."""
import numpy as np
import pytest
from journeys import predictions, reloaded

import keraflow
from keraflow import LinearWrap, argscope
from keraflow import backend as B
from keraflow import layer_register
from keraflow.callbacks import EarlyStopping
from keraflow.errors import ArgumentError, ArgumentTypeError, GraphError
from keraflow.layers import Activation, Dense, Dropout, ElementWiseSum, Flatten, GlobalPooling1D, Highway, Input, Layer
from keraflow.models import Model, Sequential
from keraflow.schema import PositiveInt

X = np.random.default_rng(3).normal(size=(5, 4)).astype('float32')


# -- argscope -----------------------------------------------------------------------------------------------------------

def test_explicit_arguments_win_then_the_innermost_scope():
    with argscope(Dense, activation='relu', init='he_normal', output_dim=7):
        outer = Dense()
        with argscope([Dense, Highway], activation='tanh'):
            inner, positional, highway = Dense(3), Dense(3, 'zero', 'sigmoid'), Highway()
        again = Dense(output_dim=2)
    after = Dense(3)
    found = [(one.output_dim, one.init.__name__, one.activation.__name__) for one in (outer, inner, positional, again, after)]
    assert found == [(7, 'he_normal', 'relu'), (3, 'he_normal', 'tanh'), (3, 'zero', 'sigmoid'), (2, 'he_normal', 'relu'),
                     (3, 'glorot_uniform', 'linear')]
    assert highway.activation.__name__ == 'tanh' and highway.init.__name__ == 'glorot_uniform'


def test_resolved_arguments_are_saved_and_a_scope_changes_nothing_that_is_loaded():
    with argscope(Dense, activation='relu', regularizers=['l2']):
        model = Sequential([Input(4), Dense(3)])
    data = keraflow.serialize(model)
    assert data['args']['layers'][1]['args']['activation'] == 'relu'
    plain = keraflow.serialize(Sequential([Input(4), Dense(3)]))
    with argscope(Dense, activation='tanh', regularizers=['l1'], bias=False):
        assert keraflow.serialize(keraflow.unserialize(data)) == data
        assert keraflow.serialize(keraflow.unserialize(plain)) == plain


class Host(Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.inner = Dense(3)

    def output(self, x):
        return self.embed(Dense(2))(self.embed(self.inner)(x))

    def output_shape(self, input_shape):
        return (input_shape[0], 2)


def test_objects_of_a_scope_do_not_share_lists():
    with argscope(Dense, regularizers=['l2']):
        one, other = Dense(3), Dense(3)
    one.regularizers.append('l1')
    assert other.regularizers == ['l2']


def test_a_scope_is_kept_entered_again_and_decorates():
    scope = argscope(Dense, bias=False)
    for _ in range(2):
        with scope, scope:
            assert not Dense(3).bias
        assert Dense(3).bias
    assert not scope(Dense)(3).bias and Dense(3).bias


def test_a_scope_does_not_reach_into_a_layer():
    with argscope(Dense, bias=False):
        host = Host()
        host(Input(4))
    assert sorted(host.get_weights()) == ['0/W', '0/b', '1/W', '1/b']
    host(Input(4))


@pytest.mark.parametrize('classes, arguments, kind, text', [
    (Dense, {'units': 3}, ArgumentTypeError, "argscope: Dense: there is no argument 'units'. Did you mean 'output_dim'?"),
    ([Dense, Dropout], {'activation': 'relu'}, ArgumentTypeError, "argscope: Dropout: there is no argument 'activation'. Choose one of"),
    (Dense, {'activation': 'rleu'}, ArgumentError, "argscope: Dense: activation: there is no activation 'rleu'. Did you mean 'relu'?"),
    ('Dense', {}, ArgumentTypeError, "argscope: expected a class or a list of classes, received 'Dense'."),
    (EarlyStopping, {'patience': 3}, ArgumentTypeError,
     'argscope: expected layers or other classes that keraflow rebuilds, received class EarlyStopping.'),
])
def test_mistakes_in_a_scope(classes, arguments, kind, text):
    with pytest.raises(kind) as caught:
        with argscope(classes, **arguments):
            raise AssertionError('not reached')
    assert str(caught.value).startswith(text)


# -- LinearWrap ---------------------------------------------------------------------------------------------------------

def test_a_chain_is_the_plain_model():
    def plain():
        x = Input(4, name='x')
        h = Dense(8, activation='relu', init='he_normal', name='fc0')(x)
        h = Dropout(0.5, name='drop')(h)
        h = Dense(8, activation='relu', init='he_normal', bias=False, name='fc1')(h)
        h = h * 0.5
        h = B.square(h)
        h = Highway(name='gate')(h)
        h = Dense(3, activation='softmax', init='he_normal', name='fc2')(h)
        return Model(x, Activation('tanh')(h), name='m')

    def wrapped():
        x = Input(4, name='x')
        with argscope(Dense, activation='relu', init='he_normal'):
            y = (LinearWrap(x)
                 .Dense('fc0', 8)
                 .Dropout('drop', 0.5)
                 .Dense('fc1', 8, bias=False)
                 .apply(lambda kensor, factor: kensor * factor, 0.5)
                 .B.square()
                 .Highway('gate')
                 .Dense('fc2', 3, activation='softmax')
                 .Activation(activation='tanh')())
        return Model(x, y, name='m')

    B.seed(1)
    one = plain()
    B.seed(1)
    other = wrapped()
    assert keraflow.serialize(one) == keraflow.serialize(other)
    np.testing.assert_array_equal(one.predict(X), other.predict(X))
    np.testing.assert_array_equal(reloaded(other).predict(X), one.predict(X))


def test_a_chain_knows_registered_layers_and_starts_at_a_model():
    y = LinearWrap(Sequential([Input(4), Dense(3)])).ComposingBlock('b', 5)()
    assert y.shape == (None, 5) and y.layer.name == 'b'
    assert repr(LinearWrap(y)) == f'LinearWrap({y!r})'


def test_a_chain_of_layers_with_several_inputs_and_outputs():
    x, y = Input(4), Input(4)
    chain = LinearWrap([x, y]).apply(mean_and_sum('both')).ElementWiseSum('sum')
    np.testing.assert_allclose(predictions([x, y], chain(), X, 2 * X), 4.5 * X, rtol=1e-6)


def test_mistakes_in_a_chain():
    with pytest.raises(GraphError) as caught:
        LinearWrap(Input(4)).Dens(3)
    assert str(caught.value) == "LinearWrap: there is no layer 'Dens'. Did you mean 'Dense'?"
    with pytest.raises(ArgumentTypeError) as caught:
        LinearWrap(Dense)
    assert str(caught.value) == 'LinearWrap: expected a Kensor or a list of them, received class Dense. Start at an Input.'
    with pytest.raises(ArgumentTypeError) as caught:
        LinearWrap(Input(4)).Activation('tanh')
    assert str(caught.value) == ("Activation: the argument 'activation' is missing: an activation (a name, a function or an object). "
                                 "'tanh' is taken for the name of the layer.")
    with pytest.raises(ArgumentTypeError) as caught:
        LinearWrap(Input(4)).Dense('one', 3, name='two')
    assert str(caught.value) == "Dense: the argument 'name' is given twice. 'one' is taken for the name of the layer."
    assert not hasattr(LinearWrap(Input(4)), '_repr_html_')
    with pytest.raises(AttributeError):
        LinearWrap(Input(4)).B.squeare()


# -- functions as layers ------------------------------------------------------------------------------------------------

@layer_register()
def ComposingBlock(x, output_dim: PositiveInt, activation='relu', rate=0.):
    """Two layers."""
    h = Dense(output_dim, activation=activation, regularizers=['l2'])(x)
    return Dropout(rate)(Dense(output_dim)(h))


@layer_register(id='composing-mean')
def mean_and_sum(tensors):
    total = tensors[0]
    for tensor in tensors[1:]:
        total = B.add(total, tensor)
    return [total / len(tensors), total]


@layer_register(id='composing-total')
def total_of(tensors: list):
    total = tensors[0]
    for tensor in tensors[1:]:
        total = total + tensor
    return total


@layer_register()
def ComposingAffine(x, output_dim: PositiveInt, common=0.):
    return B.dot(x, keraflow.add_weight('W', (B.static_shape(x)[-1], output_dim))) + keraflow.add_weight('b', (output_dim,), init='zero') + common


@layer_register()
def ComposingTower(x, depth):
    for number in range(depth):
        x = ComposingBlock(f'block{number}', x, 4) if number % 2 else ElementWiseSum()([x, ComposingBlock(4)(x)])
    return x


def block(weights, x, place=''):
    h = np.maximum(x @ weights[f'{place}0/W'] + weights[f'{place}0/b'], 0)
    return h @ weights[f'{place}1/W'] + weights[f'{place}1/b']


def test_a_function_is_a_layer_and_can_be_called_both_ways():
    x = Input(4)
    one, other = ComposingBlock(6, name='conv0')(x), ComposingBlock('conv1', x, 6, rate=0.5)
    unnamed = ComposingBlock(x, 6)
    assert [it.shape for it in (one, other, unnamed)] == [(None, 6)] * 3
    assert one.layer.name == 'conv0' and other.layer.name == 'conv1' and other.layer.rate == 0.5
    weights = one.layer.get_weights()
    assert sorted(weights) == ['0/W', '0/b', '1/W', '1/b']
    np.testing.assert_allclose(predictions(x, one, X), block(weights, X), rtol=1e-5, atol=1e-6)
    assert len(one.regularizers) == 1 and ComposingBlock.__doc__ == 'Two layers.'


def test_a_function_of_several_tensors_with_several_results():
    x, y = Input(4), Input(4)
    mean, total = mean_and_sum()([x, y])
    found = predictions([x, y], [mean, total], X, 2 * X)
    np.testing.assert_allclose(found[0], 1.5 * X, rtol=1e-6)
    np.testing.assert_allclose(found[1], 3 * X, rtol=1e-6)
    model = Model([x, y], [mean, total])
    np.testing.assert_array_equal(reloaded(model).predict([X, X])[1], model.predict([X, X])[1])


def test_a_function_of_a_list_gets_a_list_of_one_too():
    x = Input(4)
    model = Model(x, [total_of('one', [x]), total_of('two', [x, x])])
    for it in (model, reloaded(model)):
        one, two = it.predict(X)
        np.testing.assert_array_equal(one, X)
        np.testing.assert_array_equal(two, 2 * X)
    assert total_of([Sequential([Input(4), Dense(2)])]).shape == (None, 2)


def test_common_arguments_reach_the_parameters_of_a_function():
    W = np.arange(8.).reshape(4, 2)
    layer = ComposingAffine(2, common=1., initial_weights=[W, [3., 4.]], regularizers=['l2', None], constraints=[None, 'nonneg'], dtype='float64')
    kensor = layer(Input(4, dtype='float64'))
    np.testing.assert_array_equal(layer.get_weights()['W'], W)
    assert layer.get_weights()['b'].tolist() == [3., 4.] and layer.dtype == 'float64' and layer.common == 1.
    assert [variable for variable, _ in kensor.regularizers] == [layer.W] and [variable for variable, _ in kensor.constraints] == [layer.b]
    with pytest.raises(ArgumentError) as caught:
        ComposingAffine(2, name='a', regularizers=['l2', None, 'l1'])(Input(4))
    assert str(caught.value) == 'a: regularizers: expected at most 2 (W, b), received 3.'


def test_a_result_has_the_mask_of_inputs_with_its_steps():
    x = np.array([[[1., 2], [0, 0]], [[3, 4], [5, 6]]])
    y = np.array([[[1., 1], [1, 1]], [[0, 0], [1, 1]]])

    @layer_register(id='composing-doubled')
    def doubled(t):
        return t * 2

    @layer_register(id='composing-given-back')
    def given_back(t):
        return t

    @layer_register(id='composing-softened')
    def softened(t):
        return [B.softmax(t), B.max(t, axis=1)]
    a, b = Input((2, 2), mask_value=0., name='a'), Input((2, 2), mask_value=0., name='b')
    assert doubled(a).mask_shape == given_back(a).mask_shape == (None, 2)
    assert [it.mask_shape for it in softened(a)] == [(None, 2), None]
    model = Model([a, b], GlobalPooling1D('avg')(total_of([a, b])))
    np.testing.assert_allclose(model.predict([x, y]), [[2, 3], [6, 7]])     # the steps that count in both
    with pytest.warns(UserWarning, match='the mask of its input is lost'):
        assert Flatten()(doubled(a)).mask_shape is None


@layer_register(id='composing-last-mean')
def mean_of_steps(x, factor=1., mask=None):
    counts = B.ones_like(x) if mask is None else B.cast(B.expand_dims(mask, -1), 'float32') * B.ones_like(x)
    return factor * B.sum(x * counts, axis=1) / B.sum(counts, axis=1)


def test_a_function_reads_the_mask_of_its_input():
    data = np.array([[[1., 2], [3, 4], [0, 0]], [[5, 6], [0, 0], [0, 0]]])
    masked, plain = Input((3, 2), mask_value=0.), Input((3, 2))
    layer = mean_of_steps(2., name='mean')
    model = Model([masked, plain], [layer(masked), layer(plain)])
    assert keraflow.serialize(layer)['args'] == {'factor': 2., 'name': 'mean'}
    for it in (model, reloaded(model)):
        one, other = it.predict([data, data])
        np.testing.assert_allclose(one, [[4, 6], [10, 12]], rtol=1e-6)
        np.testing.assert_allclose(other, 2 * data.mean(1), rtol=1e-6)


def test_functions_of_functions_are_saved_shared_frozen_and_trained():
    x = Input(4)
    tower = ComposingTower(3, name='tower')
    model = Model(x, tower(Activation('tanh')(tower(x))))
    weights = tower.get_weights()
    assert sorted({name.rsplit('/', 2)[0] for name in weights}) == ['0', '3', 'block1']

    def once(it):
        it = it + block(weights, it, '0/')
        it = block(weights, it, 'block1/')
        return it + block(weights, it, '3/')
    np.testing.assert_allclose(model.predict(X), once(np.tanh(once(X))), rtol=1e-4, atol=1e-4)
    np.testing.assert_array_equal(reloaded(model).predict(X), model.predict(X))
    model.compile('sgd', 'mse')
    model.fit(X, np.zeros((5, 4)), nb_epoch=1, verbose=0)
    assert not np.array_equal(tower.get_weights()['0/0/W'], weights['0/0/W'])
    tower.trainable = False
    assert not Model(x, tower(x)).outputs[0].trainable_params


def test_a_scope_reaches_registered_functions():
    with argscope(ComposingBlock, output_dim=3, activation='tanh'):
        layer = ComposingBlock()
    assert (layer.output_dim, layer.activation) == (3, 'tanh')
    with argscope([ComposingBlock, Dense], activation='sigmoid'):
        kensor = ComposingBlock(3)(Input(4))
    assert keraflow.serialize(kensor.layer)['args'] == {'output_dim': 3, 'activation': 'sigmoid', 'rate': 0.}


def starred(x, *sizes):
    return x


def hiding(x, trainable):
    return x


def naming(x, argument_names):
    return x


@pytest.mark.parametrize('make, kind, text', [
    (lambda: layer_register(3), ArgumentTypeError, 'layer_register: expected a function with a name, received 3.'),
    (lambda: layer_register(naming), ArgumentError, "layer_register: naming: 'argument_names' cannot be the name of an argument, because "
                                                    'each layer has an attribute of that name. Choose another.'),
    (lambda: layer_register(lambda x: x, id='l'), ArgumentTypeError,
     'layer_register: expected a function with a name, received function <lambda>.'),
    (lambda: ComposingBlock('one', Input(4), 3, name='two'), ArgumentTypeError, "ComposingBlock: the argument 'name' is given twice."),
    (lambda: layer_register(starred), ArgumentTypeError, 'layer_register: starred: expected a function of a tensor and named arguments, '
                                                         'received starred(x, *sizes). Name its arguments.'),
    (lambda: layer_register(hiding), ArgumentError, "layer_register: hiding: 'trainable' cannot be the name of an argument, because each "
                                                    'layer has an attribute of that name. Choose another.'),
    (lambda: ComposingBlock(0), ArgumentError, 'ComposingBlock: output_dim: expected an integer of at least 1, received 0.'),
    (lambda: ComposingBlock(3, units=4), ArgumentTypeError, "ComposingBlock: there is no argument 'units'. Did you mean 'output_dim'?"),
    (lambda: ComposingBlock(), ArgumentTypeError, "ComposingBlock: the argument 'output_dim' is missing: an integer of at least 1."),
])
def test_mistakes_with_functions(make, kind, text):
    with pytest.raises(kind) as caught:
        make()
    assert str(caught.value) == text


# -- the words of other libraries, and chains ------------------------------------------------------------------------------

@layer_register(use_scope=False)
def ComposingUnnamed(x, mode='plain'):
    return x * (2. if mode == 'double' else 1.)


def test_a_function_without_scope_takes_no_name():
    x = Input(4)
    doubled = ComposingUnnamed(x, 'double')
    np.testing.assert_allclose(Model(x, LinearWrap(doubled).ComposingUnnamed('double')()).predict(X), 4 * X, rtol=1e-6)
    with pytest.raises(ArgumentTypeError) as caught:
        ComposingUnnamed('name', x, 'double')
    assert str(caught.value) == ("ComposingUnnamed: takes no name before its input, because it was registered with "
                                 "use_scope=False, received 'name'.")


def test_arrays_are_fed_as_tensors_are():
    layer = ComposingBlock('named', X, 3)
    assert B.eval(layer).shape == (5, 3)


def test_chains_tell_variables_and_print():
    chain = LinearWrap(Input(4)).Dense('fc', 3)
    assert not hasattr(chain, 'no_layer') and hasattr(chain, 'Dense')
    assert chain.variables.names == ['W', 'b'] and chain.variables.W is chain().layer.W and chain.tensor() is chain()
    on_values = LinearWrap(B.constant(X)).apply(Dense(2))
    assert on_values.variables.names == ['W', 'b']
    with pytest.raises(GraphError, match='there is no layer in the chain yet'):
        LinearWrap(B.constant(X)).variables


def test_a_chain_prints_its_kensor(capsys):
    LinearWrap(Input(4)).Dense('fc', 3).print_tensor().Dense(2)
    assert capsys.readouterr().out == '<Kensor fc/output (None, 3) float32>\n'


def apply(x):
    return x


@pytest.mark.parametrize('act, error, text', [
    (lambda x: Dense(2, name='d')(LinearWrap(x).Dense('e', 3)), GraphError,
     'd: expected a Kensor, a tensor or an array, received LinearWrap(<Kensor e/output (None, 3) float32>). End the chain with '
     '(): LinearWrap(x)...().'),
    (lambda x: Model(x, LinearWrap(x).Dense('e', 3), name='m'), GraphError,
     'm: outputs: expected a Kensor, received LinearWrap(<Kensor e/output (None, 3) float32>). End the chain with (): '
     'LinearWrap(x)...().'),
    (lambda x: ComposingBlock('b', LinearWrap(x).Dense('e', 3), 3), GraphError,
     'b: expected a Kensor, a tensor or an array, received LinearWrap(<Kensor e/output (None, 3) float32>). End the chain with '
     '(): LinearWrap(x)...().'),
    (lambda x: LinearWrap(x).tf.square(), GraphError,
     "LinearWrap: there is no layer 'tf'. Functions of the backend are .B: LinearWrap(x).B.square()."),
    (lambda x: layer_register(apply), ArgumentError,
     "layer_register: 'apply' is what a LinearWrap has under this name, so that the layer could not be part of a chain. Choose "
     "another, as the name of the function or with id='...'."),
    (lambda x: layer_register(log_shape=True), ArgumentTypeError,
     "layer_register: there is no argument 'log_shape'. Leave it out, and call keraflow.show_shapes() to see the shapes."),
    (lambda x: ComposingBlock('b', x, 3, use_scope=False), ArgumentTypeError,
     "ComposingBlock: there is no argument 'use_scope'. Pass it to layer_register, where the function is registered."),
    (lambda x: Dense(2, name='d')(x).layer.get_losses_for([]), GraphError,
     'd: expected Kensors that the layer was called on, received an empty list. Pass None for what depends on no input.'),
])
def test_mistakes_with_the_advice(act, error, text):
    with pytest.raises(error) as caught:
        act(Input(4))
    assert str(caught.value) == text


def test_closures_that_compute_with_other_values_are_refused_and_a_cell_may_run_again():
    def scaled_by(factor):
        @layer_register(id='composing-closure')
        def scaled(x):
            return x * factor
        return scaled
    x = Input(4)
    first = scaled_by(2.)
    with pytest.raises(ArgumentError, match="^register: the id 'composing-closure' is taken"):
        scaled_by(3.)
    model = reloaded(Model(x, first()(x)))
    np.testing.assert_allclose(model.predict(X), 2 * X, rtol=1e-6)
    cell = "@layer_register(id='composing-cell')\ndef cell(x, factor=2.):\n    return x * factor\n"
    for source in (cell, cell, cell.replace('2.', '3.')):
        namespace = {'layer_register': layer_register, '__name__': '__main__'}
        exec(source, namespace)
        found = reloaded(Model(x, namespace['cell']()(x))).predict(X)
    np.testing.assert_allclose(found, 3 * X, rtol=1e-6)
