"""The programs of README.rst run."""
import re
import textwrap
from pathlib import Path

import numpy as np

from keraflow.layers import Input
from keraflow.models import Sequential

PAGE = Path(__file__).parents[2] / 'README.rst'


def test_the_programs_run_one_after_the_other_in_one_folder(tmp_path, monkeypatch):
    blocks = re.findall(r'^\.\. code-block:: python\n\n((?:   .*\n|\n)+)', PAGE.read_text(encoding='utf-8'), re.MULTILINE)
    assert len(blocks) == 3
    monkeypatch.chdir(tmp_path)
    X, Y = np.random.default_rng(0).normal(size=(40, 64)), np.eye(10)[np.arange(40) % 10]
    program = {'__name__': 'readme', 'X': X, 'Y': Y}
    for number, block in enumerate(blocks):
        path = tmp_path / f'block{number}.py'
        path.write_text(textwrap.dedent(block))
        exec(compile(path.read_text(), str(path), 'exec'), program)
        if number == 0:
            predicted = program['model'].predict(X)
    np.testing.assert_array_equal(program['model'].predict(X), predicted)
    assert {path.name for path in tmp_path.iterdir()} == {'arch.yaml', 'model.keraflow', 'weights.safetensors', *(f'block{number}.py' for number in range(3))}
    assert Sequential([Input(4), program['Gated']()]).predict(X[:, :4]).shape == (40, 4)
