"""The examples of docs/files.rst run."""
import doctest
from pathlib import Path

PAGE = Path(__file__).parents[2] / 'docs' / 'files.rst'


def test_the_examples_run_one_after_the_other(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = doctest.testfile(str(PAGE), module_relative=False, optionflags=doctest.ELLIPSIS, encoding='utf-8')
    assert found.failed == 0 and found.attempted > 20
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        'net.keraflow', 'net.safetensors', 'net.yaml', 'other.keraflow', 'relu.safetensors', 'theirs.safetensors',
        'wrong.yaml']
