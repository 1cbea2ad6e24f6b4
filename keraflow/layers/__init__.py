"""Layers: what takes Kensors and returns Kensors."""
from keraflow import constraints, regularizers  # noqa: F401 (fills the registry)
from keraflow.layers.base import Layer, MultiInputLayer, Parameter
from keraflow.layers.core import Activation, Dense, Dropout, Highway, Lambda
from keraflow.layers.input import Input
from keraflow.layers.masking import Masking
from keraflow.layers.merging import Concatenate, ElementWiseMult, ElementWiseSum
from keraflow.layers.shaping import ExpandDims, Flatten, PermuteDims, Repeat, Reshape

__all__ = ['Activation', 'Concatenate', 'Dense', 'Dropout', 'ElementWiseMult', 'ElementWiseSum', 'ExpandDims',
           'Flatten', 'Highway', 'Input', 'Lambda', 'Layer', 'Masking', 'MultiInputLayer', 'Parameter', 'PermuteDims',
           'Repeat', 'Reshape']
