"""keraflow.layers.noise, which does nothing in the test phase; what training does is in tests/backend/test_noise.py."""
from typing import Any, Dict, List

from keraflow.layers import GaussianDropout, GaussianNoise, SpatialDropout1D, SpatialDropout2D, SpatialDropout3D

from .samples import Sample, sample


def same(weights: dict, x: Any) -> Any:
    return x


LAYERS: Dict[str, List[Sample]] = {
    'GaussianNoise': [sample(lambda: GaussianNoise(0.5), 4, same), sample(lambda: GaussianNoise(0), (None, 3), same)],
    'GaussianDropout': [sample(lambda: GaussianDropout(0.5), 4, same), sample(lambda: GaussianDropout(0), (None, 3), same)],
    'SpatialDropout1D': [sample(lambda: SpatialDropout1D(0.5), (None, 3), same), sample(lambda: SpatialDropout1D(0), (1, 3), same)],
    'SpatialDropout2D': [sample(lambda: SpatialDropout2D(0.5), (3, None, 5), same),
                         sample(lambda: SpatialDropout2D(0.2, 'channels_last'), (4, 5, 2), same)],
    'SpatialDropout3D': [sample(lambda: SpatialDropout3D(0.5), (3, 2, None, 5), same),
                         sample(lambda: SpatialDropout3D(0.2, 'channels_last'), (4, 5, 2, 3), same)],
}
