"""The checks that every layer and every backend must pass, for authors of layers and plugins.

Examples
--------
>>> from keraflow.layers import Dense
>>> from keraflow.testing import check_layer
>>> check_layer(lambda: Dense(3, activation='tanh'), (4,),
...             reference=lambda weights, x: np.tanh(x @ weights['W'] + weights['b']))
"""
import numpy as np  # noqa: F401 (for the example above)

from keraflow.testing.backends import BACKEND_LAWS, check_backend
from keraflow.testing.layers import LAYER_LAWS, check_layer
from keraflow.testing.numerics import assert_close, numerical_gradient, using_floatx

__all__ = ['BACKEND_LAWS', 'LAYER_LAWS', 'assert_close', 'check_backend', 'check_layer', 'numerical_gradient',
           'using_floatx']
