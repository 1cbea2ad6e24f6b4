"""``examples/serve.py`` answers over HTTP, many at a time, and refuses what is no question."""
import contextlib
import http.client
import json
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from least import environment_alone, run_alone

PROGRAM = Path(__file__).parents[2] / 'examples' / 'serve.py'
MADE = '''
import numpy as np
from keraflow.layers import Concatenate, Dense, Input
from keraflow.models import Model
x, z = Input(3, name='x'), Input(2, name='z')
h = Dense(4, activation='tanh', name='h')(x)
one = Model(x, Dense(2, activation='softmax', name='y')(h))
two = Model([x, z], [Dense(2, name='a')(Concatenate()([h, z])), Dense(1, name='b')(h)])
one.save('one.keraflow')
Model(z, Dense(1, init='one', bias=False)(z)).save('sum.keraflow')
two.save('two.keraflow')
X, Z = np.arange(6.).reshape(2, 3), np.ones((2, 2))
np.savez('expected.npz', y=one.predict(X), **dict(zip('ab', two.predict([X, Z]))))
'''
PATIENT = 'import sys; sys.path.insert(0, {0!r}); import serve; serve.SECONDS = {1}; sys.exit(serve.main())'
X, Z = [[0., 1., 2.], [3., 4., 5.]], [[1, 1], [1, 1]]


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp('models')
    done = run_alone(folder, '-c', MADE)
    assert (done.returncode, done.stderr) == (0, '')
    return folder


@contextlib.contextmanager
def serving(folder, name, seconds=None):
    """The port of a server of a model, which can import nothing but what keraflow needs, and ends at Ctrl-C."""
    program = [str(PROGRAM)] if seconds is None else ['-c', PATIENT.format(str(PROGRAM.parent), seconds)]
    server = subprocess.Popen([sys.executable, *program, name, '--port', '0'], cwd=folder, text=True, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, env=environment_alone(folder))
    try:
        line = server.stdout.readline()
        assert line.endswith(f'/ answers with predictions of {name}\n'), line + server.stderr.read()
        yield int(line.split(':')[2].split('/')[0])
    finally:
        server.send_signal(signal.SIGINT)
        rest = server.communicate(timeout=60)
    assert (server.returncode, *rest) == (0, '', '')


@pytest.fixture(scope='module')
def one(folder):
    with serving(folder, 'one.keraflow') as port:
        yield port


def ask(port, method, path, body=None, **headers):
    """The status and the content of an answer."""
    connection = http.client.HTTPConnection('127.0.0.1', port, timeout=60)
    try:
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        assert answer.headers['Content-Type'] == 'application/json'
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()


def test_it_says_what_it_takes(one):
    assert ask(one, 'GET', '/') == (200, {'inputs': {'x': {'shape': [3], 'dtype': 'float32'}}, 'outputs': ['y']})


def test_predictions_are_those_of_the_model(one, folder):
    expected = np.load(folder / 'expected.npz')['y']
    for given in (X, {'x': X}):
        status, found = ask(one, 'POST', '/predict', json.dumps(given))
        assert status == 200 and list(found) == ['y']
        np.testing.assert_array_equal(np.array(found['y'], 'float32'), expected)


def test_several_inputs_and_outputs(folder):
    expected = np.load(folder / 'expected.npz')
    with serving(folder, 'two.keraflow') as port:
        status, found = ask(port, 'POST', '/predict', json.dumps({'x': X, 'z': Z}))
    assert status == 200 and list(found) == ['a', 'b']
    for name in found:
        np.testing.assert_array_equal(np.array(found[name], 'float32'), expected[name])


def test_many_ask_at_a_time(one, folder):
    expected, found = np.load(folder / 'expected.npz')['y'].tolist(), []

    def client():
        for _ in range(20):
            found.append(ask(one, 'POST', '/predict', json.dumps(X)))
    clients = [threading.Thread(target=client) for _ in range(8)]
    for one_client in clients:
        one_client.start()
    for one_client in clients:
        one_client.join()
    assert found == [(200, {'y': expected})] * 160


def test_a_connection_serves_several_questions(one):
    connection = http.client.HTTPConnection('127.0.0.1', one, timeout=60)
    for status, body in ((200, X), (400, [[1, 2]]), (200, X)):
        connection.request('POST', '/predict', json.dumps(body))
        answer = connection.getresponse()
        answer.read()
        assert answer.status == status
    connection.close()


