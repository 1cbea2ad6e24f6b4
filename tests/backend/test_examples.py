"""The examples run: each with small settings in this process, the first one as a whole as a user runs it.

Every file of ``examples/`` but the one that serves (see ``tests/alone``) has a row here: the arguments of its ``main`` that
make it short, and what it prints with the numbers that are in order. Those of large data sets get small files, made on the
spot in the layout of the real ones.
"""
import importlib.util
import io
import os
import pickle
import re
import subprocess
import sys
import tarfile
from pathlib import Path

import numpy as np
import pytest

from keraflow import backend as B
from keraflow.datasets import mnist

EXAMPLES = Path(__file__).parent.parent.parent / 'examples'
FILES = {path.stem: path for path in sorted(EXAMPLES.glob('*.py')) if not path.stem.startswith('_') and path.stem != 'serve'}
SMALL_DIFFERENCE = (r'Largest difference between the predictions on \w+ and there: ', 0., 1e-5)
STRESS = [('Always the first syllable: ', 0.68, 0.72), ('a linear classifier on groups of letters: ', 0.82, 0.86),
          (r'Test accuracy on \w+: ', 0.6, 1.)]
#: By example: arguments, and (the text before a number, its smallest and largest value) for numbers that it prints.
ROWS = {
    'cifar10_cnn': (['--nb-epoch', '1', '--alone', '--path', '{files}/cifar.tar.gz'], [(r'Test accuracy on \w+: ', 0., 1.)]),
    'digits_cnn': (['--nb-epoch', '2', '--alone'], [(r'Test accuracy on \w+: ', 0.85, 1.)]),
    'digits_functions': (['--nb-epoch', '2'], [(r'Test accuracy on \w+: ', 0.8, 1.), SMALL_DIFFERENCE]),
    'digits_gan': (['--nb-epoch', '2'], [(r'Digits drawn on \w+: ', 1, 10), ('1,000 drawings: 0: ', 0., 1.), SMALL_DIFFERENCE]),
    'digits_hierarchical_rnn': (['--nb-epoch', '2', '--alone'], [(r'Test accuracy on \w+: ', 0.2, 1.)]),
    'digits_mlp': (['--nb-epoch', '4', '--alone'], [(r'Test accuracy on \w+: ', 0.85, 1.)]),
    'digits_siamese': (['--nb-epoch', '1'], [(r'Pairs told right on \w+: ', 0.7, 1.), ('five nearest codes: ', 0.8, 1.), SMALL_DIFFERENCE]),
    'digits_vae': (['--nb-epoch', '1'], [(r'loss\(drawing\) ', 400., 800.), ('code/loss ', 1., 100.), (r'on \w+: drawing ', 300., 700.),
                                         SMALL_DIFFERENCE]),
    'imdb_lstm': (['--nb-epoch', '1', '--alone', '--path', '{files}/imdb.npz'],
                  [(r'Test accuracy on \w+: ', 0., 1.), ('area under the ROC curve: ', 0., 1.)]),
    'mnist_cnn': (['--nb-epoch', '1', '--alone', '--path', '{files}/mnist.npz'], [(r'Test accuracy on \w+: ', 0., 1.)]),
    'residual_net': (['--nb-epoch', '1', '--alone'], [(r'Test accuracy on \w+: ', 0.3, 1.)]),
    'names_lstm': (['--nb-epoch', '1', '--alone'], STRESS),
    'sunspots_rnn': (['--nb-epoch', '10', '--alone'], [('same as last year: ', 30.4, 30.4), ('linear autoregression: ', 17.4, 17.6),
                                                       (r'GRU on \w+: ', 10., 30.)]),
    'transformer_text': (['--nb-epoch', '1', '--alone'], STRESS),
}
#: Those about composing, which run on each backend; Theano would compile the others for minutes.
ON_EACH_BACKEND = ('digits_functions', 'digits_gan', 'digits_siamese', 'digits_vae')


