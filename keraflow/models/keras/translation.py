"""The layers of keraflow that compute what a layer of Keras does."""
import functools
from typing import Any, Callable, Dict, List, Optional

from keraflow import activations, layers
from keraflow.models.keras.config import Config, NoMatch, what_matters

__all__ = ['TRANSLATIONS', 'translated']

LAST, FIRST = 'channels_last', 'channels_first'

#: What makes the layers of keraflow, which follow each other, from the arguments of a Keras layer.
TRANSLATIONS: Dict[str, Callable[[Config], List[Any]]] = {}


def translated(kind: Any, data: Any) -> List[Any]:
    """Return the layers of keraflow for a layer of Keras, each applied to the output of the one before.

    Parameters
    ----------
    kind : str
        The name of its class.
    data : dict
        Its arguments.

    Raises
    ------
    NoMatch
        If there are none, or an argument has no match.
    """
    make = TRANSLATIONS.get(kind) if isinstance(kind, str) else None
    if make is None or not isinstance(data, dict):
        raise NoMatch('keraflow has no layer that computes this.')
    config = Config(data)
    made = make(config)
    config.check_nothing_left()
    return made


def _of(*kinds: str) -> Callable:
    def add(make: Callable) -> Callable:
        for kind in kinds:
            TRANSLATIONS[kind] = make
        return make
    return add


def _format(config: Config) -> Dict[str, str]:
    return {'data_format': config.expect('data_format', LAST, FIRST)}


def _window(config: Config, word: str, size: int) -> Any:
    values = config.integers(word, size)
    return values[0] if size == 1 else tuple(values)


def _image(config: Config, size: int) -> Dict[str, Any]:
    """Return what convolutions share."""
    common = _format(config)
    activation = config.activation(features_are_last=common['data_format'] == LAST)
    return {'nb_kernel': config.take('filters'), 'strides': _window(config, 'strides', size), **common,
            'pad': config.expect('padding', 'valid', 'same'), 'bias': config.take('use_bias'), 'activation': activation}


@_of('Dense')
def _dense(config: Config) -> List[Any]:
    return [layers.Dense(config.take('units'), activation=config.activation(), bias=config.take('use_bias'),
                         **config.common(True, kernel=['W'], bias=['b']))]


def _convolution(make: Any, size: int, config: Config) -> List[Any]:
    config.expect('groups', 1)
    window = dict(zip(make.window_arguments, config.integers('kernel_size', size)))
    return [make(**window, **_image(config, size), dilation=_window(config, 'dilation_rate', size),
                 **config.common(kernel=['W'], bias=['b']))]


for _size, _make in enumerate((layers.Convolution1D, layers.Convolution2D, layers.Convolution3D), 1):
    TRANSLATIONS[f'Conv{_size}D'] = functools.partial(_convolution, _make, _size)


@_of('SeparableConv2D')
def _separable(config: Config) -> List[Any]:
    row, col = config.integers('kernel_size', 2)
    return [layers.SeparableConvolution2D(
        kernel_row=row, kernel_col=col, depth_multiplier=config.take('depth_multiplier'),
        dilation=_window(config, 'dilation_rate', 2), **_image(config, 2),
        **config.common(depthwise=['W_depth'], pointwise=['W_point'], bias=['b']))]


@_of('Conv2DTranspose')
def _transposed(config: Config) -> List[Any]:
    config.expect('dilation_rate', [1, 1], (1, 1))
    row, col = config.integers('kernel_size', 2)
    image = _image(config, 2)
    if any(step > length for step, length in zip(image['strides'], (row, col))):
        raise NoMatch('strides above kernel_size have no match.')
    return [layers.Deconvolution2D(kernel_row=row, kernel_col=col, **image, **config.common(kernel=['W'], bias=['b']))]


def _pooling(mode: str, make: Any, size: int, config: Config) -> List[Any]:
    return [make(mode, pool_size=_window(config, 'pool_size', size), strides=_window(config, 'strides', size),
                 pad=config.expect('padding', 'valid', 'same'), **_format(config), **config.common())]


def _global_pooling(mode: str, make: Any, config: Config) -> List[Any]:
    return [make(mode, **_format(config), **config.common())]


for _size, (_make, _whole) in enumerate(((layers.Pooling1D, layers.GlobalPooling1D),
                                         (layers.Pooling2D, layers.GlobalPooling2D),
                                         (layers.Pooling3D, layers.GlobalPooling3D)), 1):
    for _word, _mode in (('Max', 'max'), ('Average', 'avg')):
        TRANSLATIONS[f'{_word}Pooling{_size}D'] = functools.partial(_pooling, _mode, _make, _size)
        TRANSLATIONS[f'Global{_word}Pooling{_size}D'] = functools.partial(_global_pooling, _mode, _whole)


def _borders(make: Any, word: str, config: Config) -> List[Any]:
    return [make(config.take(word), **_format(config), **config.common())]


