"""Build a model of keraflow from a model of Keras."""
import os
from collections import Counter, defaultdict
from typing import Any, Dict, Iterator, List, NamedTuple, Optional, Sequence, Tuple

import numpy as np

from keraflow.errors import ArgumentError, ArgumentTypeError, KeraFlowError, ModelFileError, describe
from keraflow.files.refusal import excerpt, refusal
from keraflow.graph.kensor import Kensor
from keraflow.layers import Dense, Input, MultiHeadAttention, Operation, TimeDistributed
from keraflow.models.keras.archive import EXTENSION, Weights, read_keras
from keraflow.models.keras.arrays import arrays_of, snake_case
from keraflow.models.keras.config import NoMatch
from keraflow.models.keras.translation import translated
from keraflow.models.models import Model
from keraflow.schema.checked import checked
from keraflow.shapes import unlist

__all__ = ['import_keras']

_MODELS = ('Functional', 'Model', 'Sequential')
#: Where Keras has its own classes; ops have the names of layers, too.
_MODULES = ('keras', 'keras.layers', 'keras.models', 'keras.src.models.functional', 'keras.src.models.sequential')
#: With these, Keras writes the masks of a Functional model as tensors.
_OPS = 'keras.src.ops.numpy'
_OPERATIONS = {'NotEqual': 'not_equal', 'Any': 'any', 'LogicalOr': 'logical_or'}
_MAX_TOLD = 3
#: Where messages place what is wrong in a description that is in no file.
_NO_FILE = 'import_keras'


@checked
def import_keras(source: Any, weights: Any = None) -> Model:
    """Build a model from one of Keras 3, with its weights.

    Parameters
    ----------
    source : path, dict or model of Keras
        A file that ends with ``.keras``; what ``get_config`` of a Keras model returned; or the model itself.
    weights : list of array, optional
        What ``get_weights`` of the Keras model returned, for a dict. Without it the weights are initial ones.

    Returns
    -------
    Model
        With the names of Keras's layers. It predicts what the Keras model does, and is not compiled.

    Raises
    ------
    ModelFileError
        If keraflow has no match for a layer, an argument or a call, each of which the message names; or if the file is
        damaged.
    MissingPackageError
        For a file, without h5py.

    Notes
    -----
    Layers with names and arguments of keraflow's take the place of Keras's; see the table in the documentation. Images
    keep their ``data_format``. Initializations are left out, because the weights are there. A file runs no code, but it
    is read by the C library of HDF5, whose faults are its own: import files that you trust.

    Examples
    --------
    >>> dense = {'class_name': 'Dense', 'config': {'name': 'd', 'units': 2, 'activation': 'relu', 'use_bias': False}}
    >>> start = {'class_name': 'InputLayer', 'config': {'name': 'x', 'batch_shape': [None, 3], 'dtype': 'float32'}}
    >>> model = import_keras({'name': 'm', 'layers': [start, dense]}, [[[1., 0.], [0., 1.], [0., -1.]]])
    >>> model.predict([[1., 2., 3.]]).tolist()
    [[1.0, 0.0]]
    """
    where = _NO_FILE
    arrays: Optional[Weights] = None
    if isinstance(source, (str, os.PathLike)):
        where = os.fspath(source)
        if not where.endswith(EXTENSION):
            raise refusal(where, f'expected a file that ends with {EXTENSION}, as model.save of Keras 3 writes it.')
        source, arrays = read_keras(source)
        if weights is not None:
            raise ArgumentError(f'import_keras: weights: {where} has weights. Pass weights for a dict alone.')
    elif hasattr(source, 'get_config') and hasattr(source, 'get_weights'):
        source, weights = source.get_config(), source.get_weights()
    elif not isinstance(source, dict):
        raise ArgumentTypeError('import_keras: source: expected a path, the dict of get_config or a model of Keras, '
                                f'received {describe(source)}.')
    importer = _Importer(where)
    try:
        model = importer.model(_lists(source.get('config', source)), '')
    except NoMatch as error:
        raise refusal(where, str(error)) from error
    if weights is not None:
        arrays = _from_list(weights, importer.placed)
    if arrays is not None:
        _set_weights(importer.placed, arrays, where)
    return model


class _Placed(NamedTuple):
    """A layer of keraflow, and the folder in which Keras has its weights."""

    folder: str
    layer: Any


class _Node(NamedTuple):
    """A call of a layer of Keras."""

    layer: str
    number: int
    fed: List[Any]
    keywords: Dict[str, Any]


