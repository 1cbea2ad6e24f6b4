"""``keraflow verify``: whether a model computes the same on two backends, and if not, in which layer it begins.

Each backend runs in a process of its own; `tracing` follows a run layer by layer, `measuring` runs the model forward,
with gradients and for some steps of training, `results` keeps that in a file, and `comparing` finds the first layer
that differs.
"""
from keraflow.command.verifying.command import verify

__all__ = ['verify']
