"""``to_python``: write the Python program that builds a model."""
import functools
import inspect
import keyword
import math
import re
from typing import Any, Dict, List, Set, Tuple

import numpy as np

from keraflow import registry, schema
from keraflow.errors import ArgumentTypeError, SerializationError, describe
from keraflow.graph.call_arguments import replaced
from keraflow.graph.kensor import Kensor
from keraflow.layers.base import Layer
from keraflow.layers.input import Input
from keraflow.layers.network import Network
from keraflow.layers.operation import Operation
from keraflow.serialization import Serializable, pack_init_params, same, serialize

__all__ = ['to_python']

WIDTH = 100     # beyond this, a list of layers is broken into lines


def to_python(model: Network) -> str:
    """Return Python source that builds a model like this one: same layers, arguments and graph, but new parameters.

    Parameters
    ----------
    model : Model or Sequential

    Returns
    -------
    str
        A program whose last statement assigns to ``model``. It imports the program's own classes and functions from
        the modules that define them.

    Raises
    ------
    SerializationError
        For what cannot be saved either, such as a lambda.

    Examples
    --------
    >>> from keraflow.layers import Dense, Input
    >>> from keraflow.models import Model
    >>> x = Input(64, name='x')
    >>> print(to_python(Model(x, Dense(10, activation='softmax')(Dense(50, init='he_normal')(x)))))
    from keraflow.layers import Dense, Input
    from keraflow.models import Model
    <BLANKLINE>
    x = Input(64, name='x')
    dense1 = Dense(50, init='he_normal')(x)
    dense2 = Dense(10, activation='softmax')(dense1)
    model = Model(x, dense2)
    <BLANKLINE>
    """
    if not isinstance(model, Network):
        raise ArgumentTypeError(f'to_python: expected a Model or a Sequential, received {describe(model)}.')
    program = _Program(model)
    program.assign('model', model)
    serialize(model)        # raises if it cannot be saved
    return program.text()


class _Name(str):
    """A variable of the generated program."""

    __repr__ = str.__str__


