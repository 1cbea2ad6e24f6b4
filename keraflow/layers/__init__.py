"""Layers: what takes Kensors and returns Kensors."""
from keraflow import constraints, regularizers  # noqa: F401 (fills the registry)
from keraflow.layers.base import Layer, MultiInputLayer, Parameter
from keraflow.layers.core import Activation, Dense, Dropout, Highway, Lambda
from keraflow.layers.embedding import Embedding
from keraflow.layers.input import Input
from keraflow.layers.masking import Masking
from keraflow.layers.merging import Concatenate, ElementWiseMult, ElementWiseSum
from keraflow.layers.operation import Operation
from keraflow.layers.recurrent import GRU, LSTM, SimpleRNN
from keraflow.layers.registered import FunctionLayer, layer_register
from keraflow.layers.shaping import ExpandDims, Flatten, PermuteDims, Repeat, Reshape
from keraflow.layers.wrappers import Bidirectional, TimeDistributed

__all__ = ['Activation', 'Bidirectional', 'Concatenate', 'Dense', 'Dropout', 'ElementWiseMult', 'ElementWiseSum',
           'Embedding', 'ExpandDims', 'Flatten', 'FunctionLayer', 'GRU', 'Highway', 'Input', 'LSTM', 'Lambda', 'Layer',
           'Masking', 'MultiInputLayer', 'Operation', 'Parameter', 'PermuteDims', 'Repeat', 'Reshape', 'SimpleRNN',
           'TimeDistributed', 'layer_register']
