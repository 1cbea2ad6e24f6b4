"""What layers cost, counted from static shapes: floating-point operations, bytes, and what is kept for gradients."""
import numpy as np
import pytest

from keraflow import backend as B
from keraflow.backend.contract import TensorSpec
from keraflow.backend.watching import watching
from keraflow.layers import (GRU, LSTM, BatchNormalization, Convolution1D, Convolution2D, Deconvolution2D, Dense,
                             Embedding, Flatten, Input, Layer, Pooling2D, Reshape, SeparableConvolution2D, SimpleRNN,
                             TimeDistributed)
from keraflow.models import Model, Sequential
from keraflow.training.profiling.counting import Counter


def counted(layer, *shapes, dtype='float32', trained=None, is_data=True):
    """The run of a layer in training, on tensors of these shapes; by default all its parameters are trained."""
    def run(*tensors):
        variables = [one.variable for one in layer.parameters() if one.trainable] if trained is None else trained
        counter = Counter(tensors if is_data else (), variables)
        with B.phase('train'), watching(counter):
            layer.run(list(tensors))
        return counter.whole.inner[0]
    layer.build(list(shapes) if layer.multi_input else shapes[0])
    return B.trace(run, [TensorSpec(shape, dtype) for shape in shapes])


def test_a_dense_layer_takes_two_operations_for_each_weight_and_sample():
    cost = counted(Dense(5), (8, 4)).cost
    assert cost.flop == 2 * 8 * 4 * 5 + 8 * 5       # and the bias
    assert cost.nb_byte == 4 * (8 * 4 + 4 * 5 + 8 * 5) + 4 * (8 * 5 + 5 + 8 * 5)
    assert cost.nb_uncounted == 0


def test_gradients_take_one_product_for_each_operand_that_a_gradient_flows_to():
    assert counted(Dense(5, bias=False), (8, 4)).cost.flop_backward == 2 * 8 * 4 * 5
    assert counted(Dense(5, bias=False), (8, 4), is_data=False).cost.flop_backward == 2 * 2 * 8 * 4 * 5
    assert counted(Dense(5, bias=False), (8, 4), trained=[], is_data=False).cost.flop_backward == 2 * 8 * 4 * 5
    assert counted(Dense(5, bias=False), (8, 4), trained=[]).cost.flop_backward == 0


def test_convolutions():
    # 'valid': 6 x 7 places of the output, each with 3 x 2 cells of 3 channels, for 4 kernels.
    assert counted(Convolution2D(4, 3, 2, bias=False), (2, 3, 8, 8)).cost.flop == 2 * 2 * 4 * 6 * 7 * 3 * 2 * 3
    assert counted(Convolution1D(4, 3, bias=False), (2, 8, 5)).cost.flop == 2 * 2 * 4 * 6 * 3 * 5
    assert counted(Convolution2D(4, 3, 2, bias=False, data_format='channels_last'), (2, 8, 8, 3)).cost.flop == 2 * 2 * 4 * 6 * 7 * 3 * 2 * 3
    # Each of 8 x 8 x 3 values meets 3 x 3 cells of 4 kernels.
    assert counted(Deconvolution2D(4, 3, 3, bias=False), (2, 3, 8, 8)).cost.flop == 2 * 2 * 8 * 8 * 3 * 3 * 3 * 4
    # One kernel for each of 3 channels, then 4 products with all of these.
    assert counted(SeparableConvolution2D(4, 3, 3, bias=False), (2, 3, 8, 8)).cost.flop == 2 * 2 * 6 * 6 * (3 * 3 * 3 + 3 * 4)


def test_pooling_looks_at_each_cell_of_each_window():
    assert counted(Pooling2D('max', (2, 2)), (2, 3, 8, 8)).cost.flop == 2 * 3 * 4 * 4 * 4


