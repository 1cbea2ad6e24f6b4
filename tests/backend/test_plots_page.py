"""The examples of docs/pictures.rst run, and the picture in the page is theirs."""
import doctest
from pathlib import Path

PAGE = Path(__file__).parents[2] / 'docs' / 'pictures.rst'


def test_the_examples_run_one_after_the_other(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = doctest.testfile(str(PAGE), module_relative=False, encoding='utf-8')
    assert found.failed == 0 and found.attempted > 10
    assert sorted(path.name for path in tmp_path.iterdir()) == ['matching.html', 'matching.svg', 'matching.yaml', 'overview.svg', 'planned.svg']
    assert (tmp_path / 'matching.svg').read_bytes() == PAGE.with_name('matching.svg').read_bytes()
