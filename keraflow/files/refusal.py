"""How a refusal reads: the place first, then what is wrong and what to do, in at most 300 characters."""
from typing import Sequence

from keraflow.errors import ModelFileError

__all__ = ['TOO_DEEP', 'excerpt', 'refusal']

#: Of data and texts that a raised limit lets pass.
TOO_DEEP = 'lists and dicts are nested too deeply for this Python. Flatten the data.'

_MAX_EXCERPT = 60


def excerpt(value: object) -> str:
    """Quote a file's content briefly, with everything unprintable escaped.

    Examples
    --------
    >>> excerpt('relu')
    "'relu'"
    >>> len(excerpt('x' * 1000))
    60
    """
    shown = repr(value[:_MAX_EXCERPT] if isinstance(value, str) else value)
    # A string longer than the quotation always exceeds it: repr adds the quotes.
    return shown if len(shown) <= _MAX_EXCERPT else shown[:_MAX_EXCERPT - 3] + '...'


def refusal(place: object, message: str, differences: Sequence[str] = (), advice: str = '') -> ModelFileError:
    """Return the error to raise: ``place: message``, where a long place leaves the message its room.

    Parameters
    ----------
    place : object
        A path, with a line number where there is one. A long path loses its middle.
    message : str
        What is wrong, and what to do.
    differences, advice
        Those of a :class:`~keraflow.errors.KeraFlowError`.

    Returns
    -------
    ModelFileError

    Examples
    --------
    >>> refusal('arch.yaml:14', "the key 'name' is written twice. Remove one.")
    ModelFileError("arch.yaml:14: the key 'name' is written twice. Remove one.")
    """
    return ModelFileError(f'{place}: {message}', differences, advice)
