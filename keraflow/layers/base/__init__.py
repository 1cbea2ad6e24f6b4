"""What a layer is; ``layer.py`` is the page to read."""
from keraflow.layers.base.inputs import advice_for_class
from keraflow.layers.base.layer import Layer, MultiInputLayer
from keraflow.layers.base.variables import Parameter

__all__ = ['Layer', 'MultiInputLayer', 'Parameter', 'advice_for_class']