@pytest.mark.parametrize('cell, nb_gate', [(SimpleRNN, 1), (GRU, 3), (LSTM, 4)])
def test_a_loop_over_time_takes_its_steps_whether_or_not_it_is_written_out(cell, nb_gate):
    loop, written_out = (counted(cell(6, unroll=unroll), (2, 5, 3)).cost for unroll in (False, True))
    products = 2 * 2 * 5 * nb_gate * 6 * (3 + 6)
    assert products < loop.flop < 1.5 * products        # the rest are gates
    assert (loop.flop, loop.flop_backward, loop.nb_uncounted) == (written_out.flop, written_out.flop_backward, 0)


def test_what_moves_values_takes_no_operations_and_a_view_moves_none():
    assert counted(Flatten(), (2, 3, 4)).cost.nb_byte == 0
    table = counted(Embedding(10, 4), (2, 3), dtype='int32').cost
    assert table.flop == 0 and table.nb_byte >= 4 * 2 * 3 * 4


class Scaled(Layer):
    def init_param(self, input_shape):
        self.set_trainable_params('W', np.ones(input_shape[1], 'float32'))

    def output(self, x):
        return x * self.W + 1.


class Hosting(Layer):
    def output(self, x):
        return self.embed(Dense(4, bias=False))(self.embed(Dense(3, bias=False))(x)) * 2


def test_operators_count_like_functions():
    assert counted(Scaled(), (8, 4)).cost.flop == 2 * 8 * 4


def test_layers_inside_a_host_are_counted_by_themselves_and_with_it():
    run = counted(Hosting(), (8, 5))
    first, second = run.inner
    assert [first.cost.flop, second.cost.flop, run.cost.flop] == [2 * 8 * 5 * 3, 2 * 8 * 3 * 4, 2 * 8 * 5 * 3 + 2 * 8 * 3 * 4 + 8 * 4]
    assert [type(one.layer).__name__ for one in run.all_inside()] == ['Dense', 'Dense']
    # No gradient flows to the data, and one to what the first layer computes.
    assert (first.cost.flop_backward, second.cost.flop_backward) == (first.cost.flop, 2 * second.cost.flop)
    assert (first.gets_gradient, second.gets_gradient) == ([False], [True])


def test_kept_for_gradients_is_what_they_need_once():
    # The product needs x, which is data; the activation its result. An addition needs nothing.
    assert counted(Dense(5, activation='relu'), (8, 4)).cost.nb_byte_kept == 4 * 8 * 5
    assert counted(Dense(5), (8, 4)).cost.nb_byte_kept == 0
    # What the first layer gives is kept for the second one.
    assert counted(Sequential([Input(4), Dense(5), Dense(6)]), (8, 4)).cost.nb_byte_kept == 4 * 8 * 5
    # A view needs no memory of its own.
    assert counted(Sequential([Input(4), Dense(5, activation='relu'), Reshape((1, 5)), Flatten(), Dense(6)]), (8, 4)).cost.nb_byte_kept == 4 * 8 * 5


def test_operations_of_unknown_length_are_told():
    cost = counted(Dense(5), (None, 4)).cost
    assert cost.flop == 0 and cost.nb_uncounted == 2


def test_layers_in_others_are_found():
    run = counted(TimeDistributed(Dense(3)), (2, 5, 4))
    assert [type(one.layer).__name__ for one in run.all_inside()] == ['Dense']
    assert run.cost.flop == 2 * 2 * 5 * 4 * 3 + 2 * 5 * 3


def test_nobody_is_told_of_what_runs_outside():
    counter = Counter((), ())
    with watching(counter):
        pass
    B.trace(lambda x: B.multiply(x, x), [TensorSpec((2, 3), 'float32')])
    assert counter.whole.cost.flop == 0


def test_statistics():
    model = Model(x := Input((4,)), BatchNormalization()(x))
    cost = counted(model, (8, 4)).cost
    assert cost.flop > 5 * 8 * 4 and cost.nb_uncounted == 0
