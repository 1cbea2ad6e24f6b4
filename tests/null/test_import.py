"""`import keraflow` loads, prints, writes and configures nothing; imports run one way and name no tensor library."""
import ast
import functools
import importlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import keraflow

ROOT = Path(keraflow.__file__).parent
FILES = {'.'.join(path.relative_to(ROOT.parent).with_suffix('').parts).removesuffix('.__init__'): path
         for path in sorted(ROOT.rglob('*.py'))}
PLUGINS = sorted((ROOT.parent / 'backends').rglob('*.py'))
#: What tensor libraries and their plugins are imported as.
LIBRARIES = {'tensorflow', 'theano', 'keras', 'torch', 'jax', 'keraflow_backends', 'backends'}
NEEDED = {'numpy', 'yaml', 'tqdm'}
#: The only parts of keraflow that a plugin may import.
BELOW_PLUGINS = {'keraflow.backend', 'keraflow.contexts', 'keraflow.errors', 'keraflow.shapes'}

WATCHED = '''
import json, logging, os, sys, warnings
{first}
def state():
    return [dict(os.environ), len(warnings.filters), [str(it) for it in logging.getLogger().handlers], sys.path[:], os.listdir()]
before = state()
import {module}
loaded = sorted(name for name in sys.modules if name.split('.')[0] == 'keraflow' or name in {libraries})
print(json.dumps([before == state(), loaded]))
'''


def watch(modules, folder, first=''):
    """What a process loads that imports some modules (and, before it is watched, others); it changes and prints nothing."""
    home = folder / 'home'
    home.mkdir()
    environment = {name: value for name, value in os.environ.items() if not name.startswith(('KERAFLOW', 'THEANO'))}
    code = WATCHED.format(module=', '.join(modules), first=first, libraries=sorted(LIBRARIES | NEEDED))
    done = subprocess.run([sys.executable, '-B', '-W', 'error', '-c', code], capture_output=True, text=True, cwd=home, env={
        **environment, 'HOME': str(home), 'USERPROFILE': str(home)})
    assert (done.returncode, done.stderr) == (0, '')
    assert len(done.stdout.splitlines()) == 1
    assert list(home.iterdir()) == []
    unchanged, loaded = json.loads(done.stdout)
    assert unchanged
    return loaded


def test_importing_keraflow_loads_nothing_else(tmp_path):
    assert watch(['keraflow'], tmp_path) == ['keraflow']


def test_importing_all_of_it_opens_no_backend(tmp_path):
    parts = [name for name in FILES if name != 'keraflow']
    loaded = watch(parts, tmp_path, f'import {", ".join(sorted(NEEDED))}')
    assert set(parts) <= set(loaded)
    assert not LIBRARIES & set(loaded)


def test_the_public_names_are_there_and_others_are_not():
    for name in keraflow.__all__:
        assert getattr(keraflow, name) is not None
    assert dir(keraflow) == sorted(keraflow.__all__)
    assert keraflow.Model is keraflow.models.Model and keraflow.seed is keraflow.backend.seed
    with pytest.raises(AttributeError) as caught:
        keraflow.Dense
    assert str(caught.value) == "module 'keraflow' has no attribute 'Dense'. Write keraflow.layers.Dense."


# -- what the files import ----------------------------------------------------------------------------------------------

@functools.lru_cache(maxsize=None)
def tree_of(path):
    """What a file says, which nobody changes."""
    return ast.parse(path.read_text())


