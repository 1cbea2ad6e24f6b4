"""What a file describes is drawn without a backend, also with classes that only the program knows."""
import json
import subprocess
import sys

from pictures import read

import keraflow
from keraflow.layers import Layer

NET = {'class': 'Model', 'args': {
    'name': 'net', 'layers': {'x': {'class': 'Input', 'args': {'shape': [4]}}, 'h': {'class': 'Dense', 'args': {'output_dim': 3}},
                              'y': {'class': 'ElementWiseSum', 'args': {}}},
    'path': [[['x'], 'h', 'h_0'], [['h_0'], 'h2', 'h2_0'], [['h_0', 'h2_0'], 'y', 'y_0']], 'inputs': ['x'], 'outputs': ['y_0']}}
CODE = """
import json, sys
import keraflow
picture = keraflow.plan(json.loads(sys.argv[1])).plot()
picture.html
print(picture)
print(sorted({'theano', 'tensorflow'} & set(sys.modules)))
"""


def net(**second):
    layers = {**NET['args']['layers'], 'h2': second}
    return {'class': 'Model', 'args': {**NET['args'], 'layers': layers}}


def test_no_backend_is_imported():
    data = net(**{'class': 'Dense', 'args': {'output_dim': 3}})
    done = subprocess.run([sys.executable, '-c', CODE, json.dumps(data)], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ['<Picture of net: 4 boxes>', '[]']


def test_what_is_not_known_is_told():
    class Secret(Layer):
        def output(self, x):
            return x
    plan = keraflow.plan(net(**{'class': 'Secret', 'args': {}}), custom_objects=[Secret])
    diagram = plan.plot().diagram
    [box] = [box for box in diagram.boxes if box.name == 'h2']
    assert (box.kind, box.family, list(box.shapes), box.nb_param) == ('Secret', 'other', [None], None)
    assert diagram.nb_param is None and [box.nb_param for box in diagram.boxes if box.name == 'h'] == [15]
    assert 'parameters: not known before building' in read(plan.plot().svg)[1].text
