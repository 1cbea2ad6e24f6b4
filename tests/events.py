"""How much Python runs for something: a time that is the same on every machine, however busy."""
import sys

__all__ = ['events']


def events(function, *args, of=''):
    """The calls and returns of functions while ``function(*args)`` runs, in Python and in C, from modules whose names begin so."""
    total = 0

    def count(frame, event, arg):
        nonlocal total
        total += frame.f_globals.get('__name__', '').startswith(of)

    sys.setprofile(count)
    try:
        function(*args)
    finally:
        sys.setprofile(None)
    return total
