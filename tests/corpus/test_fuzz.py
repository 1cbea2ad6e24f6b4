"""Architectures that are altered at random, planned: each is accepted or refused with keraflow's own words.

``make torture`` plans 200,000 of them.
"""
import json

import pytest
from cases import BASE, Scale
from damage import altered, damaged

import keraflow
from keraflow.errors import MAX_MESSAGE, KeraFlowError
from keraflow.files.plaindata import dump_json, dump_yaml
from keraflow.graph import naming


def edited(rng, data):
    """Plain data with a change that a person may make, which leaves them right."""
    data = json.loads(json.dumps(data))
    layers = data['model']['args']['layers']
    for _ in range(rng.randrange(1, 4)):
        rng.choice([
            lambda: layers['y']['args'].update(output_dim=rng.randrange(1, 50)),
            lambda: layers['y']['args'].update(activation=rng.choice(['relu', 'tanh', 'softmax', {'class': 'PReLU', 'args': {}}])),
            lambda: layers['steps']['args'].update(output_dim=rng.randrange(1, 9), go_backwards=rng.random() < .5),
            lambda: layers['x']['args'].update(shape=[rng.randrange(1, 9), rng.randrange(1, 9)]),
            lambda: layers['scaled']['args'].update(by=rng.uniform(-3, 3), x_note=['mine']),
            lambda: data.update(x_note=rng.random())])()
    return data


@pytest.mark.parametrize('extension, dump', [('json', dump_json), ('yaml', dump_yaml)])
def test_a_file_is_accepted_or_refused(tmp_path, trials, extension, dump):
    path = tmp_path / f'a.{extension}'
    made, names = Scale.made, dict(naming._counts)
    counts = {True: 0, False: 0}
    for rng in trials(2000):
        data, chance = edited(rng, BASE), rng.random()
        text = dump(altered(rng, data) if chance > .3 else data).encode()
        path.write_bytes(damaged(rng, text) if chance > .8 else text)
        try:
            assert str(keraflow.plan(path))
            counts[True] += 1
        except KeraFlowError as error:
            counts[False] += 1
            assert str(error).isprintable() and len(str(error)) <= MAX_MESSAGE
    assert (Scale.made, naming._counts) == (made, names)
    assert counts[True] >= .2 * sum(counts.values()) and counts[False] >= .2 * sum(counts.values())
