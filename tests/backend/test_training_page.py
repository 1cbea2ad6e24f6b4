"""The examples of docs/training.rst and docs/resume.rst run."""
import doctest
from pathlib import Path

PAGE, RESUME = (Path(__file__).parents[2] / 'docs' / name for name in ('training.rst', 'resume.rst'))


def test_the_examples_run_one_after_the_other(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = doctest.testfile(str(PAGE), module_relative=False, optionflags=doctest.ELLIPSIS, encoding='utf-8')
    assert found.failed == 0 and found.attempted > 20
    assert sorted(path.name for path in tmp_path.iterdir()) == ['X.npy', 'best.safetensors', 'history.svg', 'log.csv', 'step.svg', 'training.safetensors']


def test_the_examples_of_resume_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = doctest.testfile(str(RESUME), module_relative=False, optionflags=doctest.ELLIPSIS, encoding='utf-8')
    assert found.failed == 0 and found.attempted > 15
    assert {'part.safetensors', 'part.1.safetensors', 'part.2.safetensors'} < {path.name for path in tmp_path.iterdir()}
