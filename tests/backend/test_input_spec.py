"""InputSpec: what a layer takes, as data."""
import pytest

from keraflow import backend as B
from keraflow.errors import ArgumentError, ArgumentTypeError, GraphError, ShapeError
from keraflow.layers import Dense, Input, InputSpec, Layer, MultiInputLayer


def fed(spec, *inputs, base=Layer):
    """What a layer of this `input_spec` gives when it is fed with each of the inputs."""
    class Told(base):
        input_spec = spec

        def output_shape(self, input_shape):
            return None

        def output(self, x):
            return B.identity(x[0] if self.multi_input else x)

    layer = Told(name='t')
    return [layer(one) for one in inputs]


TAKEN = [
    (InputSpec(), lambda: [Input((), batch_size=2), Input((3, None))]),
    (InputSpec(('batch', 'a')), lambda: [Input(3), Input((None,)), Input(4)]),
    (InputSpec(min_ndim=2, max_ndim=3), lambda: [Input(3), Input((3, 4))]),
    (InputSpec(lengths={-1: 3}), lambda: [Input(3), Input((5, 3)), Input((None,))]),
    (InputSpec(known=(1,)), lambda: [Input(3), Input(4)]),
    (InputSpec(fixed=(-1,)), lambda: [Input(3), Input((None, 3))]),
    (InputSpec(dtype='int'), lambda: [Input(3, dtype='int32'), Input(3, dtype='int64')]),
]


@pytest.mark.parametrize('spec, inputs', TAKEN, ids=range(len(TAKEN)))
def test_inputs_that_fit_are_taken(spec, inputs):
    made = inputs()
    assert [y.shape for y in fed(spec, *made)] == [one.shape for one in made]


REFUSED = [
    (InputSpec(('batch', 'a'), advice='Write less.'), lambda: [Input((3, 4))], 't: expected a 2-D input (batch, a), received shape (None, 3, 4). Write less.'),
    (InputSpec(min_ndim=3), lambda: [Input(3)], 't: expected an input of rank 3 or more, received shape (None, 3).'),
    (InputSpec(min_ndim=1, max_ndim=2), lambda: [Input((3, 4))], 't: expected an input of rank 1 to 2, received shape (None, 3, 4).'),
    (InputSpec(lengths={2: 5}), lambda: [Input(3)], 't: expected an input of rank 3 or more, received shape (None, 3).'),
    (InputSpec(('batch', 'a'), lengths={-1: 2}), lambda: [Input(3)], 't: expected an input (batch, a) whose axis a has length 2, received shape (None, 3).'),
    (InputSpec(known=(0,)), lambda: [Input(3)], 't: expected an input whose axis 0 (the batch is axis 0) has a known length, received shape '
     '(None, 3). Write Input(..., batch_size=...).'),
    (InputSpec(fixed=(-1,)), lambda: [Input((None,))], 't: expected an input whose axis -1 has a known length, received shape (None, None). Give '
     'the Input that length.'),
    (InputSpec(fixed=(1,)), lambda: [Input(3), Input(4)], 't: expected an input whose axis 1 (the batch is axis 0) has length 3, received '
     'shape (None, 4). The layer was built for that length; make another layer for this one.'),
]


@pytest.mark.parametrize('spec, inputs, text', REFUSED, ids=range(len(REFUSED)))
def test_others_are_refused_before_anything_is_computed(spec, inputs, text):
    with pytest.raises(ShapeError) as caught:
        fed(spec, *inputs())
    assert str(caught.value) == text


@pytest.mark.parametrize('kind, dtype, text', [
    ('int', 'bool', "t: expected integers, received bool. Write Input(..., dtype='int32')."),
    ('float', 'int32', "t: expected real numbers, received int32. Write Input(..., dtype='float32')."),
    ('bool', 'float64', "t: expected truth values, received float64. Write Input(..., dtype='bool').")])
def test_numbers_of_another_kind_are_refused(kind, dtype, text):
    with pytest.raises(ArgumentTypeError) as caught:
        fed(InputSpec(dtype=kind), Input(3, dtype=dtype))
    assert str(caught.value) == text


def test_a_list_of_specs_is_for_the_inputs_in_their_order():
    specs = [InputSpec(('batch', 'a')), InputSpec(min_ndim=3)]

    class Any(MultiInputLayer):
        def check_input_shape(self, input_shape):
            pass

    fed(specs, [Input(3), Input((2, 3))], base=Any)
    with pytest.raises(ShapeError) as caught:
        fed(specs, [Input(3), Input(2)], base=Any)
    assert str(caught.value) == 't: expected an input of rank 3 or more, received shape (None, 2).'


def test_a_failed_first_call_fixes_nothing():
    class Fails(Dense):
        def output(self, x):
            if self.output_dim == 2:
                raise RuntimeError('not now')
            return super().output(x)

    layer = Fails(2)
    with pytest.raises(RuntimeError):
        layer(Input(3))
    layer.output_dim = 4
    assert layer(Input(5)).shape == (None, 4)


