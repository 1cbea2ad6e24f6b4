"""What is special to the plugin for Theano: settings, repairs of Theano, random state, deep graphs."""
import os
import stat
import subprocess
import sys
import warnings

import numpy as np
import pytest

from keraflow import backend as B
from keraflow.backend import TensorSpec
from keraflow.errors import ArgumentError, BackendError, ShapeError

CONFIGURE = 'from keraflow_backends.theano_backend.configure import theano, T\n'


def run(code, home, strict=True, **environment):
    """The lines that a program prints, and what it writes to standard error."""
    known = {name: value for name, value in os.environ.items() if not name.startswith('THEANO')}
    known.update(HOME=str(home), PYTHONPATH=os.pathsep.join(filter(None, sys.path)))
    known.update(environment)
    flags = ['-W', 'error'] if strict else []
    done = subprocess.run([sys.executable, *flags, '-c', code], env=known, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines(), done.stderr


# -- settings -------------------------------------------------------------------------------------------------------

SETTINGS = CONFIGURE + '''
import os
from keraflow_backends.theano_backend.own_mode import own_mode
c, mode = theano.config, own_mode()
print(c.floatX, c.allow_gc, c.optimizer_excluding, os.environ.get('THEANORC'))
print(mode.linker.allow_gc, *sorted(mode.provided_optimizer.exclude))
'''
SLOW = 'local_dot22_to_dot22scalar local_subtensor_inc_subtensor'


def test_settings(tmp_path):
    lines, errors = run(SETTINGS, tmp_path, TMPDIR=str(tmp_path))
    assert lines == ['float32 True  None', f'False {SLOW}']
    assert errors == ''
    assert not list(tmp_path.glob('*.theanorc'))


def test_settings_of_the_user_win(tmp_path):
    (tmp_path / '.theanorc').write_text('[global]\nallow_gc = True\noptimizer_excluding = fusion\n')
    lines, _ = run(SETTINGS, tmp_path)
    assert lines == ['float32 True fusion None', 'True fusion']
    lines, _ = run(SETTINGS, tmp_path, THEANO_FLAGS='optimizer_excluding=merge')
    assert lines == ['float32 True merge None', 'True merge']


def test_flags_of_the_user_stand_beside_those_that_the_blas_needs(tmp_path):
    code = CONFIGURE + 'from keraflow_backends.theano_backend import blas\nprint(theano.config.gcc__cxxflags)\nprint(blas.find_blas("g++")[1])'
    (own, needed), _ = run(code, tmp_path, THEANO_FLAGS='gcc__cxxflags=-DOWN=1')
    assert own == f'-DOWN=1 {needed}'.strip()
    (tmp_path / '.theanorc').write_text('[gcc]\ncxxflags = -DOWN=2\n')
    (own, _), _ = run(code, tmp_path)
    assert own == f'-DOWN=2 {needed}'.strip()
    (own, _), _ = run(code, tmp_path, THEANO_FLAGS='blas__ldflags=-lm')
    assert own == '-DOWN=2'


def test_settings_file_of_the_user_is_read_and_its_variable_kept(tmp_path):
    path = tmp_path / 'settings'
    path.write_text('[global]\nallow_gc = True\n')
    lines, _ = run(SETTINGS, tmp_path, THEANORC=str(path), THEANO_FLAGS='optimizer_excluding=merge')
    assert lines == [f'float32 True merge {path}', 'True merge']


def test_settings_of_a_program_that_imported_theano_are_left(tmp_path):
    lines, _ = run('import theano\n' + SETTINGS, tmp_path, strict=False, THEANO_FLAGS='blas__ldflags=')
    assert lines == ['float64 True  None', f'False {SLOW}']


USED = '''
import theano, json
def settings():
    return {name: str(getattr(theano.config, name)) for name in theano.config._config_var_dict}
before = settings()
from keraflow import backend as B
from keraflow.layers import LSTM, Dense, Input
from keraflow.models import Sequential
import numpy as np
B.use('theano')
model = Sequential([Input((3, 1)), LSTM(2), Dense(1)])
model.compile('sgd', 'mse')
model.fit(np.zeros((2, 3, 1)), np.zeros((2, 1)), nb_epoch=1, verbose=0)
B.eval(B.ones((2,)))
after = settings()
print({name: after[name] for name in after if after[name] != before[name]})
print(theano.compile.mode.instantiated_default_mode)
'''


def test_settings_of_a_program_are_what_they_were_after_a_model_was_trained_but_for_floatx(tmp_path):
    lines, _ = run(USED, tmp_path, strict=False, THEANO_FLAGS='blas__ldflags=,mode=FAST_COMPILE,cxx=')
    assert lines == ["{'floatX': 'float32'}", 'None']


def test_no_compiler(tmp_path):
    lines, errors = run('''
import warnings
with warnings.catch_warnings(record=True) as found:
    warnings.simplefilter('always')
    from keraflow_backends.theano_backend import TheanoBackend
    B = TheanoBackend()
    x = B.placeholder((None, 2))
    print(B.function([x], [B.softmax(B.dot(x, x))])([[1, 2], [3, 4]])[0].shape)
for warning in found:
    print(warning.category.__name__, str(warning.message)[:36])
''', tmp_path, PATH=str(tmp_path))
    assert lines == ['(2, 2)', 'RuntimeWarning keraflow: no C++ compiler was found,']
    assert errors == ''


def test_no_compiler_by_the_wish_of_the_user(tmp_path):
    lines, errors = run(CONFIGURE + 'print(repr(theano.config.cxx))', tmp_path, THEANO_FLAGS='cxx=')
    assert lines == ["''"] and errors == ''


DIRECTORY = CONFIGURE + 'print(theano.config.base_compiledir)'


def test_home_that_cannot_be_written(tmp_path):
    lines, errors = run(DIRECTORY, '/dev/null', TMPDIR=str(tmp_path))
    (folder,) = [path for path in tmp_path.iterdir() if path.is_dir()]
    assert lines == [str(folder)] and errors == ''
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_home_that_cannot_be_written_and_a_folder_that_others_can_write(tmp_path):
    planted = tmp_path / f'keraflow-theano-{os.getuid()}'
    planted.mkdir()
    planted.chmod(0o777)
    lines, _ = run(DIRECTORY, '/dev/null', TMPDIR=str(tmp_path))
    assert lines[0].startswith(str(tmp_path)) and lines[0] != str(planted)


# -- repairs --------------------------------------------------------------------------------------------------------

SCAN = CONFIGURE + '''
import numpy as np
from keraflow_backends.theano_backend.repairs import load_linker
from keraflow_backends.theano_backend.scan import build_scan_extension
load_linker()
print(build_scan_extension(), build_scan_extension())
x, v = T.fmatrix(), T.fvector()
sums, _ = theano.scan(lambda row, total: row + total, sequences=x, outputs_info=T.zeros_like(x[0]))
print(theano.function([x], sums, mode='FAST_COMPILE')(np.ones((2, 2), 'float32')).tolist())
# Ops of the two kinds that no other process found: with C code in a file, and without properties.
print(theano.function([v], T.alloc(v.dimshuffle(0, 'x'), 2, 2))(np.ones(2, 'float32')).tolist())
print(theano.link.c.cmodule.get_module_cache(theano.config.compiledir).stats[2])
'''


def test_scan_extension_and_compiled_modules_serve_the_next_process(tmp_path):
    first, errors = run(SCAN, tmp_path)
    assert first[:3] == ['True True', '[[1.0, 1.0], [2.0, 2.0]]', '[[1.0, 1.0], [1.0, 1.0]]'] and int(first[3]) > 0
    second, more_errors = run(SCAN, tmp_path)
    assert second == first[:3] + ['0']      # nothing was compiled
    assert errors == more_errors == ''


BATCHES = CONFIGURE + '''
import numpy as np
from keraflow_backends.theano_backend.repairs import repair
repair()
x, y = T.ftensor3(), T.ftensor3()
print(theano.function([x, y], T.batched_dot(x, y))(np.ones((2, 1, 3), 'float32'), np.ones((2, 3, 1), 'float32')).tolist())
'''


def test_products_of_batches_without_blas(tmp_path):
    lines, _ = run(BATCHES, tmp_path, THEANO_FLAGS='blas__ldflags=')
    assert lines == ['[[[3.0]], [[3.0]]]']


def test_scan_extension_falls_back_to_python(monkeypatch):
    from keraflow_backends.theano_backend import scan
    if not scan.theano.config.cxx:
        pytest.skip('needs a compiler')
    monkeypatch.delitem(sys.modules, scan.EXTENSION, raising=False)
    monkeypatch.setattr(scan, '_build', lambda: 1 / 0)
    with pytest.warns(RuntimeWarning, match='each step through Python .ZeroDivisionError: division by zero') as found:
        assert not scan.build_scan_extension()
        assert not scan.build_scan_extension()
    assert len(found) == 1
    assert sys.modules[scan.EXTENSION] is None
    monkeypatch.delitem(sys.modules, scan.EXTENSION)


def test_constants_are_known_where_warnings_are_errors():
    from keraflow_backends.theano_backend.configure import T
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        assert T.get_scalar_constant_value(T.constant(3) + 1) == 4
        assert B.eval(B.mod(np.array([-3, 3]), 2)).tolist() == [1, 1]


def test_pattern_of_the_result_of_a_function_of_one_tensor():
    from keraflow_backends.theano_backend.configure import T
    x = T.patternbroadcast(T.tanh(B.placeholder((None, 3))), (True, False))
    assert x.broadcastable == (True, False)


def test_new_axis_keeps_the_axes_that_an_index_leaves_out():
    x = B.constant(np.arange(24.).reshape(2, 3, 4))
    assert B.eval(x[:, None]).shape == (2, 1, 3, 4)
    assert B.eval(x[:, 1:, None]).shape == (2, 2, 1, 4)
    assert B.eval(x[None]).shape == (1, 2, 3, 4)


# -- random state ---------------------------------------------------------------------------------------------------

def noisy(x):
    return [B.dropout(x, 0.5), B.random_normal((3,)), B.random_normal((3,))], []


SPEC = [TensorSpec((None, 4), 'float32')]
ONES = np.ones((8, 4), 'float32')


def draws(*functions):
    B.seed(7)
    return [np.asarray(array) for function in functions for array in function(ONES)]


def test_a_seed_reproduces_compiled_functions():
    one, two = B.compile(noisy, SPEC), B.compile(noisy, SPEC)
    first, second = draws(one, two, one), draws(one, two, one)
    assert all(np.array_equal(x, y) for x, y in zip(first, second))


def test_draws_do_not_depend_on_what_was_made_before():
    first = draws(B.compile(noisy, SPEC))
    B.random_uniform((5,))
    second = draws(B.compile(noisy, SPEC))
    assert all(np.array_equal(x, y) for x, y in zip(first, second))


def test_each_draw_and_each_call_has_its_own_numbers():
    arrays = draws(*[B.compile(noisy, SPEC)] * 3)
    assert len({array.tobytes() for array in arrays}) == 9


def test_one_draw_has_one_value_in_a_function():
    draw = B.random_normal((3,))
    one, two = B.function([], [draw, B.add(draw, 0)])()
    assert np.array_equal(one, two)


def test_eval_draws_anew():
    draw = B.random_uniform((3,))
    assert not np.array_equal(B.eval(draw), B.eval(draw))


def test_the_mask_of_a_gradient_is_that_of_the_value():
    x = B.placeholder((None, 4))
    y = B.dropout(x, 0.5)
    value, gradient = B.function([x], [y, B.gradients(B.sum(y), [x])[0]])(ONES)
    assert np.array_equal(value, gradient) and set(np.unique(value)) == {0, 2}


# -- functions ------------------------------------------------------------------------------------------------------

def test_compile_builds_at_the_first_call_and_once():
    built = []
    function = B.compile(lambda x: (built.append(x) or [B.sum(x)], []), SPEC)
    assert not built
    assert function(ONES)[0] == function(ONES)[0] == 32
    assert len(built) == 1


def test_outputs_are_those_before_the_updates_and_stay():
    variable = B.variable(np.zeros(2))
    function = B.function([], [variable], [(variable, B.add(variable, 1))])
    first = function()[0]
    assert first.tolist() == [0, 0] and function()[0].tolist() == [1, 1] and first.tolist() == [0, 0]


def test_updates_are_cast_to_the_type_of_the_variable():
    row, count = B.variable(np.ones((1, 3))), B.variable(np.array([1, 2]))
    x = B.placeholder((None, 3), 'float64')
    B.function([x], [], [(row, x), (count, B.multiply(count, 1.5))])([[4, 5, 6]])
    assert B.get_value(row).tolist() == [[4, 5, 6]] and B.get_value(row).dtype == 'float32'
    assert B.get_value(count).tolist() == [1, 3] and B.get_value(count).dtype == 'int64'


def test_deep_graphs():
    limit = sys.getrecursionlimit()
    x = B.placeholder((None,))
    y = x
    for _ in range(700):
        y = B.tanh(y)
    # Without optimization: it takes most of the time, and does not recurse.
    import theano
    with theano.config.change_flags(optimizer='None', mode='Mode', linker='py'):
        value, gradient = B.function([x], [y, B.gradients(B.sum(y), [x])[0]])([1e-3])
    assert value.item() == pytest.approx(1e-3, rel=1e-2) and 0.9 < gradient.item() < 1
    assert sys.getrecursionlimit() == limit


def test_equal_largest_values_share_the_gradient():
    x = B.placeholder((None,))
    outputs = B.gradients(B.max(x), [x]) + B.gradients(B.min(B.negative(x)), [x])
    largest, smallest = B.function([x], outputs)([1, 3, 3, 2])
    assert largest.tolist() == [0, 0.5, 0.5, 0] and smallest.tolist() == [0, -0.5, -0.5, 0]


def test_numbers_beside_float64_are_exact():
    x = B.placeholder((None,), 'float64')
    assert B.function([x], [B.multiply(x, 0.1)])([1.])[0].item() == 0.1


def test_floatx_is_that_of_theano():
    import theano
    x = B.placeholder((2,))
    B.set_floatx('float64')
    assert theano.config.floatX == 'float64' and B.dtype(B.zeros((2,))) == 'float64'
    assert B.dtype(B.multiply(x, 0.1)) == 'float32'
    B.set_floatx('float32')
    assert B.dtype(x * 0.1) == 'float32'


# -- errors ---------------------------------------------------------------------------------------------------------

def test_texts_of_errors():
    x = B.placeholder((None, 3))
    variable = B.variable(np.zeros(2), name='w')
    function = B.function([x], [x])
    mistakes = [
        (lambda: B.eval(x), BackendError,
         'eval: the tensor depends on a placeholder. Use function(), which feeds it.'),
        (lambda: function(), ArgumentError, 'function: expected 1 array(s), received 0.'),
        (lambda: function(np.ones(3)), ShapeError, 'function: expected an array of shape (None, 3), received (3,).'),
        (lambda: B.set_value(variable, np.ones(3)), ShapeError,
         'set_value: expected an array of shape (2,), received (3,).'),
        (lambda: B.compile(lambda: ([], [(variable, 1.)]), [])(), ShapeError,
         "updates: expected a new value with 1 axes for variable 'w', received one with 0."),
    ]
    for mistake, kind, text in mistakes:
        with pytest.raises(kind) as error:
            mistake()
        assert str(error.value) == text
