"""How a refusal reads: the place first, then what is wrong and what to do, in at most 300 characters."""
from keraflow.errors import ModelFileError

__all__ = ['MAX_MESSAGE', 'TOO_DEEP', 'excerpt', 'refusal']

#: A message fits on a few lines of a terminal, whatever the file holds.
MAX_MESSAGE = 300

#: Of data and texts that a raised limit lets pass.
TOO_DEEP = 'lists and dicts are nested too deeply for this Python. Flatten the data.'

_MAX_PLACE = 110
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


def refusal(place: object, message: str) -> ModelFileError:
    """Return the error to raise: ``place: message``, cut to `MAX_MESSAGE` characters.

    Parameters
    ----------
    place : object
        A path, with a line number where there is one. Of a long path the end is kept.
    message : str
        What is wrong, and what to do.

    Returns
    -------
    ModelFileError

    Examples
    --------
    >>> refusal('arch.yaml:14', "the key 'name' is written twice. Remove one.")
    ModelFileError("arch.yaml:14: the key 'name' is written twice. Remove one.")
    """
    where = ''.join(char if char.isprintable() else '?' for char in str(place))
    if len(where) > _MAX_PLACE:
        where = '...' + where[3 - _MAX_PLACE:]
    text = f'{where}: {message}'
    return ModelFileError(text if len(text) <= MAX_MESSAGE else text[:MAX_MESSAGE - 3] + '...')