@pytest.fixture(scope='module')
def files(tmp_path_factory):
    """A folder with a few samples of each large data set."""
    folder, rng = tmp_path_factory.mktemp('files'), np.random.default_rng(0)
    digits, labels = rng.integers(0, 256, (24, 28, 28)).astype('uint8'), np.arange(24) % 10
    np.savez(folder / 'mnist.npz', x_train=digits[:16], y_train=labels[:16], x_test=digits[16:], y_test=labels[16:])
    reviews = np.empty(12, object)
    reviews[:] = [rng.integers(1, 200, length).tolist() for length in range(5, 125, 10)]
    np.savez(folder / 'imdb.npz', x_train=reviews[:8], y_train=labels[:8] % 2, x_test=reviews[8:], y_test=labels[8:12] % 2)
    with tarfile.open(folder / 'cifar.tar.gz', 'w:gz') as archive:
        for name in (*(f'data_batch_{number}' for number in range(1, 6)), 'test_batch'):
            photographs = rng.integers(0, 256, (4, 3072)).astype('uint8')
            content = pickle.dumps({b'data': photographs, b'labels': [0, 3, 6, 9]}, 2)
            member = tarfile.TarInfo(f'cifar-10-batches-py/{name}')
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return folder


def numbers_after(text, printed):
    return [float(number) for number in re.findall(text + r'([-+\d.einfa]+)', printed)]


def check(rows, printed):
    for text, least, most in rows:
        found = numbers_after(text, printed)
        assert found, f'{text!r} is not followed by a number in:\n{printed}'
        assert all(least <= number <= most for number in found), f'{text}{found}: expected {least} to {most}'


def test_every_example_has_a_row():
    assert set(FILES) == set(ROWS)


@pytest.fixture
def example(monkeypatch, capsys):
    """A function from the name of an example to its module. Importing it runs nothing."""
    monkeypatch.syspath_prepend(str(EXAMPLES))

    def load(name):
        spec = importlib.util.spec_from_file_location(f'example_{name}', FILES[name])
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        assert capsys.readouterr().out == ''
        return module
    return load


@pytest.mark.filterwarnings('ignore:.*auc. it may be off')        # the small files have few words
@pytest.mark.parametrize('name', sorted(FILES))
def test_example(name, backend_name, example, files, tmp_path, monkeypatch, capsys):
    if backend_name == 'theano' and name not in ON_EACH_BACKEND:
        pytest.skip('compiles for minutes')
    arguments, rows = ROWS[name]
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(B, 'available', lambda: sorted({backend_name, 'numpy'}))     # which load what it saved
    example(name).main([argument.format(files=files) for argument in arguments])
    check(rows, capsys.readouterr().out)
    assert list(tmp_path.iterdir()) == []


WHAT_TO_RUN = '\nRun it with --path FILE, where FILE is a mnist.npz that you have.\n'


def test_data_that_cannot_be_downloaded(example, tmp_path, monkeypatch, capsys):
    url = (tmp_path / 'mnist.npz').as_uri()
    monkeypatch.setenv('KERAFLOW_HOME', str(tmp_path / 'home'))
    monkeypatch.setattr(mnist, 'SOURCE', mnist.SOURCE._replace(url=url))
    assert example('mnist_cnn').main([]) == 1
    printed = capsys.readouterr().out
    assert printed.startswith(f'The data are not there. {url}: ')
    assert printed.endswith('Call again, or download it yourself and pass its path.' + WHAT_TO_RUN)


def test_data_that_are_not_at_the_path(example, tmp_path, capsys):
    path = str(tmp_path / 'mnist.npz')
    assert example('mnist_cnn').main(['--path', path]) == 1
    assert capsys.readouterr().out == f'The data are not there. [Errno 2] No such file or directory: {path!r}' + WHAT_TO_RUN


def test_the_first_example_as_a_user_runs_it(backend_name, tmp_path):
    done = subprocess.run([sys.executable, str(FILES['digits_mlp'])], capture_output=True, text=True, cwd=tmp_path,
                          env={**os.environ, 'KERAFLOW_BACKEND': backend_name})
    assert (done.returncode, done.stdout.count('in another process, on ')) == (0, len(B.available())), done.stdout + done.stderr
    check([(r'Test accuracy on \w+: ', 0.95, 1.), SMALL_DIFFERENCE], done.stdout)
    assert list(tmp_path.iterdir()) == []
