"""One descriptor for everything of keraflow's own that a file may name: how to make it, and what to feed it.

``LAYERS`` has for each class of layers some samples for ``check_layer``, so that each branch of its code runs; ``ARGUMENTS`` for
everything else some sets of arguments. ``COMPOSED`` has samples of what programs make of layers. What activations, objectives,
regularizers, constraints and optimizers compute is compared with NumPy in ``tests/backend``.
"""
from typing import Dict, List

from . import (attention, composing, convolutional, core, embedding, learned_activations, masking, merging, models,
               noise, normalization, padding, pooling, recurrent, shaping, wrappers)
from .arguments import ARGUMENTS
from .composed import COMPOSED
from .samples import Sample

__all__ = ['ARGUMENTS', 'COMPOSED', 'LAYERS', 'Sample']

FAMILIES = (attention, composing, convolutional, core, embedding, learned_activations, masking, merging, models, noise, normalization,
            padding, pooling, recurrent, shaping, wrappers)
LAYERS: Dict[str, List[Sample]] = {name: samples for family in FAMILIES for name, samples in family.LAYERS.items()}