class _Importer:
    """Builds the graph of a model, and of those inside it."""

    def __init__(self, where: str):
        self._where = where
        self.placed: List[_Placed] = []

    def model(self, data: Any, folder: str) -> Model:
        """Return the model with a description."""
        listed = data.get('layers') if isinstance(data, dict) else None
        if not isinstance(listed, list) or not all(_is_layer(one) for one in listed):
            raise refusal(self._where, 'this is no description of a Functional or Sequential model of Keras 3.')
        nodes = _sequence(data, listed) if 'input_layers' not in data else _calls(listed)
        chains = self._chains(listed, nodes, folder)
        kensors = self._connected(chains, nodes)
        ends = (data['input_layers'], data['output_layers']) if 'input_layers' in data else (
            [nodes[0].layer, 0, 0], [nodes[-1].layer, 0, 0])
        # There alone, Keras counts the graph of a model as its first call.
        extra = {_name(one): 1 for one in listed if one['class_name'] in ('Functional', 'Model')}
        inputs, outputs = ([self._at(kensors, (name, number - extra.get(name, 0), output))
                            for name, number, output in _places(end)] for end in ends)
        name = data.get('name')
        return Model(inputs, outputs, name=name if folder or isinstance(name, str) else None,
                     trainable=data.get('trainable', True))

    def _chains(self, listed: List[Any], nodes: List[_Node], folder: str) -> Dict[str, List[Any]]:
        """Return the layers of keraflow for each of Keras, by its name."""
        chains: Dict[str, List[Any]] = {}
        used: Counter = Counter()
        problems = []
        keywords = defaultdict(list)
        for node in nodes:
            keywords[node.layer].append(node.keywords)
        for one in listed:
            kind, name = one['class_name'], _name(one)
            number = used[snake_case(kind)]
            used[snake_case(kind)] += 1
            place = f'{folder}layers/{snake_case(kind)}' + (f'_{number}' if number else '')
            try:
                chains[name] = self._chain(one, kind, place, keywords[name])
            except (KeraFlowError, TypeError, ValueError, AttributeError) as error:     # on damaged arguments
                if isinstance(error, ModelFileError):
                    raise
                problems.append(f'{excerpt(name)} ({excerpt(kind)[1:-1]}): {error}')
        if problems:
            more = f' And {len(problems) - _MAX_TOLD} more.' if len(problems) > _MAX_TOLD else ''
            raise refusal(self._where, ' '.join(problems[:_MAX_TOLD]) + more)
        return chains

    def _chain(self, one: Dict[str, Any], kind: str, place: str, keywords: List[Dict[str, Any]]) -> List[Any]:
        if one.get('module') == _OPS and kind in _OPERATIONS:
            return [_operation(one)]
        if one.get('module', 'keras') not in _MODULES or one.get('registered_name') not in (None, kind):
            raise NoMatch('keraflow has no layer that computes this.')
        if kind == 'InputLayer':
            return [_input(one['config'])]
        if kind in _MODELS:
            return [self.model(one['config'], f'{place}/')]
        causal = {call.get('use_causal_mask', False) for call in keywords}
        chain = translated(kind, {**one['config'], 'use_causal_mask': causal == {True}} if kind == 'MultiHeadAttention'
                           else one['config'])
        if len(causal) > 1:
            raise NoMatch('calls with and without use_causal_mask have no match.')
        self.placed += [_Placed(place, layer) for layer in chain]
        return chain

    def _connected(self, chains: Dict[str, List[Any]], nodes: List[_Node]) -> Dict[Tuple[str, int], List[Any]]:
        """Call the layers, each after those that feed it; return the outputs of each call."""
        kensors: Dict[Tuple[str, int], List[Any]] = {}
        waiting = {(node.layer, node.number): node for node in nodes}
        feeding = defaultdict(list)
        missing = {}
        for key, node in waiting.items():
            needed = {_key(place) for place in node.fed + _in_keywords(node.keywords)}
            missing[key] = len(needed)
            for one in needed:
                feeding[one].append(key)
        ready = [key for key, count in missing.items() if not count]
        while ready:
            key = ready.pop()
            kensors[key] = self._call(chains[key[0]], waiting.pop(key), kensors)
            for one in feeding[key]:
                missing[one] -= 1
                if not missing[one]:
                    ready.append(one)
        if waiting:
            raise refusal(self._where, f'the layer {excerpt(next(iter(waiting))[0])} is fed by itself, or by a layer '
                                       'that is not there.')
        return kensors

    def _call(self, chain: List[Any], node: _Node, kensors: Dict[Tuple[str, int], List[Any]]) -> List[Any]:
        if isinstance(chain[0], Kensor):
            return [chain[0]]
        try:
            fed = [self._at(kensors, place) for place in node.fed]
            keywords: Dict[str, Any] = {
                name: [self._at(kensors, place) for place in _in_keywords({name: value})] or value
                for name, value in node.keywords.items()}
            mask = keywords.pop('mask') if isinstance(keywords.get('mask'), list) else None
            fed = _with_keywords(chain[-1], fed, keywords)
            found: Any = fed
            for place, layer in enumerate(chain):
                layer = chain[place] = _on_steps(layer, found)
                found = layer(found if len(found) > 1 or layer.multi_input else found[0],
                              **({'mask': unlist(mask)} if mask else {}))
                found = list(found) if isinstance(found, (list, tuple)) else [found]
            return found
        except ModelFileError:
            raise
        except KeraFlowError as error:
            raise refusal(self._where, f'{excerpt(node.layer)}: {error}') from error

    def _at(self, kensors: Dict[Tuple[str, int], List[Any]], place: Any) -> Any:
        made = kensors.get(_key(place), [])
        if not place[2] < len(made):
            raise refusal(self._where, f'there is no output {place[2]} of the layer {excerpt(place[0])}.')
        return made[place[2]]


