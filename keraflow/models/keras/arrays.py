"""The weights of layers as Keras keeps them: which arrays, in which order, with which axes."""
import dataclasses
import re
from typing import Any, Callable, Dict, Iterator, List, Optional, Sequence, Set, Tuple

import numpy as np

from keraflow.errors import ArgumentError
from keraflow.layers import (GRU, LSTM, BatchNormalization, Bidirectional, Convolution1D, Convolution2D, Convolution3D,
                             Deconvolution2D, Dense, Embedding, LayerNormalization, MultiHeadAttention, PReLU,
                             SeparableConvolution2D, SimpleRNN, TimeDistributed)
from keraflow.layers.network import Network

__all__ = ['KerasArray', 'arrays_of', 'keras_weights', 'snake_case']

Shape = Tuple[int, ...]


@dataclasses.dataclass(frozen=True)
class KerasArray:
    """An array of a Keras layer, which holds one or several parameters of keraflow's.

    Attributes
    ----------
    path : str
        In the group of the layer in a weights file: ``'cell/vars/0'``.
    names : tuple of str
        The parameters, which are side by side along the last axis of Keras's array; empty for one that is 0 here.
    axes : tuple of int, optional
        The axis of Keras's array for each axis here; None if they are the same.
    shape : tuple of int, optional
        The shape in Keras, before its axes are moved, if lengths are split there that are one here.
    """

    path: str
    names: Tuple[str, ...]
    axes: Optional[Tuple[int, ...]] = None
    shape: Optional[Shape] = None

    def keras_shape(self, shapes: Dict[str, Shape]) -> Shape:
        """Return the shape in Keras, for the shapes of the parameters here."""
        if self.shape is not None:
            return self.shape
        own = shapes[self.names[0]]
        if self.axes is not None:
            own = own[-len(self.axes):] if len(own) > len(self.axes) else own       # without axes of 1 in front
            own = tuple(own[self.axes.index(axis)] for axis in range(len(self.axes)))
        return (*own[:-1], own[-1] * len(self.names))

    def to_own(self, array: np.ndarray, shapes: Dict[str, Shape]) -> Dict[str, np.ndarray]:
        """Return the parameters here, from an array of Keras's."""
        array = array if self.axes is None else array.transpose(self.axes)
        parts = np.split(array, len(self.names), -1) if len(self.names) > 1 else [array]
        return {name: part.reshape(shapes[name]) for name, part in zip(self.names, parts)}

    def to_keras(self, own: Dict[str, np.ndarray]) -> np.ndarray:
        """Return Keras's array, from the parameters here."""
        joined = np.concatenate([own[name] for name in self.names], -1) if len(self.names) > 1 else own[self.names[0]]
        shape = self.keras_shape({name: one.shape for name, one in own.items()})
        if self.axes is None:
            return joined.reshape(shape)
        return joined.reshape([shape[axis] for axis in self.axes]).transpose(np.argsort(self.axes))


def _numbered(*parts: Any, folder: str = 'vars') -> Iterator[KerasArray]:
    """Number arrays in a folder: each a tuple of names, or of names and axes."""
    for number, (names, axes) in enumerate(parts):
        yield KerasArray(f'{folder}/{number}', tuple(names), axes)


def _weights_and_bias(axes: Optional[Sequence[int]] = None, *more: Any) -> Callable[[Any], Iterator[KerasArray]]:
    kernels = more or ((['W'], axes),)
    return lambda layer: _numbered(*kernels, *([(['b'], None)] if layer.bias else []))


def _cell(gates: str) -> Callable[[Any], Iterator[KerasArray]]:
    # A cell of Keras's without biases has none; here they are 0.
    words = [[f'{kind}_{gate}' for gate in gates] or [kind] for kind in 'WUb']
    return lambda layer: _numbered(*((names, None) for names in words), folder='cell/vars')


def _normalization(layer: Any) -> Iterator[KerasArray]:
    learned = [name for name, is_there in (('gamma', layer.scale), ('beta', layer.center)) if is_there]
    moving = ['moving_mean', 'moving_variance'] if isinstance(layer, BatchNormalization) else []
    return _numbered(*(([name], None) for name in learned + moving))


