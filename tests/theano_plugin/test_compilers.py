"""C code is compiled by several compilers at a time, and enters Theano's cache as if by one."""
import os
import pty
import shutil
import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(not shutil.which('g++'), reason='needs a compiler')

FUNCTION = '''
import sys
import numpy as np
from keraflow_backends.theano_backend import TheanoBackend
from keraflow_backends.theano_backend.configure import T, theano
x = T.fvector()
values = [T.exp(x), T.tanh(x), T.sqr(x), x.sum(), x.max(), x + 1, T.concatenate([x, x])]
'''
RUN = '''
run = theano.function([x], values)
print([np.round(np.asarray(value, float), 3).tolist() for value in run(np.array([0, 2], 'float32'))])
print(theano.link.c.cmodule.get_module_cache(theano.config.compiledir).stats[2])
'''
RESULTS = '[[1.0, 7.389], [0.0, 0.964], [0.0, 4.0], 2.0, 2.0, [1.0, 3.0], [0.0, 2.0, 0.0, 2.0]]'


def start(code, folder, flags='', stderr=subprocess.PIPE):
    """A new process, and Theano in it, with its own folder of compiled modules."""
    known = {name: value for name, value in os.environ.items() if not name.startswith('THEANO')}
    known.update(PYTHONPATH=os.pathsep.join(filter(None, sys.path)), THEANO_FLAGS=f'base_compiledir={folder}{flags}')
    return subprocess.Popen([sys.executable, '-c', code], env=known, stdout=subprocess.PIPE, stderr=stderr, text=True)


def end(process):
    """What it printed, and wrote to standard error."""
    out, errors = process.communicate()
    assert process.returncode == 0, errors
    return out.splitlines(), errors


def compiled_in(folder):
    """The folders of modules, and the others that could hold one."""
    inside = list(folder.glob('compiledir_*/tmp*'))
    modules = [one for one in inside if (one / 'key.pkl').exists()]
    return modules, set(inside) - set(modules)


def test_two_processes_compile_each_module_once(tmp_path):
    both = [start(FUNCTION + RUN, tmp_path) for _ in range(2)]
    (one, nothing), (other, nothing_else) = map(end, both)
    assert one[0] == other[0] == RESULTS and nothing == nothing_else == ''
    modules, others = compiled_in(tmp_path)
    assert int(one[1]) + int(other[1]) == len(modules) == 7 and not others
    assert end(start(FUNCTION + RUN, tmp_path)) == ([RESULTS, '0'], '')


def test_headers_are_read_once(tmp_path):
    lines, _ = end(start(FUNCTION + RUN, tmp_path, ',gcc__cxxflags=-H,cmodule__compilation_warning=True'))
    # GCC writes this for a file of compiled headers that it takes, and another mark if it does not suit.
    assert sum(line.startswith('! ') and line.endswith('headers.h.gch') for line in lines) >= 3
    assert not any(line.startswith('x ') for line in lines)


BROKEN = FUNCTION + '''
from keraflow_backends.theano_backend import compilers
if BY_HEADERS:
    compilers._Headers.flags_for = lambda headers, code: ['-include', 'no-such-file.h']
else:
    class Broken(theano.graph.op.COp):
        __props__ = ()
        def make_node(self, x): return theano.graph.basic.Apply(self, [x], [x.type()])
        def perform(self, node, inputs, outputs): outputs[0][0] = inputs[0]
        def c_code(self, node, name, inputs, outputs, sub): return 'no C code;'
        def c_code_cache_version(self): return (1,)
    try:
        theano.function([x], [*values, Broken()(x)])
    except Exception as error:
        print('Compilation failed' in str(error.args))
'''


@pytest.mark.parametrize('by_headers', [False, True])
def test_what_fails_is_left_to_theano(tmp_path, by_headers):
    lines, _ = end(start(f'BY_HEADERS = {by_headers}\n{BROKEN}{RUN}', tmp_path))
    assert lines[-2:] == [RESULTS, '7'] and ('True' in lines) is not by_headers
    assert len(compiled_in(tmp_path)[0]) == 7 and not compiled_in(tmp_path)[1]


@pytest.mark.parametrize('patience', [0., 1000.])
def test_a_line_on_a_terminal_for_those_who_wait(tmp_path, patience):
    own, of_process = pty.openpty()
    slow = FUNCTION + f'from keraflow_backends.theano_backend import compilers\ncompilers._PATIENCE = {patience}\n'
    process = start(slow + RUN, tmp_path, stderr=of_process)
    os.close(of_process)
    assert process.communicate()[0].splitlines()[0] == RESULTS
    try:
        shown = os.read(own, 10000).decode()
    except OSError:         # nothing was written, and the other end is closed
        shown = ''
    os.close(own)
    (folder,) = tmp_path.glob('compiledir_*')
    assert shown.replace('\r\n', '\n') == (
        '' if patience else f'compiling for Theano, once: 7 modules of C code, kept in {folder}\n')
