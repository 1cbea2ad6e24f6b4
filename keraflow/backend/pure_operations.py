"""The functions of :mod:`keraflow.backend` that a file may name, as ``B.square``, wherever a function may stand.

These compute one tensor from one tensor and from plain arguments, and do nothing else. It is a list of what is allowed:
what evaluates, sets, compiles or draws is none of it.
"""
from keraflow import backend as B
from keraflow.registry import builtin

__all__ = ['PURE_OPERATIONS']

PURE_OPERATIONS = (
    'abs', 'negative', 'sign', 'square', 'sqrt', 'exp', 'expm1', 'log', 'log1p', 'sin', 'cos', 'tanh', 'erf', 'floor',
    'ceil', 'round', 'isnan', 'isfinite', 'logical_not', 'clip', 'cast', 'ones_like', 'zeros_like', 'one_hot',
    'sum', 'prod', 'mean', 'max', 'min', 'any', 'all', 'argmax', 'argmin', 'cumsum', 'var', 'std', 'norm', 'logsumexp',
    'reshape', 'flatten', 'transpose', 'expand_dims', 'squeeze', 'pad', 'repeat', 'tile', 'reverse', 'identity',
    'stop_gradient', 'sigmoid', 'hard_sigmoid', 'relu', 'softplus', 'softsign', 'softmax', 'log_softmax')

for _name in PURE_OPERATIONS:
    builtin('', id=f'B.{_name}')(getattr(B, _name))
