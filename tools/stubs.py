"""Write stubs, which tell type checkers what ``keraflow`` and ``keraflow.backend`` resolve at run time.

In ``keraflow/backend/__init__.pyi`` each method of the contract is a function, annotated as in the contract; an
operation on a Kensor returns a Kensor. ``make stubs`` runs this; a test fails while a stub is out of date.
"""
import ast
import builtins
import inspect
import sys
import textwrap
import types
import typing
from pathlib import Path
from typing import Any, Callable, Dict, List, Set

import numpy.typing
import keraflow
from keraflow import backend, schema
from keraflow.backend.contract import OPERATIONS, Backend
from keraflow.backend.tensor import Operand, Tensor
from keraflow.graph.kensor import Kensor

HEADER = '# Made by tools/stubs.py: run "make stubs". isort: skip_file\n'
PUBLIC = vars(backend)['__all__']
#: The contract's names for tensors, and their types as arguments and as results.
TAKEN = {'Tensor': 'Operand', 'Variable': 'Tensor'}
GIVEN = {'Variable': 'Tensor'}
#: The facade also takes objects such as ``np.float32``.
DTYPES = {'str': 'DTypeLike', 'DType': 'DTypeLike'}


#: The item types that the contract does not give.
OPEN = {'Callable': 'Callable[..., Any]', 'Sequence': 'Sequence[Any]', 'Shape': 'Tuple[Any, ...]',
        'contextlib.AbstractContextManager': 'contextlib.AbstractContextManager[Any]', 'list': 'List[Any]',
        'np.ndarray': 'np.ndarray[Any, Any]', 'tuple': 'Tuple[Any, ...]'}


class _Renaming(ast.NodeTransformer):
    def __init__(self, names: Dict[str, str]):
        self.names = {**OPEN, **names}

    def visit_Subscript(self, node: ast.Subscript) -> ast.Subscript:
        return ast.Subscript(node.value, self.visit(node.slice))

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return _expression(self.names.get(node.id, node.id))

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        return _expression(self.names.get(ast.unparse(node), ast.unparse(node)))


def _expression(text: str) -> ast.expr:
    return ast.parse(text, mode='eval').body


class Stub:
    """The lines of a stub, and the imports that they need."""

    def __init__(self) -> None:
        self.lines: List[str] = []
        self.modules: Set[str] = set()
        self.names: Dict[str, Set[str]] = {'typing': {'overload'}}      # by module

    def text(self) -> str:
        """Return the whole stub."""
        imports = [f'import {name}' for name in sorted(self.modules)]
        for module, names in sorted(self.names.items()):
            listed = (f'{name} as {name}' if name in PUBLIC else name for name in sorted(names))
            imports.append(f'from {module} import {", ".join(listed)}')
        return HEADER + '\n'.join([*imports, '', *self.lines]) + '\n'

    def add(self, name: str) -> None:
        """Write a public name: of the facade itself, of a module that it re-exports, or of the contract."""
        value = getattr(backend, name) if name in PUBLIC else getattr(Backend, name)
        if name in PUBLIC and value.__module__ != backend.__name__:
            self.names.setdefault(value.__module__, set()).add(name)
        else:
            line, of_kensor = self._line(value), self._line(value, {'Tensor': 'Kensor'})
            takes_kensor = name in OPERATIONS and 'Kensor' in of_kensor.partition(' -> ')[0]
            self.lines += ['@overload', of_kensor, '@overload', line] if takes_kensor else [line]

    def _line(self, function: Callable, first: Dict[str, str] = {}) -> str:
        """Write a function without its body; `first` renames the types of its first argument and of its result."""
        function = inspect.unwrap(function)
        [node] = ast.parse(textwrap.dedent(inspect.getsource(function))).body
        assert isinstance(node, ast.FunctionDef)
        arguments = [one for one in node.args.args if one.arg != 'self']
        node.args.args = arguments
        for argument in arguments:
            renamed = _Renaming({**TAKEN, **(first if argument is arguments[0] else {}),
                                 **(DTYPES if argument.arg == 'dtype' else {})})
            argument.annotation = self._known(renamed.visit(argument.annotation or ast.Name('Any')), function)
        returned = self._known(_Renaming({**GIVEN, **first}).visit(node.returns or ast.Name('Any')), function)
        return f'def {node.name}({ast.unparse(node.args)}) -> {ast.unparse(returned)}: ...'

    def _known(self, annotation: Any, function: Callable) -> Any:
        """Write an annotation, and import its names."""
        scope = {**vars(typing), **function.__globals__, 'Kensor': Kensor, 'Operand': Operand, 'Tensor': Tensor,
                 'DTypeLike': numpy.typing.DTypeLike}
        for name in {node.id for node in ast.walk(annotation) if isinstance(node, ast.Name)}:
            if isinstance(scope.get(name), types.ModuleType):
                module = scope[name].__name__
                self.modules.add(module if module == name else f'{module} as {name}')
            elif not hasattr(builtins, name):
                self.names.setdefault(_home(name, scope[name], function), set()).add(name)
        return annotation


def _home(name: str, value: Any, function: Callable) -> str:
    """Return the module to import a name from."""
    for module in (typing, numpy.typing, schema, sys.modules[Tensor.__module__]):
        if vars(module).get(name) is value:
            return module.__name__
    return value.__module__ if getattr(value, '__name__', '') == name else function.__module__


def of_backend() -> str:
    """Write the stub of the facade ``B``."""
    made = Stub()
    for name in dir(backend):
        made.add(name)
    return made.text()


def of_keraflow() -> str:
    """Write the stub of the package, whose parts are imported on first use."""
    lines = [f'from keraflow import {name} as {name}\n' for name in vars(keraflow)['_MODULES']]
    lines += [f'from keraflow.{module} import {name} as {name}\n' for name, module in vars(keraflow)['_NAMES'].items()]
    return f'{HEADER}{"".join(lines)}\n__version__: str\n'


#: The text of each stub, by its path in the repository.
STUBS = {'keraflow/__init__.pyi': of_keraflow, 'keraflow/backend/__init__.pyi': of_backend}


if __name__ == '__main__':
    for path, text in STUBS.items():
        (Path(__file__).parents[1] / path).write_text(text())
