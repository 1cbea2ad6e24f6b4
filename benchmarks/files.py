"""Measure files: what a layer of a large model costs in them, and what reading and writing cost beside the least.

- The text of an architecture, its plan and the container of its weights, for 1,000 and for 10,000 ``Dense`` layers and
  as many tensors. The last column divides the cost of one in the long file by that in the short one. Hostile texts,
  which are refused, are measured, too.
- 100 MiB of weights: loading beside reading and hashing them, saving beside a plain write with ``fsync``; and the plan
  of 100 layers beside ``json.loads`` of the file. They take turns. A save hashes, too: where the disk is faster than
  SHA-256, as the last column shows, that is the least it takes.
"""
import hashlib
import json
import os
import statistics
import tempfile
import time

import numpy as np

import keraflow
from keraflow.errors import ModelFileError
from keraflow.files.atomic import write_file
from keraflow.files.plaindata import dump_json, dump_yaml, parse_json, parse_yaml
from keraflow.files.tensor_writer import pack_tensors
from keraflow.files.tensors import dump_tensors, parse_tensors, read_tensors

GOAL = 1.5
NB_ROUND = 5


def architecture(nb_layer):
    """Return the plain data of the file of a chain of layers."""
    layers = [{'class': 'Dense', 'args': {'output_dim': 64, 'init': 'glorot_uniform', 'activation': 'relu', 'bias': True,
                                          'name': f'dense{number}'}} for number in range(nb_layer)]
    first = {'class': 'Input', 'args': {'shape': 64, 'batch_size': None, 'mask_value': None, 'name': 'x'}}
    return {'format': 'keraflow', 'version': 1, 'model': {'class': 'Sequential', 'args': {'layers': [first, *layers]}}}


def weights(nb_tensor):
    """Return as many small tensors by name."""
    return {f'dense{number}/0/W': np.zeros(2, 'float32') for number in range(nb_tensor)}


def refused(text):
    """Parse a text that must be refused."""
    try:
        parse_json(text)
    except ModelFileError:
        return
    raise AssertionError(f'not refused: {text[:20]}')


def best(function, argument):
    """Return the shortest time of several rounds, in seconds."""
    times = []
    for _ in range(NB_ROUND):
        start = time.perf_counter()
        function(argument)
        times.append(time.perf_counter() - start)
    return min(times)


def take_turns(functions, nb_round=9):
    """Return the middle time of each function, and the middle of its ratios to the first one."""
    times = [[] for _ in functions]
    for _ in range(nb_round):
        for function, own in zip(functions, times):
            start = time.perf_counter()
            function()
            own.append(time.perf_counter() - start)
    return [(statistics.median(own), statistics.median(map(float.__truediv__, own, times[0]))) for own in times]


def beside_the_least(folder):
    """Measure what must be done beside the least that could be."""
    path, plain, text = (os.path.join(folder, name) for name in ('w.safetensors', 'plain', 'm.json'))
    arrays = {f'dense{number}/W': np.random.default_rng(number).random((1024, 1024), 'float32') for number in range(25)}
    content = dump_tensors(arrays)
    with open(text, 'w', encoding='utf-8') as file:
        file.write(dump_json(architecture(100)))

    def read_and_hash():
        with open(path, 'rb') as file:
            hashlib.sha256(file.read())

    def write():
        with open(plain, 'wb') as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())

    def load_json():
        with open(text, encoding='utf-8') as file:
            json.load(file)

    save = lambda: write_file(path, pack_tensors(arrays), overwrite=True)   # noqa: E731
    for name, goal, functions in (
            ('save 100 MiB', 1.5, [write, save, lambda: hashlib.sha256(content)]),
            ('load 100 MiB', 1.2, [read_and_hash, lambda: read_tensors(path)]),
            ('plan 100 layers', 10, [load_json, lambda: keraflow.plan(text)])):
        functions[1]()                                          # what is made once is not measured
        (least, _), (own, ratio), *others = take_turns(functions)
        alone = f', SHA-256 alone {1000 * others[0][0]:.2f} ms' if others else ''
        print(f'{name:16} {1000 * own:9.2f} ms, the least {1000 * least:9.2f} ms: {ratio:6.2f} times, goal at most '
              f'{goal}{alone}')


def main():
    """Measure and print."""
    with tempfile.TemporaryDirectory(dir='.') as folder:        # on a disk: /tmp may be in memory
        beside_the_least(folder)
    stages = {
        'write YAML': (dump_yaml, architecture),
        'read YAML': (parse_yaml, lambda number: dump_yaml(architecture(number))),
        'write JSON': (dump_json, architecture),
        'read JSON': (parse_json, lambda number: dump_json(architecture(number))),
        'plan': (keraflow.plan, architecture),
        'write tensors': (dump_tensors, weights),
        'read tensors': (parse_tensors, lambda number: dump_tensors(weights(number))),
        'refuse [[[': (refused, lambda number: '[1,' * number * 10),
        'refuse """': (refused, lambda number: '"' + '\\"' * number * 10),
    }
    print(f'Microseconds for each layer, tensor or ten characters, the best of {NB_ROUND} rounds')
    print(f'{"":14} {"1,000":>8} {"10,000":>8} {"long / short":>13}')
    for stage, (function, make) in stages.items():
        short, long = (1e6 * best(function, make(number)) / number for number in (1000, 10000))
        print(f'{stage:14} {short:8.2f} {long:8.2f} {long / short:13.2f}')
    print(f'Goal: at most {GOAL}.')


if __name__ == '__main__':
    main()