def _enlarged(make: Any, config: Config) -> List[Any]:
    config.expect('interpolation', 'nearest')
    value = config.take('size')
    return [make(tuple(value) if isinstance(value, (list, tuple)) else value, **_format(config), **config.common())]


for _size, (_pad, _crop, _enlarge) in enumerate((
        (layers.ZeroPadding1D, layers.Cropping1D, layers.UnSampling1D),
        (layers.ZeroPadding2D, layers.Cropping2D, layers.UnSampling2D),
        (layers.ZeroPadding3D, layers.Cropping3D, layers.UnSampling3D)), 1):
    TRANSLATIONS[f'ZeroPadding{_size}D'] = functools.partial(_borders, _pad, 'padding')
    TRANSLATIONS[f'Cropping{_size}D'] = functools.partial(_borders, _crop, 'cropping')
    TRANSLATIONS[f'UpSampling{_size}D'] = functools.partial(_enlarged, _enlarge)


# -- recurrent ---------------------------------------------------------------------------------------------------------

_GATES = {'SimpleRNN': [''], 'LSTM': ['_i', '_f', '_o', '_c'], 'GRU': ['_z', '_r', '_h']}


def _recurrent(kind: str, config: Config) -> List[Any]:
    gates, given = _GATES[kind], {}
    if kind == 'GRU':
        config.expect('reset_after', False, advice='keraflow resets the state before the product with it: train the '
                                                   'model with GRU(..., reset_after=False).')
    if kind != 'SimpleRNN':
        given['inner_activation'] = config.activation('recurrent_activation')
    config.take('unit_forget_bias')
    config.expect('use_bias', True, advice='The biases of keraflow are always there.')
    flags = {name: config.take(name, False) for name in ('return_sequences', 'go_backwards', 'stateful', 'unroll')}
    parameters = {word: [letter + gate for gate in gates]
                  for word, letter in (('kernel', 'W'), ('recurrent', 'U'), ('bias', 'b'))}
    return [getattr(layers, kind)(
        config.take('units'), activation=config.activation(), drop_rate_W=config.take('dropout', 0.),
        drop_rate_U=config.take('recurrent_dropout', 0.), **given, **flags, **config.common(True, **parameters))]


for _kind in _GATES:
    TRANSLATIONS[_kind] = functools.partial(_recurrent, _kind)


def _inner(data: Any) -> Any:
    """Return the layer that a wrapper wraps."""
    kind, arguments = (data.get('class_name'), data.get('config')) if isinstance(data, dict) else (None, None)
    made = translated(kind, arguments)
    if len(made) != 1:
        raise NoMatch(f'layer={kind} has no match by one layer.')
    return made[0]


def _without_direction(data: Any) -> Any:
    return {**what_matters(data['config']), 'go_backwards': None, 'class': data['class_name']}


@_of('TimeDistributed')
def _time_distributed(config: Config) -> List[Any]:
    return [layers.TimeDistributed(_inner(config.take('layer')), **config.common())]


@_of('Bidirectional')
def _bidirectional(config: Config) -> List[Any]:
    there, back = config.take('layer'), config.take('backward_layer')
    if back is not None and _without_direction(back) != _without_direction(there):
        raise NoMatch('backward_layer, which differs from layer, has no match.')
    if isinstance(there, dict) and isinstance(there.get('config'), dict):       # Keras sets it: masked steps differ
        there = {**there, 'config': {**there['config'], 'zero_output_for_mask': False}}
    return [layers.Bidirectional(_inner(there), config.expect('merge_mode', 'concat', 'sum', 'mul', 'ave'),
                                 **config.common())]


# -- others ------------------------------------------------------------------------------------------------------------

def _axis(config: Config) -> Any:
    """Return an axis of Keras's, which counts the batch, as one that does not."""
    value = config.take('axis', -1)
    value = value[0] if isinstance(value, (list, tuple)) and len(value) == 1 else value
    if type(value) is not int or value == 0:
        raise NoMatch(f'axis={value} has no match.')
    return value - 1 if value > 0 else value


def _normalization(make: Any, config: Config) -> List[Any]:
    given = {} if make is layers.LayerNormalization else {'momentum': config.take('momentum')}
    return [make(axis=_axis(config), epsilon=config.take('epsilon'), scale=config.take('scale'),
                 center=config.take('center'), **given, **config.common(gamma=['gamma'], beta=['beta']))]


TRANSLATIONS['BatchNormalization'] = functools.partial(_normalization, layers.BatchNormalization)
TRANSLATIONS['LayerNormalization'] = functools.partial(_normalization, layers.LayerNormalization)


@_of('Embedding')
def _embedding(config: Config) -> List[Any]:
    masking = [layers.Masking(0)] if config.take('mask_zero') else []
    return [*masking, layers.Embedding(config.take('input_dim'), config.take('output_dim'),
                                       **config.common(True, embeddings=['W']))]


