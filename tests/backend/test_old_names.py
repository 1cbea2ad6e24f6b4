"""Classes of a program that define members by their old names, or look them up by these."""
import numpy as np
import pytest

from keraflow import backend as B
from keraflow.errors import ArgumentTypeError
from keraflow.layers import Dense, Input, Layer
from keraflow.metrics import AUC, Metric, Precision, TopKAccuracy, ratio
from keraflow.models import Sequential
from keraflow.optimizers import SGD, Optimizer
from keraflow.serialization import serialize

X, Y = np.ones((4, 2), 'float32'), np.full((4, 1), 3., 'float32')


def trained(optimizer, *metrics):
    """The weights of a model, and what is reported, after two steps."""
    model = Sequential([Input(2), Dense(1, init='one', name='y')])
    model.compile(optimizer, 'mse', list(metrics))
    history = model.fit(X, Y, nb_epoch=2, verbose=0)
    return model.get_weights()['y/W'].ravel().tolist(), history[-1]


class Spread(Metric):
    nb_count = 3

    def counts(self, y_pred, y_true, weights):
        return B.concatenate([ratio(y_pred, B.ones_like(y_pred), weights), B.zeros((1,))], 0)

    def result(self, counts):
        return float(len(counts) + counts[2])


class Own(Optimizer):
    def __init__(self, lr=0.1, **kwargs):
        super().__init__(**kwargs)
        self.lr = lr

    def numbers(self, t, lr):
        return {'lr': lr}

    def rule(self, n, param, gradient):
        return [param - n.lr * gradient]


def test_what_a_class_defines_by_an_old_name_is_used():
    weights, logs = trained(Own(), Spread())
    assert weights == trained(SGD(lr=0.1))[0] and logs['Spread'] == 3.
    assert Spread.nb_total == 3


def test_a_subclass_calls_the_method_of_its_base_by_the_old_name():
    class Twice(Precision):
        def counts(self, y_pred, y_true, weights):
            return super().counts(y_pred, y_true, weights) * B.constant([2., 1.])

    class Mixin:
        def rule(self, n, param, gradient, *slots):
            return super().rule(n, param, gradient * 0., *slots)

    class Still(Mixin, SGD):
        pass

    class Further(Twice):
        def totals(self, y_pred, y_true, weights):
            return super().totals(y_pred, y_true, weights) * B.constant([3., 1.])

    weights, logs = trained(Still(lr=1.), Twice(), Further(name='further'))
    assert weights == [1., 1.] and (logs['precision'], logs['further']) == (2., 6.)


def test_a_number_of_totals_that_an_object_sets():
    class Many(Spread):
        def __init__(self, nb_count=3):
            super().__init__()
            self.nb_count = nb_count
    assert trained('sgd', Many())[1]['Many'] == 3.
    assert (Many(5).nb_total, Many(5).nb_count, repr(Many(5))) == (5, 5, 'Many(nb_count=5)')


def test_old_names_find_what_there_is_now():
    one, other = TopKAccuracy(1), SGD(lr=0.5)
    y = B.constant([[0., 1.]])
    np.testing.assert_array_equal(B.eval(one.counts(y, y, None)), [1., 1.])
    assert (one.nb_count, AUC(nb_bin=3).nb_count) == (2, 6)
    assert other.numbers(B.constant(1., 'float64'), 0.5)['lr'] == 0.5
    assert not {'counts', 'nb_count', 'numbers', 'rule'} & {*dir(one), *dir(other)}
    assert {'totals', 'nb_total'} <= set(dir(one)) and {'coefficients', 'update_rule'} <= set(dir(other))


def test_a_method_that_is_called_otherwise_is_refused_by_the_name_that_it_has():
    with pytest.raises(ArgumentTypeError) as caught:
        class Mine(Metric):
            def counts(self, y_pred, y_true):
                return 1
    assert str(caught.value) == ('Mine: counts(self, y_pred, y_true): expected a method that is called as counts(self, y_pred, y_true, weights). Take '
                                 'these arguments, or call the method something else.')


def test_a_class_extends_what_its_base_class_has_by_an_old_name():
    class Mine(Dense):
        quiet_arguments = Dense.quiet_arguments | {'k'}
        unsaved_arguments = Dense.unsaved_arguments | {'cache'}
        unfollowed_arguments = Layer.unfollowed_arguments | {'k'}
        open_methods = Layer.open_methods | {'grow'}
        fresh_attributes = Layer.fresh_attributes | {'seen'}

        def __init__(self, output_dim, k=1, cache=None, **kwargs):
            super().__init__(output_dim, **kwargs)
            self.k = k
            self.cache = cache

    assert serialize(Mine(2, cache=[1]))['args'].keys() == {'output_dim', 'init', 'activation', 'bias'}
    assert Mine.quiet_arguments == Mine.omit_if_default == Layer.omit_if_default | {'k'} == Mine(2).quiet_arguments
    assert Mine.never_saved >= {'cache', 'initial_weights'} and Mine.set_without_rebuild >= {'k', 'trainable'}
    assert Mine.extensible_methods == {'output', 'grow'} and Mine.never_copied == {'seen'}
    assert (Metric.nb_count, Spread.nb_count, Precision.nb_count) == (2, 3, 2)
    assert not {'quiet_arguments', 'latest'} & {*dir(Mine(2))}
