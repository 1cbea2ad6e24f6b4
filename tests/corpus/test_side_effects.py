"""Reading a file has no side effect: it imports nothing, opens nothing else, and changes nothing of the program."""
import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from cases import BASE, changed

import keraflow
from keraflow import random
from keraflow.errors import KeraFlowError
from keraflow.graph import naming
from keraflow.layers import Dense, Layer

HERE = Path(__file__).parent
#: Of functions in Python, to plan a layer; there were 446 when each argument had a location, and each hook was asked thrice.
MOST_CALLS = 320


def test_an_audit_hook_sees_nothing_that_a_file_chose(tmp_path):
    (tmp_path / 'canary_module.py').write_text('open("fired", "w")\nclass Canary: pass\ndef fire(): pass\n')
    done = subprocess.run([sys.executable, '-B', str(HERE / 'watched.py')], cwd=tmp_path, capture_output=True, text=True, timeout=300,
                          env={**os.environ, 'PYTHONPATH': os.pathsep.join([str(HERE), str(tmp_path)])})
    assert done.returncode == 0, done.stderr[-2000:]
    found = json.loads(done.stdout.splitlines()[-1])
    assert found['seen'] == [] and found['unchanged'] and found['accepted'] == []
    assert found['refused'] > 500
    assert found['left'] == ['canary_module.py', 'right.json', 'right.yaml', 'wrong.json', 'wrong.yaml']


def named(number):
    name = f'dense{number}'
    return changed(changed(BASE, ('model', 'args', 'layers', name), {'class': 'Dense', 'args': {'output_dim': 2, 'name': name}}),
                   ('model', 'args', 'path', 7), [['y_0'], name, f'{name}_0'])


def test_files_take_no_names(tmp_path):
    naming._counts.pop('dense', None)
    accepted = changed(named(999999999), ('model', 'args', 'outputs'), ['dense999999999_0'])
    for number in range(200):
        with pytest.raises(KeraFlowError):
            keraflow.unserialize(named(number)['model'])
    assert keraflow.plan(accepted).nb_parameter is None
    keraflow.unserialize({'class': 'Dense', 'args': {'output_dim': 2, 'name': 'dense999999999'}})
    assert Dense(2).name == 'dense1'


def test_threads_that_read_keep_the_generator_of_the_program():
    keraflow.seed(3)
    before = random.generator()
    threads = [threading.Thread(target=lambda: [keraflow.plan(BASE) for _ in range(3)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    drawn = [random.generator().normal() for _ in range(50)]
    for thread in threads:
        thread.join()
    assert random.generator() is before
    assert drawn == list(np.random.default_rng(3).normal(size=50))


def test_a_plan_is_of_the_data_as_they_were():
    data = changed(BASE, ('model', 'args', 'outputs'), ['y_0'])
    plan = keraflow.plan(data)
    data['model']['args']['layers']['y'] = {'class': 'subprocess.Popen'}
    assert plan._objects._data['args']['layers']['y']['class'] == 'Dense'


def test_data_that_contain_themselves_are_refused():
    data = []
    data.append(data)
    first = {'class_name': 'Model', 'module_name': 'keraflow.models', 'params': {}}
    deep = {'class_name': 'Dense', 'module_name': 'keraflow.layers.core', 'params': {}}
    at = deep
    for _ in range(5000):
        at['params']['x'] = {'class_name': 'Dense', 'module_name': 'keraflow.layers.core', 'params': {}}
        at = at['params']['x']
    first['params']['layers'] = data
    for hostile in (data, first, deep, {'class': 'Dense', 'args': {'output_dim': data}}):
        with pytest.raises(KeraFlowError) as caught:
            keraflow.unserialize(hostile)
        assert 'nested deeper than' in str(caught.value)


def test_the_budget_counts_unrolled_steps_and_layers():
    unrolled = changed(changed(BASE, ('model', 'args', 'layers', 'steps', 'args', 'unroll'), True), ('model', 'args', 'layers', 'x', 'args', 'shape'), [10 ** 6, 3])
    with pytest.raises(KeraFlowError) as caught:
        keraflow.plan(unrolled)
    assert str(caught.value) == (
        'data: steps: the model would have 1,000,000 unrolled steps or more, the limit is 10,000. If you trust it, load it with limits=keraflow.Limits(max_unrolled=...).')
    many = {'class': 'Maxout', 'args': {'output_dim': 1, 'nb_feature': 10 ** 6}}
    with pytest.raises(KeraFlowError, match='y: the model would have 1,000,000 unrolled steps or more'):
        keraflow.unserialize({'class': 'Sequential', 'args': {'layers': [{'class': 'Input', 'args': {'shape': 1}}, {**many, 'args': {**many['args'], 'name': 'y'}}]}})
    with pytest.raises(KeraFlowError, match='17 objects and calls or more, the limit is 16'):
        keraflow.plan(BASE, limits=keraflow.Limits(max_objects=16))
    assert keraflow.plan(BASE, limits=keraflow.Limits(max_objects=17))


def test_the_size_of_the_weights_bounds_the_parameters(tmp_path):
    weights = tmp_path / 'w.safetensors'
    known = 4 * (3 * 4 + 4 * 4 + 4) + 2 * (20 * 3 + 3)
    for size in (known - 1, known):
        weights.write_bytes(bytes(size))
        if size < known:
            with pytest.raises(KeraFlowError, match=f'its weights file has only {size} bytes'):
                keraflow.plan(BASE, weights)
    assert f'{known:,} at least' in str(keraflow.plan(BASE, weights))


class Unknown(Layer):
    def output(self, x):
        return x


def test_the_budget_counts_what_is_known_of_a_layer_that_holds_an_unknown_one():
    inner = {'class': 'Sequential', 'args': {'layers': [{'class': 'Dense', 'args': {'output_dim': 10 ** 8}}, {'class': 'Unknown', 'args': {}}], 'name': 'inner'}}
    data = {'class': 'Sequential', 'args': {'layers': [{'class': 'Input', 'args': {'shape': 9}}, inner]}}
    with pytest.raises(KeraFlowError, match='inner: the model would have 1,000,000,000 parameters or more, the limit is 50,000,000'):
        keraflow.plan(data, custom_objects=[Unknown])


def test_planning_another_layer_takes_few_calls():
    def calls(nb_layer):
        layers = [{'class': 'Dense', 'args': {'output_dim': 3, 'init': 'glorot_uniform', 'activation': 'relu', 'name': f'd{number}'}} for number in range(nb_layer)]
        data = {'format': 'keraflow', 'version': 1, 'model': {'class': 'Sequential', 'args': {'layers': [{'class': 'Input', 'args': {'shape': 3}}, *layers]}}}
        keraflow.plan(data)     # what is made once is not counted
        counted = []
        sys.setprofile(lambda frame, event, argument: counted.append(event) if event == 'call' else None)
        try:
            keraflow.plan(data)
        finally:
            sys.setprofile(None)
        return len(counted)
    assert calls(40) - calls(20) < 20 * MOST_CALLS
