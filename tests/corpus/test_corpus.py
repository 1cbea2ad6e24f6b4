"""Every case of the corpus, on both formats and every way to read: refused with its words; its twin is accepted."""
import json
from pathlib import Path

import numpy as np
import pytest
from cases import BASE, CASES, TEXTS, Scale, changed

import keraflow
from keraflow import Model, random
from keraflow.errors import MAX_MESSAGE, KeraFlowError
from keraflow.files.plaindata import dump_json, dump_yaml
from keraflow.files.tensors import dump_tensors
from keraflow.graph import naming


def by_path(extension, dump, read):
    def run(data, tmp_path):
        path = tmp_path / f'a.{extension}'
        path.write_text(dump(data))
        return read(path)
    return run


def whole(data, tmp_path):
    path = tmp_path / 'm.keraflow'
    # As large as the weights are: their size bounds the parameters.
    path.write_bytes(dump_tensors({'weights/y/W': np.zeros(1000)}, {'format': 'keraflow-model', 'version': '1', 'architecture': '0' * 64, 'model': dump_json(data)}))
    return path


WAYS = {'yaml': by_path('yaml', dump_yaml, keraflow.plan), 'json': by_path('json', dump_json, keraflow.plan),
        'data': lambda data, tmp_path: keraflow.plan(data), 'keraflow': lambda data, tmp_path: keraflow.plan(whole(data, tmp_path))}
#: What builds, too; refusals come before that.
BUILDING = {'load_from_file': by_path('yaml', dump_yaml, Model.load_from_file), 'load': lambda data, tmp_path: keraflow.load(whole(data, tmp_path))}


def writable(data):
    """Whether plain data can be in a file at all: the writers refuse what the readers would."""
    try:
        return bool(dump_json(data))
    except KeraFlowError:
        return False


@pytest.fixture
def tmp_path(tmp_path, monkeypatch):
    """The folder by a short name: a long one leaves less room for the rest of a message."""
    monkeypatch.chdir(tmp_path)
    return Path()


def refused(read, data, tmp_path):
    made, names, draws = Scale.made, dict(naming._counts), random.generator().bit_generator.state
    with pytest.raises(KeraFlowError) as caught:
        read(data, tmp_path)
    text = str(caught.value)
    assert len(text) <= MAX_MESSAGE and text.isprintable()
    assert (Scale.made, naming._counts, random.generator().bit_generator.state) == (made, names, draws)
    return text


@pytest.mark.parametrize('case', CASES, ids=[f'{number}-{case.name}' for number, case in enumerate(CASES)])
def test_a_case_is_refused_and_its_twin_is_not(case, tmp_path):
    wrong, right = changed(BASE, case.steps, case.wrong), changed(BASE, case.steps, case.right)
    for name, read in {**WAYS, **BUILDING}.items():
        if name == 'data' or writable(wrong):
            assert case.words in refused(read, wrong, tmp_path)
    if case.steps[:2] == ('model', 'args'):
        assert case.words in refused(lambda data, _: keraflow.unserialize(data['model']), wrong, tmp_path)
    for read in WAYS.values():
        assert 'y' in {one.name for one in read(right, tmp_path).layers}


@pytest.mark.parametrize('extension, wrong, right, words', TEXTS, ids=[str(number) for number in range(len(TEXTS))])
def test_a_text_is_refused_and_its_twin_is_not(extension, wrong, right, words, tmp_path):
    path = tmp_path / f'a.{extension}'
    for read in (keraflow.plan, Model.load_from_file):
        path.write_bytes(wrong if isinstance(wrong, bytes) else wrong.encode('utf-8', 'surrogatepass'))
        assert words in refused(lambda _, __: read(path), None, tmp_path)
    path.write_text(right)
    assert keraflow.plan(path).nb_parameter is None


def test_every_truncation_of_a_file_is_refused(tmp_path):
    text = json.dumps(BASE)
    path = tmp_path / 'a.json'
    for end in range(len(text)):
        path.write_text(text[:end])
        refused(lambda _, __: keraflow.plan(path), None, tmp_path)


def test_notes_of_a_person_are_left_out(tmp_path):
    noted = changed(changed(BASE, ('x_why',), ['mine']), ('model', 'args', 'layers', 'y', 'args', 'x_todo'), {'class': 'Adam'})
    noted = changed(noted, ('model', 'x_note'), 'y')
    for read in WAYS.values():
        assert str(read(noted, tmp_path)).splitlines()[-1] == str(read(BASE, tmp_path)).splitlines()[-1]
