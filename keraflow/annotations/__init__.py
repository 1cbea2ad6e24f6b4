"""What annotations allow: keraflow's own marks, matching values against them, and describing them in messages."""
from keraflow.annotations.checking import check, expected, hints_of, is_open, kind_in, takes_list

__all__ = ['check', 'expected', 'hints_of', 'is_open', 'kind_in', 'takes_list']
