"""What TensorFlow does not promise to keep is there in the release that is installed, and one module alone uses it."""
import ast
from pathlib import Path

import pytest
import tensorflow as tf

import keraflow_backends.tensorflow_backend
from keraflow import backend as B
from keraflow.errors import BackendError
from keraflow_backends.tensorflow_backend import private_api

FOLDER = Path(keraflow_backends.tensorflow_backend.__file__).parent


def lacks(what):
    return f'TensorFlow {tf.__version__}: {what}. See backends/tensorflow_backend/private_api.py.'


# -- each does what the plugin needs ------------------------------------------------------------------------------------

def test_a_graph_to_trace_in_captures_variables():
    variable = tf.Variable([1., 2.])
    with private_api.FuncGraph('trace').as_default() as graph:
        x = private_api.placeholder('float32', (None, 2))
        made = x + variable
    assert made.graph is graph and made.shape.as_list() == [None, 2], lacks('FuncGraph does not trace placeholders and variables')
    assert not hasattr(made, 'numpy'), lacks('what is made in a FuncGraph has a value')


def test_a_wrapped_function_is_pruned_to_what_was_added_to_its_graph():
    wrapped = private_api.wrap_function(lambda: None, [])
    with wrapped.graph.as_default():
        x = private_api.placeholder('float32', (2,))
        y = x * 2.
    assert wrapped.prune([x], [y])(tf.constant([1., 2.]))[0].numpy().tolist() == [2., 4.], lacks('prune gives other values')


def test_a_graph_tells_what_it_takes_from_outside_and_what_stands_for_it():
    found = []

    @tf.function(autograph=False)
    def outer(x):
        def body(i, total):
            inside = private_api.placeholder_of(x)
            with tf.GradientTape(watch_accessed_variables=False) as tape:
                tape.watch(inside)
                made = x * x
            graph = private_api.current_graph()
            found.append((inside.graph is graph, [one is x for one in private_api.taken_from_outside(graph)]))
            return i + 1, total + tape.gradient(made, inside)
        return tf.while_loop(lambda i, _: i < 3, body, (0, 0.))[1]
    assert outer(tf.constant(5.)).numpy() == 30., lacks('a tape does not watch what stands for a tensor from outside')
    assert all(is_inside and any(is_x) for is_inside, is_x in found), lacks('external_captures has not the tensor itself')


def test_the_dispatcher_is_asked_outside_of_a_graph():
    x = B.placeholder((2,))
    for make in (tf.tanh, lambda x: x + 1., lambda x: 1. - x):
        try:
            made = make(x)
        except Exception as error:
            pytest.fail(lacks(f'no dispatcher is asked for an operation on a tensor of a graph that is not open ({error})'))
        assert made.graph is x.graph


def test_a_concrete_function_can_be_called_directly():
    variable = tf.Variable([1., 2.])

    def function(x, y):
        with tf.control_dependencies([variable.assign_add([1., 1.])]):
            return [x * variable, x - y]
    spec = tf.TensorSpec((None,))
    call = private_api.direct_call(tf.function(function, autograph=False).get_concrete_function(spec, spec))
    for step in (1, 2):
        product, difference = call(tf.constant([3., 4.]), tf.constant([1., 1.]))
        assert product.numpy().tolist() == [3. * (1 + step), 4. * (2 + step)], lacks('a direct call gives other values')
        assert difference.numpy().tolist() == [2., 3.]
    nothing = private_api.direct_call(tf.function(lambda x: [], autograph=False).get_concrete_function(spec))
    assert nothing(tf.constant([1.])) == [], lacks('a direct call of a function without outputs returns something')


def test_a_function_may_make_plain_variables_in_each_trace():
    variable_class = private_api.untraced_variable_class()

    @tf.function(autograph=False)
    def function(x):
        with tf.variable_creator_scope(lambda following, **arguments: variable_class(**arguments)):
            variable = tf.Variable([1.])
        return x + 0. * variable
    assert [function(tf.ones(n)).shape[0] for n in (1, 2, 3)] == [1, 2, 3], lacks('a function refuses to make plain variables')


def test_a_variable_has_the_name_that_is_set():
    variable = tf.Variable([1.])
    private_api.set_name(variable, 'layer/W')
    assert variable.name == 'layer/W:0', lacks('a variable keeps the name that it was made with')


def test_handles_are_what_a_function_captures():
    first, second = tf.Variable([1.]), tf.Variable([2.])
    function = tf.function(lambda: second * first, autograph=False).get_concrete_function()
    handles = [id(private_api.handle_of(one)) for one in (second, first)]
    assert list(map(id, function.captured_inputs)) == handles, lacks('captured inputs are not the handles in the order of use')


def test_a_function_that_makes_variables_in_each_run_is_known():
    kept = []

    def function():
        kept.append(tf.Variable([1.]))
        return kept[-1] + 1.
    with pytest.raises(ValueError) as caught:
        tf.function(function, autograph=False).get_concrete_function()
    assert private_api.is_about_new_variables(caught.value), lacks(f'another text for new variables: {caught.value}')
    assert not private_api.is_about_new_variables(ValueError('another one'))


def test_what_is_gone_is_named():
    with pytest.raises(BackendError) as caught:
        private_api._found('__internal__.Nothing')
    assert str(caught.value) == (f'tensorflow: its release {tf.__version__} has no tf.__internal__.Nothing, which the plugin is made '
                                 'with. Install an older release.')


# -- and nothing else does ----------------------------------------------------------------------------------------------

def private_uses(tree):
    """Lines with a name of TensorFlow that is private, or an attribute with an underscore that the file does not define itself."""
    defined = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    own = [node for node in ast.walk(tree) if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == 'self']
    attributes = [node for node in ast.walk(tree) if isinstance(node, ast.Attribute) and node not in own]
    found = [node.lineno for node in attributes if node.attr in ('compat', 'python') or
             node.attr[0] == '_' and node.attr not in defined | {'__version__'}]
    found += [node.lineno for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and (node.module or '').startswith('tensorflow')]
    found += [node.lineno for node in ast.walk(tree) if isinstance(node, ast.Import) for one in node.names if one.name.startswith('tensorflow.')]
    return sorted(found)


def test_one_module_uses_it():
    found = {path.name: private_uses(ast.parse(path.read_text())) for path in FOLDER.glob('*.py')}
    assert len(found) > 10 and found.pop('private_api.py')
    assert {name: lines for name, lines in found.items() if lines} == {}


@pytest.mark.parametrize('line', ['tf.__internal__.FuncGraph', 'tf.compat.v1.placeholder', 'variable._handle_name = 1', 'import tensorflow.python',
                                  'from tensorflow.python import ops'])
def test_uses_are_found(line):
    assert private_uses(ast.parse(line)) == [1]
