"""Run the backends, each in a process of its own, and say how what they gave compares."""
import os
import subprocess
import sys
import tempfile
from typing import Any, Dict, List, Optional

import keraflow
from keraflow import backend as B
from keraflow.backend import available
from keraflow.backend.loader import EMBEDDED
from keraflow.command.backends import opened, quiet
from keraflow.command.building import built
from keraflow.command.console import print_json, say, table
from keraflow.command.parser import DIFFERS, FINE
from keraflow.command.sources import customs
from keraflow.command.verifying.comparing import Comparison, compared
from keraflow.command.verifying.measuring import Measured, measure
from keraflow.command.verifying.results import read_measured, write_measured
from keraflow.errors import ArgumentError, BackendError, ModelFileError
from keraflow.files.atomic import check_file
from keraflow.files.plaindata import dump_json
from keraflow.models.digests import digest_of
from keraflow.models.weight_files import ONE_FILE
from keraflow.serialization import serialize
from keraflow.training.settings import CompileSettings

__all__ = ['measured_in_file', 'verify']

#: Of probes.
_SAME = 'same'


def verify(arguments: Any) -> int:
    """Compare what a model computes on some backends with the first of them, or with results of another environment.

    One backend, or by default each that is installed, is compared with that of NumPy.

    Raises
    ------
    ArgumentError
        If there is nothing to compare with.
    ModelFileError
        If the file describes no model.
    BackendError
        If the model cannot be run on a backend.
    """
    names = [name.strip() for name in arguments.backends.split(',')] if arguments.backends else available()
    has_reference = arguments.save or arguments.against or arguments.backends and len(names) > 1
    names = list(dict.fromkeys(names if has_reference else [EMBEDDED, *names]))
    if len(names) == 1 and not arguments.save and not arguments.against:
        raise ArgumentError(f"verify: {names[0]} alone cannot be compared. Name another backend, --backends b, or "
                            'write --save results.safetensors here and --against results.safetensors where the other '
                            'one is.')
    if arguments.save:
        if len(names) > 1:
            raise ArgumentError('verify: --save keeps the results of one backend. Name it: --backends a.')
        check_file(arguments.save, arguments.overwrite)
    keraflow.plan(arguments.file, arguments.weights, customs())        # which is refused once, and not on each backend
    results = [read_measured(arguments.against)] if arguments.against else []
    if len(names) == 1:
        found = [measured_in_file(arguments, names[0], results[0].data if results else None)]
    else:
        found = _in_processes(arguments, names)
    if arguments.save:
        write_measured(arguments.save, found[0], arguments.overwrite)
    results += found
    comparisons = [compared(results[0], one, arguments.tolerance) for one in results[1:]]
    _tell(arguments, results, comparisons)
    return DIFFERS if any(one.first for one in comparisons) or any(map(_moved, results)) else FINE


def _moved(one: Measured) -> bool:
    """Return whether a model predicts something else than what its file says."""
    return one.made.get('probes', '') not in ('', _SAME)


def measured_in_file(arguments: Any, backend: str, given: Optional[Dict[str, Any]] = None) -> Measured:
    """Run the model of a file on one backend, in this process."""
    with quiet():
        opened(backend, arguments.floatx)
        B.seed(0)
        model = built(arguments.file, arguments.weights, backend, training=True)
        settings = dump_json(serialize(CompileSettings.of(model._functions))) if model.is_compiled else ''
        probes = _probed(model)
        measured = measure(model, arguments.steps, bool(arguments.weights) or arguments.file.endswith(ONE_FILE), given)
    measured.made.update(architecture=digest_of(serialize(model)), settings=settings, probes=probes)
    return measured


def _probed(model: Any) -> str:
    """Return how the model predicts what its file says of its probes: '' if it has none, ``'same'``, or a message."""
    kept = model._probes
    if kept is None or kept.probes.none or not kept.hold(model):
        return ''
    try:
        kept.verify(model)
    except ModelFileError as error:
        return str(error)
    return _SAME


def _in_processes(arguments: Any, names: List[str]) -> List[Measured]:
    """Run the model on each backend in a process of its own, all at a time, and return what they gave."""
    options = ['--floatx', arguments.floatx, '--steps', str(arguments.steps)]
    options += ['--weights', arguments.weights] if arguments.weights else []
    options += [word for module in arguments.module for word in ('--module', module)]
    options += ['--traceback'] if arguments.traceback else []
    with tempfile.TemporaryDirectory() as folder:
        files = [os.path.join(folder, f'{number}.safetensors') for number in range(len(names))]
        running = [subprocess.Popen([sys.executable, '-m', 'keraflow', 'verify', arguments.file, '--backends', name,
                                     '--save', file, *options], stdout=subprocess.DEVNULL)
                   for name, file in zip(names, files)]
        try:
            codes = [one.wait() for one in running]
        finally:
            for one in running:     # after Ctrl-C, which they were sent, too
                if one.poll() is None:
                    one.terminate()
                one.wait()
        for name, code in zip(names, codes):
            if code not in (FINE, DIFFERS):
                raise BackendError(f'verify: {arguments.file[-60:]} could not be run on {name[:30]}, for the reason '
                                   'above.')
        return [read_measured(file) for file in files]


def _tell(arguments: Any, results: List[Measured], comparisons: List[Comparison]) -> None:
    if arguments.json:
        print_json({'file': arguments.file, 'reference': results[0].made, 'compared': [
            {'with': one.made, 'differs': it.first is not None,
             'first': None if it.first is None else it.first._asdict(),
             'lines': [line._asdict() for line in it.lines]} for one, it in zip(results[1:], comparisons)]})
        return
    same = [_title(one) for one in results if one.made.get('probes') == _SAME]
    if same:
        say(f"{arguments.file}: on {' and '.join(same)} the model predicts what its probes say")
    for one in filter(_moved, results):
        say(f"differs: {one.made['probes']}")
    for one, it in zip(results[1:], comparisons):
        say(f'{arguments.file}: {_title(results[0])} and {_title(one)}, in {one.made["floatx"]}')
        if arguments.verbose:
            rows = [[line.stage, line.layer, line.what, f'{line.distance:.3g}', f'{line.scale:.3g}',
                     'differs' if line.differs else ''] for line in it.lines]
            for text in table([['stage', 'layer', 'what', 'difference', 'of', ''], *rows], right=(3, 4)):
                print(text)
        if it.first is not None:
            say(f'differs: {it.first}')
        else:
            worst = max(it.lines, key=lambda line: line.distance / (line.tolerance or 1.), default=None)
            most = '' if worst is None else (f'; the largest difference is {worst.distance:.2g} of {worst.scale:.2g}, '
                                             f'in {worst.stage}, {worst.layer}')
            say(f'the same in {len(it.lines)} arrays, forward, with gradients and after '
                f"{one.made['steps']} step(s) of training{most}")
    if not comparisons:
        say(f'{arguments.file}: {_title(results[0])} in {results[0].made["floatx"]} -> {arguments.save}')


def _title(one: Measured) -> str:
    return f"{one.made['backend']} {one.made['version']}"