def _attention(layer: Any) -> Iterator[KerasArray]:
    shapes = {name: np.shape(value) for name, value in layer.get_weights().items()}
    heads = layer.nb_head, layer.head_dim
    for word, letter in (('query', 'q'), ('key', 'k'), ('value', 'v'), ('output', 'o')):
        rows, columns = shapes[f'W_{letter}']
        split = (*heads, columns) if letter == 'o' else (rows, *heads)
        yield KerasArray(f'{word}_dense/vars/0', (f'W_{letter}',), None, split)
        if layer.bias:
            yield KerasArray(f'{word}_dense/vars/1', (f'b_{letter}',), None, (columns,) if letter == 'o' else heads)


def _inside(*places: Tuple[str, str]) -> Callable[[Any], Iterator[KerasArray]]:
    """Return those of embedded layers, each at a number here and in a folder there."""
    def arrays(layer: Any) -> Iterator[KerasArray]:
        for number, folder in places:
            for one in arrays_of(layer.layer):
                yield dataclasses.replace(one, path=f'{folder}/{one.path}',
                                          names=tuple(f'{number}/{name}' for name in one.names))
    return arrays


_ARRAYS: Dict[type, Callable[[Any], Iterator[KerasArray]]] = {
    Dense: _weights_and_bias(),
    Convolution1D: _weights_and_bias((2, 0, 1)),
    Convolution2D: _weights_and_bias((2, 3, 0, 1)),
    Convolution3D: _weights_and_bias((3, 4, 0, 1, 2)),
    Deconvolution2D: _weights_and_bias((3, 2, 0, 1)),
    SeparableConvolution2D: _weights_and_bias(None, (['W_depth'], (2, 3, 0, 1)), (['W_point'], (2, 3, 0, 1))),
    Embedding: lambda layer: _numbered((['W'], None)),
    SimpleRNN: _cell(''),
    LSTM: _cell('ifco'),
    GRU: _cell('zrh'),
    BatchNormalization: _normalization,
    LayerNormalization: _normalization,
    PReLU: lambda layer: _numbered((['alpha'], None)),
    MultiHeadAttention: _attention,
    TimeDistributed: _inside(('0', 'layer')),
    Bidirectional: _inside(('0', 'forward_layer'), ('1', 'backward_layer'))}


def arrays_of(layer: Any) -> List[KerasArray]:
    """Return the arrays in which Keras keeps the weights of a layer, in its order; none for one without weights."""
    found = _ARRAYS.get(type(layer))
    return [] if found is None else list(found(layer))


def keras_weights(model: Network) -> Dict[str, List[np.ndarray]]:
    """Return the weights of each layer as Keras's layer of that kind keeps them; see ``Model.export_keras_weights``.

    Raises
    ------
    ArgumentError
        If Keras has no layer like one of those with weights.
    """
    found: Dict[str, List[np.ndarray]] = {}
    for name, layer in model.layer_ids().items():
        states = _states_of(layer)      # which Keras does not count as weights
        own = {word: array for word, array in layer.get_weights().items() if word not in states}
        if isinstance(layer, Network):
            found.update({f'{name}/{inner}': arrays for inner, arrays in keras_weights(layer).items()})
        elif own:
            arrays = arrays_of(layer)
            if {one for array in arrays for one in array.names} != set(own):
                raise ArgumentError(f"{model.name}: export_keras_weights: Keras has no layer for the weights of "
                                    f"'{name}' ({type(layer).__name__}).")
            found[name] = [array.to_keras(own) for array in arrays]
    return found


def _states_of(layer: Any) -> Set[str]:
    """Return the names of what recurrent layers keep from one batch to the next."""
    inner = {f'{number}/{name}' for number, one in layer.layer_ids().items() for name in _states_of(one)}
    return {*inner, *(layer.states if getattr(layer, 'stateful', False) else ())}


def snake_case(name: str) -> str:
    """Return a name of a class as Keras writes it in files: ``'LayerNormalization'`` as ``'layer_normalization'``.

    Examples
    --------
    >>> snake_case('Conv2DTranspose'), snake_case('PReLU')
    ('conv2d_transpose', 'p_re_lu')
    """
    name = re.sub(r'(.)([A-Z][a-z]+)', r'\1_\2', re.sub(r'\W+', '', name))
    return re.sub(r'([a-z])([A-Z])', r'\1_\2', name).lower()