class _Program:
    """Statements, and the imports that they need."""

    def __init__(self, model: Network):
        self.imports: Set[Tuple[str, str]] = set()
        self.statements: List[str] = []
        self.taken = {'model', 'B', 'functools', 'np', *keyword.kwlist}
        self.names: Dict[int, str] = {}             # the variables of layers that have one
        self.uses: Dict[int, int] = {}
        self._count_uses(model)

    def text(self) -> str:
        modules: Dict[str, List[str]] = {}
        for module, name in self.imports:
            modules.setdefault(module, []).append(name)
        lines = [f"from {module} import {', '.join(sorted(set(names)))}" if names != [''] else f'import {module}'
                 for module, names in sorted(modules.items(), key=lambda it: (it[0].startswith('keraflow'), it[0]))]
        lines = [line.replace('import backend', 'import backend as B') if line == 'from keraflow import backend' else
                 'import numpy as np' if line == 'import numpy' else line for line in lines]
        return '\n'.join([*lines, '', *self.statements, ''])

    def assign(self, name: str, layer: Layer) -> str:
        """Assign `layer` to a variable."""
        if _has_graph(layer):
            expression = self._graph(layer)
        else:
            expression = self._call(layer)
            if isinstance(layer, Network) and len(expression) > WIDTH and '([' in expression:
                start, end = expression.index('([') + 2, expression.rindex(']')
                rows = [f'    {self._layer(one)},' for one in layer.layers]
                expression = '\n'.join([expression[:start], *rows, expression[end:]])
        self.statements.append(f'{name} = {expression}')
        self.names[id(layer)] = name
        return name

    # -- which objects need a variable --------------------------------------------------------------------------------

    def _count_uses(self, value: Any) -> None:
        if isinstance(value, (list, tuple)):
            for item in value:
                self._count_uses(item)
        elif isinstance(value, dict):
            self._count_uses(list(value.values()))
        elif inspect.isroutine(value):
            self.taken.add(value.__name__)
        elif isinstance(value, Serializable):
            seen = id(value) in self.uses
            self.uses[id(value)] = self.uses.get(id(value), 0) + 1
            if seen:
                return
            self.taken.add(type(value).__name__)
            if isinstance(value, Network) and _has_graph(value):
                self._count_uses([*(call.layer for call in value.calls), value.activity_regularizer])
            else:
                self._count_uses(pack_init_params(value))

    # -- expressions --------------------------------------------------------------------------------------------------

    def value(self, value: Any, kind: str = '') -> str:
        """Return an expression for a value; `kind` is that of its slot."""
        if isinstance(value, list):
            return f"[{', '.join(self.value(item, kind) for item in value)}]"
        if isinstance(value, tuple):
            return f"({', '.join(self.value(item, kind) for item in value)}{',' * (len(value) == 1)})"
        if isinstance(value, dict):
            items = (f'{self.value(key)}: {self.value(item, kind)}' for key, item in value.items())
            text = f"{{{', '.join(items)}}}"
            return text if type(value) is dict else f'{self._name_of(type(value))}({text})'
        if isinstance(value, (set, frozenset)):
            return f'{type(value).__name__}({self.value(sorted(value, key=repr))})'  # the same text in each run
        if isinstance(value, (np.ndarray, np.generic, np.dtype)):
            return self._of_numpy(value)
        if isinstance(value, functools.partial):
            self.imports.add(('functools', ''))
            arguments = [self.value(value.func), *(f'{_identifier(key)}={self.value(it)}'
                                                   for key, it in value.keywords.items())]
            return f"functools.partial({', '.join(arguments)})"
        if inspect.isroutine(value):
            return self._function(value, kind)
        if inspect.isclass(value):
            return self._of_numpy(value) if issubclass(value, np.generic) else self._name_of(value)
        if isinstance(value, Layer):
            return self._layer(value)
        is_object = isinstance(value, Serializable) or registry.entry_of(type(value)) is not None
        return self._call(value) if is_object else _plain(value)

    def _of_numpy(self, value: Any) -> str:
        """Return an expression for a NumPy number, array, dtype or type."""
        self.imports.add(('numpy', ''))
        if isinstance(value, np.ndarray):
            shape = f'.reshape({value.shape})' if not value.size else ''
            return f"np.array({self.value(value.tolist())}, '{value.dtype.name}'){shape}"
        if isinstance(value, np.generic):
            return f'np.{type(value).__name__}({self.value(value.item())})'
        return f"np.dtype('{value.name}')" if isinstance(value, np.dtype) else f'np.{value.__name__}'

    def _function(self, function: Any, kind: str) -> str:
        name = registry.id_of(function)
        entry = registry.find(name, kind)
        if entry is None or not entry.builtin:
            return self._name_of(function)
        if kind:
            return repr(name)
        if not name.startswith('B.'):
            return self._name_of(function)
        self.imports.add(('keraflow', 'backend'))
        return name

    def _layer(self, layer: Layer) -> str:
        if id(layer) not in self.names and (self.uses.get(id(layer), 1) > 1 or _has_graph(layer)):
            return self.assign(self._variable(layer.user_name or type(layer).__name__.lower()), layer)
        return self.names.get(id(layer)) or self._call(layer)

    def _call(self, made: Serializable) -> str:
        """Return the constructor call that makes an object, without arguments that equal their defaults."""
        positional, arguments = True, []
        parameters, kinds = schema.arguments_of(type(made)), schema.kinds_of(type(made))
        packed = pack_init_params(made)
        for name, one in parameters.items():
            optional = one.default is not inspect.Parameter.empty
            text = self.value(packed[name], kinds[name]) if name in packed else ''
            if name not in packed or optional and text == self.value(one.default, kinds[name]):
                positional = False
                continue
            positional = positional and one.positional and not optional or name == 'layers'  # as in Sequential([...])
            arguments.append(text if positional else f'{name}={text}')
        return f"{self._name_of(type(made))}({', '.join(arguments)})"

    def _name_of(self, target: Any) -> str:
        """Return the name of a class or function, and import it."""
        module = target.__module__
        if module.startswith('keraflow.'):
            module = '.'.join(module.split('.')[:2])    # public names are those of the packages
        if module != 'builtins':
            self.imports.add((module, _identifier(target.__name__)))
        return target.__name__

    # -- graphs -------------------------------------------------------------------------------------------------------

    def _graph(self, model: Any) -> str:
        """Emit the statements for the calls of a Model, and return the expression that makes it."""
        ids, full_names = model.names.of, model.names.kensors
        kensors: Dict[Kensor, str] = {}
        for call in model.calls:
            once = self.uses[id(call.layer)] == 1 and len(call.outputs) == 1
            names = [self._variable(ids[id(call.layer)] if once else full_names[kensor]) for kensor in call.outputs]
            self.statements.append(f"{', '.join(names)} = {self._fed(call, kensors)}")
            kensors.update(zip(call.outputs, names))
        ends = [[kensors[kensor] for kensor in some] for some in (model.inputs, model.outputs)]
        arguments = [names[0] if len(names) == 1 else f"[{', '.join(names)}]" for names in ends]
        parameters, kinds = schema.arguments_of(type(model)), schema.kinds_of(type(model))
        packed = pack_init_params(model)
        others = [(name, packed.get(name, one.default)) for name, one in parameters.items()
                  if name not in ('inputs', 'outputs')]
        arguments += [f'{name}={self.value(value, kinds[name])}' for name, value in others
                      if not same(value, parameters[name].default)]
        return f"{self._name_of(type(model))}({', '.join(arguments)})"

    def _fed(self, call: Any, kensors: Dict[Kensor, str]) -> str:
        layer, inputs = call.layer, [kensors[it] for it in call.fed]
        if isinstance(layer, Input):
            return self._call(layer)
        if isinstance(layer, Operation) and layer.user_name is None and not call.arguments:
            return self._operation(layer, inputs)
        fed = f"[{', '.join(inputs)}]" if layer.multi_input and len(inputs) != 1 else ', '.join(inputs)
        arguments = replaced(call.arguments, lambda kensor: _Name(kensors[kensor]))
        by_name = [f'{name}={self.value(it)}' for name, it in arguments.items()]
        return f"{self._layer(layer)}({', '.join([fed, *by_name])})"

    def _operation(self, layer: Operation, inputs: List[str]) -> str:
        arguments = [_argument(it, inputs) for it in layer.args]
        if layer.operation == 'getitem':
            return f'{arguments[0]}[{arguments[1][1:-1] if arguments[1][0] == "[" else arguments[1]}]'
        self.imports.add(('keraflow', 'backend'))
        arguments += [f'{_identifier(name)}={_argument(it, inputs)}' for name, it in (layer.kwargs or {}).items()]
        if "np." in ''.join(arguments):
            self.imports.add(('numpy', ''))
        return f"B.{layer.operation}({', '.join(arguments)})"

    def _variable(self, wanted: str) -> str:
        name = re.sub(r'\W', '_', wanted)
        name = f'_{name}' if not name[:1].isidentifier() else name
        number = 1
        while name in self.taken:
            number += 1
            name = f"{re.sub(r'_*$', '', name.rsplit('__', 1)[0])}__{number}"
        self.taken.add(name)
        return name


def _has_graph(layer: Any) -> bool:
    """Return whether a layer is built by calls on Kensors, and not from its arguments alone."""
    return isinstance(layer, Network) and pack_init_params(layer).keys() >= {'layers', 'path', 'inputs', 'outputs'}


def _identifier(name: str) -> str:
    """Return `name` if it can be used in a program as it is."""
    if not name.isidentifier() or keyword.iskeyword(name):
        raise SerializationError(f'to_python: {name!r:.60} is not a name that a program can write. Use letters, digits '
                                 'and _.')
    return name


def _plain(value: Any) -> str:
    return repr(value) if not isinstance(value, float) or math.isfinite(value) else f"float('{value}')"


def _argument(value: Any, inputs: List[str]) -> str:
    """Return an expression for an argument of an Operation."""
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(_argument(item, inputs) for item in value)}]"
    if not isinstance(value, dict):
        return _plain(value)
    if 'input' in value:
        return inputs[value['input']]
    if 'ellipsis' in value:
        return '...'
    if 'array' in value:
        return f"np.array({_argument(value['array'], inputs)}, '{value['dtype']}')"
    start, stop, step = ('' if it is None else str(it) for it in value['slice'])
    return f'{start}:{stop}' + (f':{step}' if step else '')
