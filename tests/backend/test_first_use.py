"""A program of its own: what the environment asks for is used, and said once, in a line of the log."""
import json
import os
import subprocess
import sys

PROGRAM = '''
import json, logging, sys
logging.basicConfig(level=logging.INFO, format='%(name)s: %(message)s')
from keraflow import Sequential, backend as B
from keraflow.layers import Dense, Input
model = Sequential([Input(3), Dense(2)])
model.compile('adam', 'mse')
model.fit([[1, 2, 3]], [[4, 5]], nb_epoch=2, verbose=0)
dtypes = {str(array.dtype) for array in [*model.get_weights().values(), model.predict([[1, 2, 3]])]}
print(json.dumps([B.name(), B.floatx(), sorted(dtypes)]))
'''


def test_what_the_environment_asks_for_is_used_and_said_once(backend_name, tmp_path):
    done = subprocess.run([sys.executable, '-c', PROGRAM], capture_output=True, text=True, cwd=tmp_path, env={
        **os.environ, 'KERAFLOW_BACKEND': backend_name, 'KERAFLOW_FLOATX': 'float64'})
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == [backend_name, 'float64', ['float64']]
    said, = [line for line in done.stderr.splitlines() if line.startswith('keraflow: Using')]
    assert said.startswith(f'keraflow: Using the {backend_name} backend (version ')
    assert said.endswith('), asked for by the environment variable KERAFLOW_BACKEND.')
    assert list(tmp_path.iterdir()) == []
