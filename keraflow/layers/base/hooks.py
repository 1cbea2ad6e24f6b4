"""Derive what keraflow needs from the hooks that a class of layers defines."""
from typing import Any

from keraflow.graph.call_arguments import CallSignature
from keraflow.layers.base.code_names import reads_masks
from keraflow.layers.base.masks import with_default_mask
from keraflow.layers.base.planned import SHAPE_HOOKS, declares_parameters, shape_hook

__all__ = ['complete_hooks']


def complete_hooks(cls: Any, base: Any) -> None:
    """Read the signature of ``output`` of a class, and wrap its hooks so that they may be called in every allowed way;
    `base` is Layer."""
    cls._is_declared = declares_parameters(cls)     # first, for what follows defines hooks that the class inherits
    if 'supports_masking' in vars(cls) and 'support_mask' not in vars(cls):
        cls.support_mask = base.support_mask        # the class defines only the current word
    cls.call_signature = CallSignature(cls.output)
    if 'mask' in cls.call_signature.names:
        cls.output = with_default_mask(cls.output)
    cls._reads_masks = reads_masks(cls)
    for name in SHAPE_HOOKS:
        answer = shape_hook(getattr(cls, name))
        if answer is not getattr(cls, name):
            setattr(cls, name, answer)