@pytest.mark.parametrize('method, path, body, status, text', [
    ('GET', '/models', None, 404, 'There is no /models. Get / or post to /predict.'),
    ('POST', '/', '[]', 404, 'There is no /. Get / or post to /predict.'),
    ('POST', '/predict', 'x', 400, 'The body is not JSON: '),
    ('POST', '/predict', '[' * 100000, 400, 'The body is not JSON: '),
    ('POST', '/predict', '{"z": [[1, 2, 3]]}', 400, "model1: predict: there is no 'z'. Choose one of x."),
    ('POST', '/predict', '[[1, 2]]', 400, ''), ('POST', '/predict', '[["a", "b", "c"]]', 400, ''), ('POST', '/predict', '[]', 400, ''),
    ('POST', '/predict', '[[NaN, 1, 2]]', 400, 'model1: predict: x: there is a NaN in sample 0. '),
    ('POST', '/predict', '[[1e400, 1, 2]]', 400, 'model1: predict: x: there is an infinite value in sample 0, column 0'),
    ('POST', '/predict', '[[1, 2, 3], [1, 2]]', 400, 'model1: predict: x: expected samples of one shape, received some of different '
     'shapes. '), ('POST', '/predict', '{"x": [[1, 2, [3]]]}', 400, 'model1: predict: x: expected samples of one shape'),
    ('POST', '/predict', '[' * 40 + ']' * 40, 400, 'model1: predict: x: expected samples of one shape'),
    ('POST', '/predict', 'null', 400, 'model1: predict: expected 1 array(s) (x), received 0'), ('POST', '/predict', '3', 400, 'model1: ')])
def test_what_is_refused(one, method, path, body, status, text):
    found, answer = ask(one, method, path, body)
    assert found == status and list(answer) == ['error'] and answer['error'].startswith(text), answer


def test_predictions_that_json_does_not_have(folder):
    with serving(folder, 'sum.keraflow') as port:
        assert ask(port, 'POST', '/predict', '[[3e38, 3e38]]') == (422, {'error': 'The predictions are not all finite.'})


def test_a_body_that_is_too_long_or_of_unknown_length_is_not_read(one):
    length = str(2 ** 24 + 1)
    assert ask(one, 'POST', '/predict', None, **{'Content-Length': length}) == (
        413, {'error': f'Content-Length: expected at most 16777216, received {length}.'})
    for length in ('-1', 'many', '1' * 5000, '+1'):
        assert ask(one, 'POST', '/predict', None, **{'Content-Length': length}) == (
            400, {'error': f'Content-Length: expected a number of bytes, received {length[:60]}.'})


@pytest.mark.parametrize('parts', [
    ['GET / HTTP/1.1\r\n', *['X: x\r\n'] * 60], ['POST /predict HTTP/1.1\r\nContent-Length: 60\r\n\r\n', *['['] * 60], ['G', *['E'] * 60]],
    ids=['header', 'body', 'method'])
def test_a_client_that_sends_slowly_is_left(folder, parts):
    """However little it is silent, a request has a time in all."""
    with serving(folder, 'one.keraflow', seconds=1) as port, socket.create_connection(('127.0.0.1', port), timeout=60) as connection:
        with pytest.raises(OSError):
            for part in parts:
                connection.sendall(part.encode())
                time.sleep(.1)
        assert ask(port, 'GET', '/')[0] == 200


@pytest.mark.parametrize('asked', [
    'GET / HTTP/1.1\r\nContent-Length: {}\r\n\r\n{}', 'GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n{}',
    'POST /predict HTTP/1.1\r\nContent-Length: 0\r\nContent-Length: {}\r\n\r\n{}',
    'POST /predict HTTP/1.1\r\nContent-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n{}'])
def test_a_body_is_never_taken_for_another_request(one, asked):
    hidden = 'GET /hidden HTTP/1.1\r\n\r\n'
    with socket.create_connection(('127.0.0.1', one), timeout=60) as connection:
        connection.sendall(asked.replace('{}', str(len(hidden)), asked.count('{}') - 1).replace('{}', hidden).encode())
        connection.shutdown(socket.SHUT_WR)
        answers = b''.join(iter(lambda: connection.recv(4096), b''))
    assert answers.count(b'HTTP/1.1 ') == 1 and b'hidden' not in answers
