"""The layer of the developer's guide that other tests use as well, as the guide writes it."""
from keraflow.layers import Layer

__all__ = ['SequentialLayer']


class SequentialLayer(Layer):
    """Layers one after the other, built on embed alone."""

    def __init__(self, layers=[], **kwargs):
        super(SequentialLayer, self).__init__(**kwargs)
        self.layers = list(layers)

    def output(self, x):
        for layer in self.layers:
            x = self.embed(layer)(x)
        return x

    def output_shape(self, input_shape):
        for layer in self.layers:
            input_shape = layer.output_shape(input_shape)
        return input_shape