# -- reading descriptions ----------------------------------------------------------------------------------------------

def _lists(data: Any) -> Any:
    """Return a description as a file would hold it: without tuples."""
    if isinstance(data, dict):
        return {key: _lists(value) for key, value in data.items()}
    return [_lists(one) for one in data] if isinstance(data, (list, tuple)) else data


def _is_layer(one: Any) -> bool:
    return isinstance(one, dict) and isinstance(one.get('class_name'), str) and isinstance(one.get('config'), dict) \
        and isinstance(_name(one), str)


def _name(one: Dict[str, Any]) -> Any:
    return one.get('name', one['config'].get('name'))


def _input(config: Dict[str, Any]) -> Any:
    shape = config.get('batch_shape')
    if not isinstance(shape, (list, tuple)) or len(shape) < 2 or config.get('sparse') or config.get('ragged'):
        raise NoMatch(f'batch_shape={excerpt(shape)} has no match: keraflow needs an axis after the batch.')
    return Input(tuple(shape[1:]), batch_size=shape[0], dtype=config.get('dtype'), name=config.get('name'))


def _sequence(data: Dict[str, Any], listed: List[Any]) -> List[_Node]:
    """Return the calls of a Sequential; it gets an Input if it has only the shape of one."""
    if listed and listed[0]['class_name'] != 'InputLayer':
        config = {'name': 'input', 'batch_shape': data.get('build_input_shape'), 'dtype': None}
        listed.insert(0, {'class_name': 'InputLayer', 'config': config})
    names = [_name(one) for one in listed]
    return [_Node(name, 0, [[before, 0, 0]] if before else [], {}) for before, name in zip([None, *names], names)]


def _calls(listed: List[Any]) -> List[_Node]:
    nodes = []
    for one in listed:
        made = one.get('inbound_nodes')
        if not isinstance(made, list) or not all(isinstance(it, dict) and isinstance(it.get('kwargs'), dict)
                                                 for it in made):
            raise NoMatch('this is a description by an earlier Keras. Load the model with Keras 3 and save it anew.')
        try:
            nodes += [_Node(_name(one), number, _tensors(_without_number(one, it.get('args'))), it['kwargs'])
                      for number, it in enumerate(made)]
        except NoMatch as error:
            raise NoMatch(f"{excerpt(_name(one))} ({excerpt(one['class_name'])[1:-1]}): {error}") from error
        nodes += [] if made else [_Node(_name(one), 0, [], {})]
    return nodes


def _without_number(one: Dict[str, Any], args: Any) -> Any:
    """Return the tensors among the arguments of a call, of which that of NotEqual also has a number."""
    is_number = one['class_name'] == 'NotEqual' and isinstance(args, list) and len(args) == 2 and \
        type(args[1]) in (int, float)
    return args[:1] if is_number else args


