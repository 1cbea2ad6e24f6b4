"""The whole table of operations, from the tables of the families."""
from typing import Tuple

from keraflow.testing import convolution_cases, operation_cases, recurrence_cases
from keraflow.testing.operation_cases import Case

__all__ = ['CASES']

#: Every case. A method of the contract that computes has at least one; the test of the table says so.
CASES: Tuple[Case, ...] = (*operation_cases.CASES, *convolution_cases.CASES, *recurrence_cases.CASES)
