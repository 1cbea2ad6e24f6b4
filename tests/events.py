"""How much Python runs for something: a time that is the same on every machine, however busy."""
import sys

__all__ = ['events']

#: Called like functions before Python 3.12, which runs the first three as part of what they are in.
COMPREHENSIONS = ('<listcomp>', '<dictcomp>', '<setcomp>', '<genexpr>')


def events(function, *args, of=''):
    """The calls and returns of functions while ``function(*args)`` runs, in Python and in C, from modules whose names begin so.

    Comprehensions are no calls, only what they call is, so that each version of Python counts the same.
    """
    total = 0

    def count(frame, event, arg):
        nonlocal total
        if event.startswith('c_') or frame.f_code.co_name not in COMPREHENSIONS:
            total += frame.f_globals.get('__name__', '').startswith(of)

    sys.setprofile(count)
    try:
        function(*args)
    finally:
        sys.setprofile(None)
    return total
