"""keraflow.layers.masking."""
from typing import Dict, List

from keraflow.layers import Masking

from .samples import Sample, sample

LAYERS: Dict[str, List[Sample]] = {
    'Masking': [
        sample(lambda: Masking(), (3, 4), lambda w, x: x), sample(lambda: Masking(0.5), (None, 2), lambda w, x: x),
        sample(lambda: Masking(None), (3, 4), lambda w, x: x), sample(lambda: Masking(7), 3, lambda w, x: x, dtype='int32'),
    ],
}
