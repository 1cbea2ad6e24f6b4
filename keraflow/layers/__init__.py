"""Layers, which take Kensors and return Kensors."""
from typing import TYPE_CHECKING, Any

from keraflow import constraints, regularizers  # noqa: F401 (fills the registry)
from keraflow.habits import no_attribute
from keraflow.layers import input as _input
from keraflow.layers.attention import MultiHeadAttention
from keraflow.layers.base import Layer, MultiInputLayer, Parameter
from keraflow.layers.base.input_spec import InputSpec
from keraflow.layers.base.planned import ParameterSpec
from keraflow.layers.convolution_variants import Deconvolution2D, SeparableConvolution2D
from keraflow.layers.convolutional import Convolution1D, Convolution2D, Convolution3D
from keraflow.layers.core import Activation, Dense, Dropout, Highway, Lambda
from keraflow.layers.embedding import Embedding
from keraflow.layers.foreign import Foreign
from keraflow.layers.learned_activations import Maxout, PReLU
from keraflow.layers.masking import Masking
from keraflow.layers.merging import (Concatenate, Dot, ElementWiseAverage, ElementWiseMax, ElementWiseMult,
                                     ElementWiseSum)
from keraflow.layers.noise import GaussianDropout, GaussianNoise, SpatialDropout1D, SpatialDropout2D, SpatialDropout3D
from keraflow.layers.normalization import BatchNormalization, LayerNormalization
from keraflow.layers.operation import Operation
from keraflow.layers.padding import Cropping1D, Cropping2D, Cropping3D, ZeroPadding1D, ZeroPadding2D, ZeroPadding3D
from keraflow.layers.pooling import GlobalPooling1D, GlobalPooling2D, GlobalPooling3D, Pooling1D, Pooling2D, Pooling3D
from keraflow.layers.recurrent import GRU, LSTM, SimpleRNN
from keraflow.layers.registered import FunctionLayer, add_weight, layer_register
from keraflow.layers.shaping import ExpandDims, Flatten, PermuteDims, Repeat, Reshape
from keraflow.layers.unsampling import UnSampling1D, UnSampling2D, UnSampling3D
from keraflow.layers.wrappers import Bidirectional, TimeDistributed

Input = _input.typed_as_kensors(_input.Input)

__all__ = ['Activation', 'BatchNormalization', 'Bidirectional', 'Concatenate', 'Convolution1D', 'Convolution2D',
           'Convolution3D', 'Cropping1D', 'Cropping2D', 'Cropping3D', 'Deconvolution2D', 'Dense', 'Dot', 'Dropout',
           'ElementWiseAverage', 'ElementWiseMax', 'ElementWiseMult', 'ElementWiseSum', 'Embedding', 'ExpandDims',
           'Flatten', 'Foreign', 'FunctionLayer', 'GRU', 'GaussianDropout', 'GaussianNoise', 'GlobalPooling1D',
           'GlobalPooling2D', 'GlobalPooling3D', 'Highway', 'Input', 'InputSpec', 'LSTM', 'Lambda', 'Layer',
           'LayerNormalization', 'Masking', 'Maxout', 'MultiHeadAttention', 'MultiInputLayer', 'Operation', 'PReLU',
           'Parameter', 'ParameterSpec', 'PermuteDims', 'Pooling1D', 'Pooling2D', 'Pooling3D', 'Repeat', 'Reshape',
           'SeparableConvolution2D', 'SimpleRNN', 'SpatialDropout1D', 'SpatialDropout2D', 'SpatialDropout3D',
           'TimeDistributed', 'UnSampling1D', 'UnSampling2D', 'UnSampling3D', 'ZeroPadding1D', 'ZeroPadding2D',
           'ZeroPadding3D', 'add_weight', 'layer_register']


if not TYPE_CHECKING:       # a type checker reports missing names by itself
    def __getattr__(name: str) -> Any:
        raise no_attribute("module 'keraflow.layers'", name, __all__)