def imported(node, module):
    """The modules that an import statement in `module` names."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        if node.level:
            assert module not in FILES, f'{module}: a relative import'
            return []
        return [f'{node.module}.{alias.name}' if f'{node.module}.{alias.name}' in FILES else node.module for alias in node.names]
    return []


def in_functions(tree):
    """The nodes inside functions."""
    return [inner for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
            for inner in ast.walk(node)]


@functools.lru_cache(maxsize=None)
def top_imports(module):
    """What importing a module imports of keraflow: the modules it names and the packages around them."""
    tree = tree_of(FILES[module])
    inside = set(map(id, in_functions(tree)))
    names = {name for node in ast.walk(tree) if id(node) not in inside for name in imported(node, module)}
    around = {'.'.join(name.split('.')[:end]) for name in names for end in range(1, name.count('.') + 1)}
    own = {'.'.join(module.split('.')[:end]) for end in range(1, module.count('.') + 1)}
    return {name for name in names | (around - own) if name in FILES and name not in (module, 'keraflow')}


def cycle_in(graph):
    """Nodes that reach themselves: what remains when nodes that depend on nothing are taken away, again and again."""
    left = {node: set(following) for node, following in graph.items()}
    while True:
        free = {node for node, following in left.items() if not following}
        if not free:
            return sorted(left)
        left = {node: following - free for node, following in left.items() if node not in free}


def test_imports_run_one_way():
    graph = {module: top_imports(module) for module in FILES}
    assert 'keraflow.layers.base' in graph['keraflow.layers.core'] and 'keraflow.layers' in graph['keraflow.utils']
    assert cycle_in({'a': {'b'}, 'b': {'c'}, 'c': {'b'}, 'd': set()}) == ['a', 'b', 'c']
    assert cycle_in(graph) == []


#: The rooms of keraflow, each after those that it imports.
ROOMS = ['habits', 'errors', 'deprecation', 'contexts', 'owned', 'sameness', 'arguments', 'config', 'extras', 'shapes', 'registry', 'schema',
         'random', 'files', 'serialization', 'backend', 'activations', 'regularizers', 'constraints', 'schedules', 'data', 'graph', 'plots', 'initializations',
         'objectives', 'metrics', 'optimizers', 'layers.base', 'layers', 'callbacks', 'training', 'models', 'datasets', 'preprocessing', 'testing', 'utils', 'command']


def room_of(module):
    parts = module.split('.')
    if parts[1] == '__main__':      # python -m keraflow
        return 'command'
    return 'layers.base' if parts[1:3] == ['layers', 'base'] else parts[1]


def test_a_room_imports_those_before_it_and_those_alone():
    graph = {module: top_imports(module) - {'keraflow.layers'} for module in FILES if module != 'keraflow'}
    assert {room_of(module) for module in graph} == set(ROOMS)
    up = [f'{module} imports {other}' for module, others in graph.items() for other in others
          if ROOMS.index(room_of(other)) > ROOMS.index(room_of(module))]
    assert up == []


def floors(graph):
    """How many nodes stand on each other."""
    heights = {}
    while len(heights) < len(graph):
        heights.update({node: 1 + max((heights[one] for one in following), default=0) for node, following in graph.items()
                        if node not in heights and set(following) <= set(heights)})
    return max(heights.values())


def test_the_house_stays_small():
    rooms = {room: set() for room in ROOMS}
    for module in FILES.keys() - {'keraflow'}:
        rooms[room_of(module)] |= {room_of(other) for other in top_imports(module) - {'keraflow.layers'}} - {room_of(module)}
    assert floors({'a': {'b', 'c'}, 'b': {'c'}, 'c': set()}) == 3
    assert floors(rooms) <= 11
    parts = [path for path in ROOT.iterdir() if not path.name.startswith('__')]
    assert len([path for path in parts if path.suffix == '.py']) <= 20
    assert len([path for path in parts if path.is_dir()]) <= 20


def test_no_function_imports():
    found = [f'{path.name}:{node.lineno}' for path in [*FILES.values(), *PLUGINS] for node in in_functions(tree_of(path))
             if isinstance(node, (ast.Import, ast.ImportFrom))]
    assert found == []


def test_keraflow_names_no_tensor_library():
    found = [f'{module}:{node.lineno}' for module, path in FILES.items() for node in ast.walk(tree_of(path))
             if LIBRARIES & {name.split('.')[0] for name in imported(node, module)}]
    assert found == []


def test_a_plugin_imports_the_contract_and_what_lies_below_it():
    assert len(PLUGINS) > 10
    found = {name for path in PLUGINS for node in ast.walk(tree_of(path)) for name in imported(node, path.name)
             if name.split('.')[0] == 'keraflow'}
    assert 'keraflow.backend.contract' in found
    assert {'.'.join(name.split('.')[:2]) for name in found} <= BELOW_PLUGINS


# -- what plugins use of it ---------------------------------------------------------------------------------------------

def is_private(name):
    return name.startswith('_') and not name.startswith('__') and name != '_'


def private_members(trees):
    """The names with an underscore that classes have: of their methods and attributes."""
    parts = [node for tree in trees for one in ast.walk(tree) if isinstance(one, ast.ClassDef) for node in ast.walk(one)]
    names = {node.name for node in parts if isinstance(node, ast.FunctionDef)}
    names |= {node.id for node in parts if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    names |= {node.attr for node in parts if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store)}
    return set(filter(is_private, names))


def across_the_border(tree, theirs):
    """What a plugin's file overrides, calls or imports that keraflow keeps for itself; `theirs` are members of its classes."""
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and (node.module or '').startswith('keraflow')]
    names = [alias.name for node in imports for alias in node.names]
    known = {alias.asname or alias.name for node in imports for alias in node.names}
    attributes = [node for node in ast.walk(tree) if isinstance(node, ast.Attribute)]
    names += [node.attr for node in attributes if isinstance(node.value, ast.Name) and node.value.id in known]
    used = {node.attr for node in attributes} | private_members([tree])
    return sorted(set(filter(is_private, names)) | used & theirs)


def test_a_plugin_imports_what_modules_list():
    taken = {(node.module, alias.name) for path in PLUGINS for node in ast.walk(tree_of(path))
             if isinstance(node, ast.ImportFrom) and (node.module or '').startswith('keraflow.') for alias in node.names}
    assert ('keraflow.backend.contract', 'note_creation') in taken
    assert [one for one in sorted(taken) if one[1] not in importlib.import_module(one[0]).__all__] == []


def test_a_plugin_uses_nothing_private_of_keraflow():
    theirs = private_members(tree_of(path) for module, path in FILES.items() if module.startswith('keraflow.backend.'))
    assert {'_own_stream', '_floatx', '_run', '_root'} <= theirs
    found = {path.name: across_the_border(tree_of(path), theirs) for path in PLUGINS}
    assert {name: names for name, names in found.items() if names} == {}


@pytest.mark.parametrize('line', ['class B(Backend):\n    _root = 1', 'class B(Backend):\n    def _root(self): pass', 'backend._root(x)',
                                  'from keraflow.backend.contract import _root', 'from keraflow.backend import contract\ncontract._root'])
def test_what_is_private_is_found(line):
    assert across_the_border(ast.parse(line), {'_root'}) == ['_root']
    assert across_the_border(ast.parse(line.replace('_root', 'root')), {'_root'}) == []