def _operation(one: Dict[str, Any]) -> Operation:
    """Return what computes a mask."""
    kind, config = one['class_name'], one['config']
    axes = {name: config.get(name) for name in ('axis', 'keepdims')} if kind == 'Any' else None
    numbers = {tuple(node['args'][1:]) for node in one['inbound_nodes']} if kind == 'NotEqual' else {()}
    if len(numbers) > 1:
        raise NoMatch('calls with several numbers have no match.')
    tensors = [{'input': 0}, {'input': 1}][:2 if kind == 'LogicalOr' else 1]
    return Operation(_OPERATIONS[kind], [*tensors, *numbers.pop()], axes, name=_name(one))


def _tensors(value: Any) -> List[Any]:
    """Return the places of all Kensors that arguments hold."""
    if isinstance(value, dict) and value.get('class_name') == '__keras_tensor__':
        return [_place(value.get('config', {}).get('keras_history'))]
    if isinstance(value, (list, tuple)):
        return [place for one in value for place in _tensors(one)]
    raise NoMatch(f'a call with {excerpt(value)} has no match.')


def _in_keywords(keywords: Dict[str, Any]) -> List[Any]:
    return [place for value in keywords.values() if isinstance(value, (dict, list)) for place in _tensors(value)]


def _place(value: Any) -> Any:
    is_place = isinstance(value, (list, tuple)) and len(value) == 3 and isinstance(value[0], str) and all(
        type(one) is int and one >= 0 for one in value[1:])
    if not is_place:
        raise NoMatch(f'expected the place of a tensor, found {excerpt(value)}.')
    return value


def _places(value: Any) -> Iterator[Any]:
    """Return places of inputs or outputs, which may be one, a list, or a dict by name."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, (list, tuple)) and value and not isinstance(value[0], str):
        return (place for one in value for place in _places(one))
    return iter([_place(value)])


def _key(place: Any) -> Tuple[str, int]:
    return place[0], place[1]


def _on_steps(layer: Any, fed: List[Any]) -> Any:
    """Return a layer that takes inputs of any rank in Keras, made for the rank of what it is fed first."""
    if isinstance(layer, Dense) and not layer.built:
        for _ in fed[0].shape[2:]:
            layer = TimeDistributed(layer, name=layer.user_name)
    return layer


def _with_keywords(layer: Any, fed: List[Any], keywords: Dict[str, Any]) -> List[Any]:
    """Return what a layer is fed, with what its call names."""
    rest = dict(keywords)
    rest.pop('use_causal_mask', None)
    if hasattr(layer, 'states'):        # a recurrent layer
        fed += rest.pop('initial_state', None) or []
    if isinstance(layer, MultiHeadAttention):
        query, value, *key = fed + (rest.pop('value', None) or []) + (rest.pop('key', None) or [])
        fed = [query, *key, value]
    for name, value in rest.items():
        if value is not None and value is not False:
            raise NoMatch(f'a call with {name}={excerpt(value)} has no match.')
    return fed


# -- weights -----------------------------------------------------------------------------------------------------------

def _from_list(weights: Sequence[Any], placed: List[_Placed]) -> Weights:
    """Return the arrays of a list by the places that they have in a file."""
    places = [f'{folder}/{one.path}' for folder, layer in placed for one in arrays_of(layer)]
    if len(weights) != len(places):
        raise ArgumentError(f'import_keras: weights: expected {len(places)} arrays, one for each of '
                            f'{", ".join(places)[:120]}, received {len(weights)}.')
    arrays = dict(zip(places, map(np.asarray, weights)))

    def array(place: str, shape: Tuple[int, ...]) -> np.ndarray:
        if arrays[place].shape != shape:
            raise ArgumentError(f'import_keras: weights: {place}: expected shape {shape}, received '
                                f'{arrays[place].shape}.')
        return arrays[place]
    return array


def _set_weights(placed: List[_Placed], arrays: Weights, where: str) -> None:
    read = []
    for folder, layer in placed:
        before = layer.get_weights()
        shapes = {name: np.shape(value) for name, value in before.items()}
        own: Dict[str, np.ndarray] = {}
        for one in arrays_of(layer):
            array = arrays(f'{folder}/{one.path}', one.keras_shape(shapes))
            dtype = before[one.names[0]].dtype
            if where != _NO_FILE and not np.can_cast(array.dtype, dtype):
                raise refusal(where, f'{folder}/{one.path} is {array.dtype}, which {dtype} cannot hold; set '
                                     f'KERAFLOW_FLOATX={array.dtype}.')
            own.update(one.to_own(array, shapes))
        read.append((layer, own))
    for layer, own in read:     # all or nothing
        if own:
            layer.set_weights(own)
