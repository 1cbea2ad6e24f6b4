"""What annotations allow: keraflow's own marks in them, whether a value matches, and the words for it."""
from keraflow.annotations.checking import check, expected, hints_of, is_open, kind_in, takes_list

__all__ = ['check', 'expected', 'hints_of', 'is_open', 'kind_in', 'takes_list']
