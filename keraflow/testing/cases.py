"""The whole table of operations, joined from the tables of the families."""
from typing import Tuple

from keraflow.testing import convolution_cases, operation_cases, recurrence_cases
from keraflow.testing.operation_cases import Case

__all__ = ['CASES']

#: Every case. A test makes sure that each method of the contract that computes has at least one.
CASES: Tuple[Case, ...] = (*operation_cases.CASES, *convolution_cases.CASES, *recurrence_cases.CASES)
