"""What annotations allow: keraflow's own marks, matching and describing values, and binding the arguments of calls."""
from keraflow.annotations.checking import check, expected, hints_of, is_open, kind_in, takes_list
from keraflow.annotations.signature import Argument, Signature

__all__ = ['Argument', 'Signature', 'check', 'expected', 'hints_of', 'is_open', 'kind_in', 'takes_list']
