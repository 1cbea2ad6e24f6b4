"""The functions of :mod:`keraflow.backend` that a file may name, as ``B.square``, wherever a function is allowed.

They compute one tensor from one tensor and plain arguments, and do nothing else: functions that evaluate, set, compile
or draw are not among them.
"""
from keraflow import backend as B
from keraflow.backend.contract import METHODS
from keraflow.registry import builtin

__all__ = ['PURE_OPERATIONS']

PURE_OPERATIONS = tuple(sorted(name for name, method in METHODS.items() if method.is_function_of_one))

for _name in PURE_OPERATIONS:
    _old_names = [f'B.{METHODS[_name].old_name}'] if METHODS[_name].old_name else []
    builtin('', *_old_names, id=f'B.{_name}')(getattr(B, _name))
