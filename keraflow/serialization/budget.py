"""Budget: what a file may ask for while it is planned, and while its objects are built."""
import contextvars
from typing import ContextManager, Optional

from keraflow.contexts import bound
from keraflow.errors import SerializationError
from keraflow.files.limits import Limits

__all__ = ['Budget', 'current_budget', 'within']

_budget: 'contextvars.ContextVar[Optional[Budget]]' = contextvars.ContextVar('_budget', default=None)


class Budget:
    """What is spent of the limits, by a plan or by what builds it.

    Parameters
    ----------
    limits : Limits
    nb_byte : int, optional
        The size of the weights file, which bounds the parameters in place of ``limits.max_parameters``.

    Attributes
    ----------
    nb_parameter, nb_object, nb_unrolled : int
        What is spent.
    is_complete : bool
        Whether all that is to be made could be counted.

    Examples
    --------
    >>> budget = Budget(Limits(max_parameters=100))
    >>> budget.spend_parameters(101, 'dense1')
    Traceback (most recent call last):
    keraflow.errors.SerializationError: dense1: the model would have 101 parameters or more, the limit is 100. ...
    """

    def __init__(self, limits: Limits, nb_byte: Optional[int] = None):
        self.limits = limits
        self._nb_byte = nb_byte
        self.nb_parameter = self.nb_object = self.nb_unrolled = 0
        self.is_complete = True

    def again(self) -> 'Budget':
        """Return one of the same limits of which nothing is spent."""
        return Budget(self.limits, self._nb_byte)

    def spend_parameters(self, number: int, where: str) -> None:
        """Count the numbers in parameters that are to be made.

        Raises
        ------
        SerializationError
            If they are too many.
        """
        self.nb_parameter += number
        if self._nb_byte is not None and self.nb_parameter > self._nb_byte:
            raise SerializationError(f'{where}: the model would have {_short(self.nb_parameter)} parameters or more, '
                                     f'its weights file has only {self._nb_byte:,} bytes. Load it with its own '
                                     'weights.')
        if self._nb_byte is None and self.nb_parameter > self.limits.max_parameters:
            raise _excess(where, f'{_short(self.nb_parameter)} parameters', 'max_parameters',
                          self.limits.max_parameters, 'load it with its weights, or ')

    def spend_objects(self, number: int, where: str) -> None:
        """Count objects and calls; see :meth:`spend_parameters`."""
        self.nb_object += number
        if self.nb_object > self.limits.max_objects:
            raise _excess(where, f'{_short(self.nb_object)} objects and calls', 'max_objects', self.limits.max_objects)

    def spend_unrolled(self, number: int, where: str) -> None:
        """Count time steps, or other parts, that are written out one by one; see :meth:`spend_parameters`."""
        self.nb_unrolled += number
        if self.nb_unrolled > self.limits.max_unrolled:
            raise _excess(where, f'{_short(self.nb_unrolled)} unrolled steps', 'max_unrolled',
                          self.limits.max_unrolled)


def current_budget() -> Optional[Budget]:
    """Return the budget of what is built now; None outside of files."""
    return _budget.get()


def within(budget: Budget) -> ContextManager[None]:
    """Spend from a budget inside the block."""
    return bound(_budget, budget)


def _excess(where: str, what: str, name: str, limit: int, otherwise: str = 'load it ') -> SerializationError:
    return SerializationError(f'{where}: the model would have {what} or more, the limit is {limit:,}. If you trust it, '
                              f'{otherwise}with limits=keraflow.Limits({name}=...).')


def _short(number: int) -> str:
    return f'{number:,}' if number < 10 ** 18 else '10^18'
