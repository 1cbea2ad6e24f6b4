"""What a layer is; ``layer.py`` is the page to read."""
from keraflow.layers.base.layer import Layer, MultiInputLayer, Parameter, advice_for_class

__all__ = ['Layer', 'MultiInputLayer', 'Parameter', 'advice_for_class']
