"""Files of whole models that the first version wrote load forever, predict the same, and go on training alike."""
import numpy as np
import pytest
from onefile1 import FOLDER, MODELS, PROGRAM, go_on

import keraflow
from keraflow.files.tensors import read_tensors


@pytest.mark.parametrize('name', MODELS)
@pytest.mark.filterwarnings('error')
def test_it_goes_on(name):
    model = keraflow.load(FOLDER / f'{name}.keraflow', PROGRAM, verify=True)
    found = go_on(model, name)
    with np.load(FOLDER / f'{name}.npz', allow_pickle=False) as expected:
        assert set(found) == set(expected.files)
        for key in found:
            np.testing.assert_allclose(found[key], expected[key], rtol=1e-4, atol=1e-6, err_msg=key)


@pytest.mark.parametrize('name', MODELS)
def test_its_weights_and_probes_are_written_as_they_were_read(name, tmp_path):
    keraflow.load(FOLDER / f'{name}.keraflow', PROGRAM).save(tmp_path / 'm.keraflow')
    before, after = (read_tensors(path) for path in (FOLDER / f'{name}.keraflow', tmp_path / 'm.keraflow'))
    assert list(before[0]) == list(after[0])
    for key, array in before[0].items():
        np.testing.assert_array_equal(array, after[0][key], key)
    for key in ('architecture', 'probes'):
        assert before[1].get(key) == after[1].get(key), key


def test_there_are_no_others():
    assert {path.name for path in FOLDER.iterdir()} == {'README.md', *(f'{name}.{end}' for name in MODELS for end in ('keraflow', 'npz'))}
