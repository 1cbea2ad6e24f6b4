"""How much Python runs for something: a time that is the same on every machine, however busy."""
import sys

__all__ = ['events']


def events(function, *args):
    """The calls and returns of functions, in Python and in C, while ``function(*args)`` runs."""
    total = 0

    def count(frame, event, arg):
        nonlocal total
        total += 1

    sys.setprofile(count)
    try:
        function(*args)
    finally:
        sys.setprofile(None)
    return total
