"""Processes in which only the standard library, keraflow and what it needs can be imported: NumPy, PyYAML and tqdm."""
import os
import subprocess
import sys
from pathlib import Path

#: A module of this name is imported when Python starts. What is installed but not named is not found.
SITE = '''
import sys
NAMED = {'numpy', 'yaml', '_yaml', 'tqdm', 'keraflow', 'keraflow_backends'}
FINDERS = sys.meta_path[:]


class Alone:
    def find_spec(name, path=None, target=None):
        for finder in FINDERS:
            spec = finder.find_spec(name, path, target)
            if spec is not None:
                installed = path is None and 'site-packages' in str(spec.origin or list(spec.submodule_search_locations or ()))
                return None if installed and name not in NAMED else spec

    def find_distributions(*context):
        return (one for finder in FINDERS if hasattr(finder, 'find_distributions') for one in finder.find_distributions(*context))


sys.meta_path[:] = [Alone]
'''


def environment_alone(folder, **environment):
    """The environment variables of such a process, on the backend of NumPy; the folder gets the module above."""
    site = Path(folder) / 'site'
    site.mkdir(exist_ok=True)
    (site / 'sitecustomize.py').write_text(SITE)
    return {**os.environ, 'PYTHONPATH': str(site), 'KERAFLOW_BACKEND': 'numpy', **environment}


def run_alone(folder, *words, **environment):
    """Run Python with these words in a folder."""
    return subprocess.run([sys.executable, *map(str, words)], capture_output=True, text=True, timeout=300, cwd=folder,
                          env=environment_alone(folder, **environment))
