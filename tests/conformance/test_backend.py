"""Every plugin against the contract and against NumPy, one test for each law and for each case of the table of operations."""
import functools

import pytest

from keraflow import backend as B
from keraflow.testing import BACKEND_LAWS
from keraflow.testing.backends import uncovered
from keraflow.testing.cases import CASES
from keraflow.testing.operations import Evaluation

evaluation = functools.lru_cache(maxsize=1)(Evaluation)     # one for all cases: each group of them is compiled once


def test_every_operation_has_a_case():
    assert uncovered() == []
    labels = [case.label for case in CASES]
    assert sorted(set(labels)) == sorted(labels)


@pytest.mark.parametrize('law', BACKEND_LAWS, ids=lambda law: law.__name__.strip('_'))
def test_law(law):
    law(B.current())


@pytest.mark.parametrize('number', range(len(CASES)), ids=[case.label for case in CASES])
def test_operation(number):
    evaluation(B.current()).check(number)
