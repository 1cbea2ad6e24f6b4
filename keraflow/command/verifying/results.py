"""Keep what a model gave on one backend in a file, to be compared in another environment."""
from typing import Any, Dict

from keraflow.command.verifying.measuring import Measured
from keraflow.command.verifying.tracing import LayerRun
from keraflow.errors import ModelFileError
from keraflow.files.atomic import write_file
from keraflow.files.json_text import parse_json
from keraflow.files.plaindata import dump_json
from keraflow.files.refusal import excerpt, refusal
from keraflow.files.tensors import dump_tensors, read_tensors

__all__ = ['read_measured', 'write_measured']

_FORMAT, _VERSION = 'keraflow-results', '1'
_DATA, _ARRAYS = 'data/', 'made/'
#: What is text about the run, besides what the comparison knows by name.
_MADE = ('backend', 'version', 'floatx', 'optimizer', 'steps', 'architecture', 'settings')
#: What the first files lack.
_SINCE = 'probes'


def write_measured(path: str, measured: Measured, overwrite: bool) -> None:
    """Write a file in the layout of safetensors."""
    runs = {phase: [list(one) for one in runs] for phase, runs in measured.runs.items()}
    metadata = {'format': _FORMAT, 'version': _VERSION, 'made': dump_json(measured.made), 'runs': dump_json(runs)}
    arrays = {**{_DATA + name: array for name, array in measured.data.items()},
              **{_ARRAYS + name: array for name, array in measured.arrays.items()}}
    write_file(path, dump_tensors(arrays, metadata), overwrite)


def read_measured(path: str) -> Measured:
    """Read such a file.

    Raises
    ------
    ModelFileError
        If it is damaged, or another kind of file.
    """
    arrays, metadata = read_tensors(path)
    if metadata.get('format') != _FORMAT or metadata.get('version') != _VERSION:
        raise refusal(path, f'expected results that keraflow verify --save wrote, in version {_VERSION}, found '
                            f"{excerpt(metadata.get('format', 'another file'))}.")
    try:
        made, runs = (parse_json(metadata[key], f'{path}: {key}') for key in ('made', 'runs'))
        if set(made) - {_SINCE} != set(_MADE) or not all(type(text) is str for text in made.values()):
            raise ValueError(made)
        listed = {phase: [_run(one) for one in runs[phase]] for phase in ('test', 'train')}
    except ModelFileError:
        raise
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise refusal(path, 'its description of the runs is damaged.') from error
    return Measured(made, _part(arrays, _DATA), listed, _part(arrays, _ARRAYS))


def _run(data: Any) -> LayerRun:
    one = LayerRun(*data)
    for value, kind in zip(one, (str, str, (int, type(None)), list, (int, type(None)), list, list, int)):
        if not isinstance(value, kind):     # type: ignore[arg-type]
            raise TypeError(value)
    return one


def _part(arrays: Dict[str, Any], start: str) -> Dict[str, Any]:
    return {name[len(start):]: array for name, array in arrays.items() if name.startswith(start)}
