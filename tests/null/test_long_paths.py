"""What is wrong is told whole, however long the path is, with or without spaces in it."""
import pytest

import keraflow
from keraflow.callbacks import ModelCheckpoint
from keraflow.errors import KeraFlowError
from keraflow.files.atomic import check_file
from keraflow.files.rotation import series
from keraflow.files.tensors import read_tensors

ARCHITECTURE = '''format: keraflow
version: 1
model:
  class: Sequential
  args:
    layers:
    - {class: Input, args: {shape: 3}}
    - {class: Dens, args: {output_dim: 4}}
'''


def written(path, content):
    path.write_text(content)
    return path


CALLS = {
    'exists': (lambda folder: check_file(written(folder / 'm.yaml', '')), ' exists already. Pass overwrite=True to replace it.'),
    'folder': (lambda folder: check_file(folder / 'no' / 'm.yaml'), 'does not exist. Create it first.'),
    'unregistered': (lambda folder: keraflow.plan(written(folder / 'm.yaml', ARCHITECTURE)), (
        "m.yaml:8: layers[1]: 'Dens' is not a class or function that is registered. Did you mean 'Dense'? If it is yours, put "
        '@keraflow.register above it and import its module first, or pass custom_objects=[...].')),
    'damaged': (lambda folder: read_tensors(written(folder / 'm.safetensors', '')), 'm.safetensors: the file is empty. Save the weights again.'),
    'brace': (lambda folder: series(folder / '{step.safetensors', 'path'),
              "{step.safetensors'. Write a brace that is part of the path twice."),
    'extension': (lambda folder: ModelCheckpoint(folder / 'm.txt', every=1).check_names([]), "m.txt'.")}


@pytest.mark.parametrize('call', CALLS)
@pytest.mark.parametrize('parts', [['my models of the year'] * 18, ['b' * 200] * 4, ['my file ' * 13 + 'x']])
def test_a_long_path_hides_no_reason(call, parts, tmp_path):
    folder, (run, end) = tmp_path.joinpath(*parts), CALLS[call]
    folder.mkdir(parents=True)
    with pytest.raises((KeraFlowError, OSError)) as caught:
        run(folder)
    text = str(caught.value)
    assert len(text) <= 300 and text.endswith(end)
