"""What a class of layers may define: hooks under their names, and helpers."""
import types

import pytest

from keraflow.errors import ArgumentTypeError
from keraflow.layers import Dense, Layer, MultiInputLayer
from keraflow.layers.base.input_spec import InputSpec
from keraflow.models import Model, Sequential


def one(self, x):
    return x


def none(self):
    return True


def two(self, a, b=None):
    return a


def define(body, base=Layer, *mixins):
    return types.new_class('Mine', (*mixins, base), exec_body=lambda namespace: namespace.update(body))


WRITE_OUTPUT = 'is never called. Write output(self, x).'
REFUSED = [
    ({'call': one}, f'call() {WRITE_OUTPUT}'),
    ({'call': lambda self, x, training=None, mask=None: x}, f'call() {WRITE_OUTPUT}'),
    ({'forward': lambda self, *args: args}, f'forward() {WRITE_OUTPUT}'),
    ({'forward': staticmethod(lambda x: x)}, f'forward() {WRITE_OUTPUT}'),
    ({'get_output_for': two}, f'get_output_for() {WRITE_OUTPUT}'),
    ({'get_output': lambda self, train=False: 1}, f'get_output() {WRITE_OUTPUT}'),
    ({'__call__': one}, f'__call__() {WRITE_OUTPUT}'),
    ({'output': one, 'build': one}, 'build() is never called. Write init_param(self, input_shape).'),
    ({'output': one, 'compute_output_shape': one}, 'compute_output_shape() is never called. Write output_shape(self, input_shape).'),
    ({'output': one, 'get_output_shape_for': one}, 'get_output_shape_for() is never called. Write output_shape(self, input_shape).'),
    ({'output': one, 'compute_mask': two}, 'compute_mask() is never called. Write output_mask(self, input_mask, input_shape).'),
    ({'output': one, 'supports_mask': True}, 'supports_mask is never read. Write supports_masking = True.'),
    ({'output': one, 'support_masking': none}, 'support_masking() is never called. Write supports_masking = True.'),
    ({'output': one, 'supports_masking': none}, 'supports_masking: expected a value or a property, received a method.'),
    ({'output': one, 'get_config': none}, 'get_config() is never called. Leave it out, if __init__ keeps each argument under its '
     'own name: a layer is rebuilt from these. Else write pack_init_param(self).'),
    ({'ouput': one}, 'ouput() is never called. Did you mean output(self, x)?'),
    ({'outptu': one}, 'outptu() is never called. Did you mean output(self, x)?'),
    ({'Output': one}, 'Output() is never called. Did you mean output(self, x)?'),
    ({'outputs': two}, 'outputs() is never called. Did you mean output(self, x)?'),
    ({'output': one, 'init_params': one}, 'init_params() is never called. Did you mean init_param(self, input_shape)?'),
    ({'output': one, 'initParam': one}, 'initParam() is never called. Did you mean init_param(self, input_shape)?'),
    ({'output': one, 'output_shapes': one}, 'output_shapes() is never called. Did you mean output_shape(self, input_shape)?'),
    ({'output': one, 'outputshape': one}, 'outputshape() is never called. Did you mean output_shape(self, input_shape)?'),
    ({'output': one, 'check_input_shapes': one},
     'check_input_shapes() is never called. Did you mean check_input_shape(self, input_shape)?'),
    ({'output': one, 'support_masks': none}, 'support_masks() is never called. Write supports_masking = True.'),
    ({'output': one, 'outputmask': two}, 'outputmask() is never called. Did you mean output_mask(self, input_mask, input_shape)?'),
    ({'output': one, 'pack_init_params': none}, 'pack_init_params() is never called. Did you mean pack_init_param(self)?'),
    ({'output': one, 'input_specs': InputSpec()}, 'input_specs is never read. Did you mean input_spec?'),
    ({'output': one, 'multi_inputs': True}, 'multi_inputs is never read. Did you mean multi_input?'),
    ({'output': none}, 'output(self): expected a method that is called with x. Write output(self, x).'),
    ({'output': one, 'output_shape': none},
     'output_shape(self): expected a method that is called with input_shape. Write output_shape(self, input_shape).'),
    ({'output': one, 'output_mask': one},
     'output_mask(self, x): expected a method that is called with input_mask, input_shape. '
     'Write output_mask(self, input_mask, input_shape).'),
    ({'output': one, 'output_shape': property(none)},
     'output_shape: expected a method output_shape(self, input_shape), received a property.'),
    ({'output': one, 'support_mask': True}, 'support_mask: expected a method support_mask(self), received True.'),
]


@pytest.mark.parametrize('body, text', REFUSED)
def test_what_is_never_called_is_refused_where_the_class_is_made(body, text):
    with pytest.raises(ArgumentTypeError) as caught:
        define(body)
    assert str(caught.value) == f'Mine: {text}'


def test_so_it_is_in_subclasses_of_layers_and_models_and_with_mixins():
    mixin = type('Mixin', (), {'call': one})
    for define_it in (lambda: define({'call': one}, Dense), lambda: define({'forward': one}, Model),
                      lambda: define({'call': one}, Sequential), lambda: define({}, Layer, mixin),
                      lambda: define({'forward': one}, MultiInputLayer),
                      lambda: define({'ouput': one}, define({'output': one}))):
        with pytest.raises(ArgumentTypeError, match='^Mine: (call|forward|ouput)'):
            define_it()


def test_a_call_of_the_method_above_it_is_no_use_of_it():
    with pytest.raises(ArgumentTypeError, match=r'^Wide: build\(\) is never called'):
        class Wide(Dense):
            def build(self, input_shape):
                return super().build(input_shape)


def test_another_word_beside_the_hook_is_a_helper():
    class KerasStyle(Layer):
        def init_param(self, input_shape):
            self.build(input_shape)

        def output(self, x):
            return self.call(x)

        def output_shape(self, input_shape):
            return self.compute_output_shape(input_shape)

    class Mine(KerasStyle):
        def build(self, input_shape):
            self.made_for = input_shape

        def call(self, x):
            return x * 2

        def compute_output_shape(self, input_shape):
            return input_shape
    assert Mine().output(2) == 4


def test_helpers_are_not_refused():
    class Attention(Layer):
        @property
        def outputs(self):
            return []

        def output(self, x):
            return self.compute_mask(x, x) + self.forward_features(x)

        def compute_mask(self, queries, keys):
            return queries

        def forward_features(self, x):
            return x

        def output_size(self):
            return 3

        def outputs_of(self, x):
            return x

        def _output(self, x):
            return x

        def reset_parameters(self):
            return None

    class Logged(Dense):
        def __call__(self, inputs):
            return super().__call__(inputs)

    class Part(Layer):
        """A base without an output."""

        def helper(self, x):
            return x
    mixin = type('Mixin', (), {'output': one})
    assert Attention().output(1) == 2 and issubclass(Logged, Dense) and issubclass(Part, Layer)
    assert define({'forward': one}, Layer, mixin)().output(3) == 3
