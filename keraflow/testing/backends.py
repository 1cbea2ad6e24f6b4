"""``check_backend``: the laws that every plugin obeys."""
from typing import Any, Callable, List, Sequence

from keraflow.backend.contract import Backend
from keraflow.testing.cases import CASES
from keraflow.testing.contract_laws import CONTRACT_LAWS, public_names
from keraflow.testing.dtype_laws import DTYPE_LAWS
from keraflow.testing.function_laws import FUNCTION_LAWS
from keraflow.testing.gradient_laws import GRADIENT_LAWS
from keraflow.testing.operation_cases import UNTABLED, Case
from keraflow.testing.operations import Evaluation
from keraflow.testing.property_laws import PROPERTY_LAWS
from keraflow.testing.random_laws import RANDOM_LAWS

__all__ = ['BACKEND_LAWS', 'check_backend', 'uncovered']


def check_backend(backend: Any) -> None:
    """Check a plugin against the contract: its methods, and the values, dtypes and gradients of all operations.

    Parameters
    ----------
    backend : Backend
        An instance of the plugin's class.

    Raises
    ------
    AssertionError
        With one line for each law and each case that fails.

    Notes
    -----
    ``BACKEND_LAWS`` are the laws, functions of a backend, and ``keraflow.testing.cases.CASES`` the table of operations,
    which ``keraflow.testing.operations.Evaluation`` computes: use them to report failures one by one.

    Examples
    --------
    >>> class Nothing(Backend):
    ...     def __init__(self):
    ...         pass
    >>> check_backend(Nothing())
    Traceback (most recent call last):
    ...
    AssertionError: ... of ... checks failed:
    all methods of the contract are there: expected ...
    """
    evaluation = Evaluation(backend)
    checks: List[Callable] = [*(_bound(law, backend) for law in BACKEND_LAWS),
                              *(_bound(evaluation.check, number) for number in range(len(CASES)))]
    failures = [text for text in map(_failure, checks) if text]
    if failures:
        raise AssertionError(f'{len(failures)} of {len(checks)} checks failed:\n' + '\n'.join(failures))


def uncovered(cases: Sequence[Case] = CASES) -> List[str]:
    """Return the methods of the contract that are neither in the table of operations nor in :data:`UNTABLED`."""
    return sorted(public_names(Backend) - {case.operation for case in cases} - set(UNTABLED) - {'name', 'inner_format'})


def _bound(check: Callable, argument: Any) -> Callable:
    def run() -> None:
        check(argument)
    run.__doc__ = check.__doc__ if check in BACKEND_LAWS else ''    # a case names itself
    return run


def _failure(check: Callable) -> str:
    law = (check.__doc__ or '').strip().rstrip('.')
    where = f'{law[0].lower()}{law[1:]}: ' if law else ''
    try:
        check()
    except AssertionError as error:
        return f'{where}{error}'
    except Exception as error:  # a faulty plugin may raise anything
        return f'{where}expected no error, received {type(error).__name__}: {error}'
    return ''


#: Everything but the table of operations.
BACKEND_LAWS = (*CONTRACT_LAWS, *DTYPE_LAWS, *FUNCTION_LAWS, *GRADIENT_LAWS, *PROPERTY_LAWS, *RANDOM_LAWS)