@_of('MultiHeadAttention')
def _attention(config: Config) -> List[Any]:
    dim, output = config.take('key_dim'), config.take('output_shape')
    config.expect('value_dim', dim)
    config.expect('attention_axes', None, [1])
    output = output[0] if isinstance(output, (list, tuple)) and len(output) == 1 else output
    kernels, biases = ([f'{kind}_{letter}' for letter in 'qkvo'] for kind in 'Wb')
    return [layers.MultiHeadAttention(config.take('num_heads'), dim, output, config.take('dropout', 0.),
                                      config.take('use_causal_mask', False), bias=config.take('use_bias'),
                                      **config.common(kernel=kernels, bias=biases))]


def _noise(make: Any, word: str, config: Config) -> List[Any]:
    return [make(config.take(word), **config.common())]


for _kind, _make, _word in (('Dropout', layers.Dropout, 'rate'), ('SpatialDropout1D', layers.SpatialDropout1D, 'rate'),
                            ('GaussianDropout', layers.GaussianDropout, 'rate'),
                            ('GaussianNoise', layers.GaussianNoise, 'stddev')):
    TRANSLATIONS[_kind] = functools.partial(_noise, _make, _word)


def _spatial_dropout(make: Any, config: Config) -> List[Any]:
    return [make(config.take('rate'), **_format(config), **config.common())]


TRANSLATIONS['SpatialDropout2D'] = functools.partial(_spatial_dropout, layers.SpatialDropout2D)
TRANSLATIONS['SpatialDropout3D'] = functools.partial(_spatial_dropout, layers.SpatialDropout3D)


def _merged(make: Any, config: Config) -> List[Any]:
    return [make(**config.common())]


for _kind, _make in (('Add', layers.ElementWiseSum), ('Multiply', layers.ElementWiseMult),
                     ('Average', layers.ElementWiseAverage), ('Maximum', layers.ElementWiseMax)):
    TRANSLATIONS[_kind] = functools.partial(_merged, _make)


@_of('Concatenate')
def _concatenate(config: Config) -> List[Any]:
    return [layers.Concatenate(_axis(config), **config.common())]


@_of('Subtract')
def _subtract(config: Config) -> List[Any]:
    return [layers.Operation('subtract', [{'input': 0}, {'input': 1}], **config.common())]


@_of('Minimum')
def _minimum(config: Config) -> List[Any]:
    return [layers.Operation('minimum', [{'input': 0}, {'input': 1}], **config.common())]


@_of('Dot')
def _dot(config: Config) -> List[Any]:
    axes = config.take('axes')
    pair = [axes, axes] if isinstance(axes, int) else axes
    if len(pair) != 2 or 0 in pair:
        raise NoMatch(f'axes={axes} has no match.')
    return [layers.Dot([axis - 1 if axis > 0 else axis for axis in pair], config.take('normalize'), **config.common())]


@_of('Flatten')
def _flatten(config: Config) -> List[Any]:
    config.expect('data_format', LAST, advice='Keras moves the channels of channels_first to the end first.')
    return [layers.Flatten(**config.common())]


@_of('Reshape')
def _reshape(config: Config) -> List[Any]:
    return [layers.Reshape(config.take('target_shape'), **config.common())]


@_of('Permute')
def _permute(config: Config) -> List[Any]:
    return [layers.PermuteDims([axis - 1 for axis in config.take('dims')], **config.common())]


@_of('RepeatVector')
def _repeat(config: Config) -> List[Any]:
    return [layers.ExpandDims(0), layers.Repeat(config.take('n'), **config.common())]


@_of('Masking')
def _masking(config: Config) -> List[Any]:
    return [layers.Masking(config.take('mask_value'), **config.common())]


@_of('Identity')
def _identity(config: Config) -> List[Any]:
    return [layers.Activation('linear', **config.common())]


def _activated(function: Any, config: Config, **arguments: Any) -> List[Any]:
    return [layers.Activation(functools.partial(function, **arguments), **config.common())]


@_of('Activation')
def _activation(config: Config) -> List[Any]:
    return [layers.Activation(config.activation(features_are_last=False), **config.common())]


@_of('Softmax')
def _softmax(config: Config) -> List[Any]:
    return _activated(activations.softmax, config, axis=config.expect('axis', -1))


@_of('ReLU')
def _relu(config: Config) -> List[Any]:
    config.expect('threshold', 0., 0)
    top, slope = config.take('max_value'), config.take('negative_slope', 0.)
    return _activated(activations.relu, config, alpha=slope, max_value=top)


@_of('LeakyReLU')
def _leaky_relu(config: Config) -> List[Any]:
    return _activated(activations.leaky_relu, config, alpha=config.take('negative_slope'))


@_of('ELU')
def _elu(config: Config) -> List[Any]:
    return _activated(activations.elu, config, alpha=config.take('alpha'))


@_of('PReLU')
def _prelu(config: Config) -> List[Any]:
    axes: Optional[List[int]] = config.take('shared_axes')
    return [layers.PReLU(shared_axes=[axis - 1 for axis in axes] if axes else None, **config.common(alpha=['alpha']))]
