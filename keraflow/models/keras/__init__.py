"""Models of Keras 3 as models of keraflow, with their weights.

=============  ================================================================================
`archive`      what is in a ``.keras`` file: a description of the model, and its weights
`config`       one layer's description, every argument of which is used, or known not to matter
`translation`  the layers of keraflow for each class of Keras's
`arrays`       the weights of a layer as Keras keeps them
`importing`    graphs of layers, and the function for users
=============  ================================================================================
"""

__all__ = ['archive', 'arrays', 'config', 'importing', 'translation']
