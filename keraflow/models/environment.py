"""What the last bits of a training depend on besides the program: versions, machine, threads."""
import functools
import os
import platform
from typing import Dict, List

import numpy as np

import keraflow
from keraflow import backend as B

__all__ = ['environment', 'environment_differences']


def environment() -> Dict[str, str]:
    """Return the versions, the machine and the number of threads with which this program computes."""
    return {'keraflow': keraflow.__version__, 'backend': f'{B.name()} {B.current().version()}', 'numpy': np.__version__,
            'python': platform.python_version(), 'machine': _machine(), 'threads': str(B.current().nb_thread()),
            'devices': ', '.join(B.current().devices())}


def environment_differences(there: Dict[str, str]) -> List[str]:
    """Describe what is different here: ``'threads 2, received 4'`` where there were 4."""
    return [f'{name} {value}, received {there[name]}' for name, value in environment().items()
            if name in there and there[name] != value]


@functools.lru_cache(maxsize=None)
def _machine() -> str:
    """Return the kind of processor: which instructions it has decides how a sum is rounded."""
    name = platform.processor()
    if os.path.exists('/proc/cpuinfo'):
        with open('/proc/cpuinfo', encoding='utf-8', errors='replace') as file:
            name = next((line.partition(':')[2].strip() for line in file if line.startswith('model name')), name)
    return f'{platform.machine()} {name}'.strip()