@pytest.mark.parametrize('make, kind, text', [
    (lambda: InputSpec('batch'), ArgumentTypeError, "InputSpec: axes: expected a list (a string each), received 'batch'."),
    (lambda: InputSpec(min_ndim=-1), ArgumentError, 'InputSpec: min_ndim: expected an integer of at least 0, received -1.'),
    (lambda: InputSpec(dtype='int32'), ArgumentTypeError, "InputSpec: dtype: expected one of 'bool', 'int', 'float' or None, received 'int32'."),
    (lambda: InputSpec(('batch', 'a'), fixed=(2,)), ArgumentError, "InputSpec: known, fixed, lengths: expected axes of ['batch', 'a'], received [2]."),
    (lambda: InputSpec(('batch', 'a'), known=(1, -3)), ArgumentError, "InputSpec: known, fixed, lengths: expected axes of ['batch', 'a'], received [-3]."),
    (lambda: InputSpec(('batch', 'a'), min_ndim=3), ArgumentError, "InputSpec: min_ndim: expected axes of ['batch', 'a'], received 3."),
    (lambda: InputSpec(ndim='2'), ArgumentTypeError,
     "InputSpec: there is no argument 'ndim'. Write axes=('batch', ...), one name for each axis, or min_ndim and max_ndim."),
    (lambda: InputSpec(min_dim=2), ArgumentTypeError, "InputSpec: there is no argument 'min_dim'. Did you mean 'min_ndim'?"),
    (lambda: InputSpec(*range(9)), ArgumentTypeError, 'InputSpec: expected at most 8 positional argument(s) (axes, min_ndim, max_ndim, known, '
     'fixed, lengths, dtype, advice), received 9.'),
    (lambda: InputSpec((), axes=()), ArgumentTypeError, "InputSpec: the argument 'axes' is given twice."),
    (lambda: InputSpec(lengths={'a': 1}), ArgumentTypeError, "InputSpec: lengths: expected a dict of an integer, received {'a': 1}."),
    (lambda: InputSpec(min_ndim=3, max_ndim=2), ArgumentError, 'InputSpec: max_ndim: expected at least 3, which is min_ndim, received 2.')],
    ids=range(12))
def test_a_spec_is_checked_when_it_is_written(make, kind, text):
    with pytest.raises(kind) as caught:
        make()
    assert str(caught.value) == text


def test_a_spec_of_none_is_for_anything():
    assert [y.shape for y in fed(None, Input(3), Input((3, 4)))] == [(None, 3), (None, 3, 4)]
    assert fed([None, InputSpec(min_ndim=2)], [Input(3), Input(3)], base=MultiInputLayer)[0].shape == (None, 3)


def test_a_list_of_another_length_than_the_inputs_is_refused():
    specs = [InputSpec(min_ndim=2), InputSpec(('batch', 'a'))]
    for inputs in ([Input(3)], [Input(3)] * 3):
        with pytest.raises(GraphError) as caught:
            fed(specs, inputs, base=MultiInputLayer)
        assert str(caught.value) == f't: expected 2 input(s), as input_spec says, received {len(inputs)}.'


@pytest.mark.parametrize('spec, shown', [(2, '2'), ((2, 3), '(2, 3)'), ([InputSpec(), 'x'], 'list [InputSpec('),
                                         ({'ndim': 2}, "{'ndim': 2}")])
def test_a_spec_that_is_none_is_refused(spec, shown):
    with pytest.raises(ArgumentTypeError) as caught:
        fed(spec, Input(3))
    assert str(caught.value).startswith('t: input_spec: expected an InputSpec (a list of them for several inputs) or '
                                        f'None, received {shown}')


def test_a_spec_of_one_layer_alone():
    layer = Dense(2, name='d')
    layer.input_spec = InputSpec(lengths={1: 4})
    with pytest.raises(ShapeError, match='has length 4'):
        layer(Input(3))
    layer.input_spec = None
    assert layer(Input(3)).shape == (None, 2)


def ranked(ranks, *inputs):
    """What a layer whose ``input_dimension`` gives `ranks` gives."""
    class Ranked(Layer):
        def input_dimension(self):
            return ranks

        def output(self, x):
            return x * 2
    return [Ranked(name='r')(one) for one in inputs]


def test_input_dimension_is_the_rank_with_the_batch():
    assert ranked(2, Input(3))[0].shape == (None, 3)
    assert len(ranked([2, 4], Input(3), Input((1, 2, 3)))) == 2 and len(ranked(None, Input((3, 4)))) == 1
    for ranks, wanted in ((2, '2-D'), ([2, 4], '2-D or 4-D')):
        with pytest.raises(ShapeError) as caught:
            ranked(ranks, Input((3, 4)))
        assert str(caught.value) == (f'r: expected a {wanted} input, as input_dimension() says, received shape '
                                     '(None, 3, 4).')
    with pytest.raises(ArgumentTypeError) as caught:
        ranked('2', Input(3))
    assert str(caught.value) == ('r: input_dimension(): expected the rank of an input with the batch, such as 2, received '
                                 "'2'.")
