"""The examples on the pages of the documentation run."""
import doctest
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / 'docs'


@pytest.mark.parametrize('page', ['data.rst'])
def test_the_examples_of_a_page(page):
    failed, tried = doctest.testfile(str(DOCS / page), module_relative=False)
    assert tried > 5 and failed == 0
