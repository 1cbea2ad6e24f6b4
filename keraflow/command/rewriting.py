"""Commands that write another file: ``keraflow migrate`` and ``keraflow convert``."""
import os
from typing import Any, Dict

import keraflow
from keraflow.command.building import built
from keraflow.command.console import say
from keraflow.command.normal import by_current_names
from keraflow.command.parser import FINE
from keraflow.command.sources import Source, customs, read_source
from keraflow.errors import ArgumentError
from keraflow.files.atomic import check_file, write_file
from keraflow.files.plaindata import EXTENSIONS, dump_plain
from keraflow.files.tensors import dump_tensors
from keraflow.models.weight_files import FORMAT, ONE_FILE
from keraflow.serialization.values import version_of

__all__ = ['convert', 'migrate']


def migrate(arguments: Any) -> int:
    """Write an architecture of an earlier format in today's.

    Raises
    ------
    ArgumentError
        If a file is not one of an architecture, or the new one exists.
    """
    for path, where in ((arguments.old, 'OLD'), (arguments.new, 'NEW')):
        if not path.endswith(EXTENSIONS):
            raise ArgumentError(f'{where}: only architectures have earlier formats that are written anew: expected '
                                f'.yaml, .yml or .json, received {path[-60:]!r}. Weights and trainings of earlier '
                                'versions are read as they are.')
    if os.path.lexists(arguments.new):
        raise ArgumentError(f'NEW: {arguments.new[-60:]!r} exists already, and migrate replaces no file. Choose '
                            'another name.')
    source = read_source(arguments.old)
    write_file(arguments.new, _text(source, arguments.new))
    before = "the first Keraflow's format" if source.version == '0' else f'version {source.version}'
    say(f'{arguments.old} ({before}) -> {arguments.new} (version {version_of(source.model)})')
    return FINE


def convert(arguments: Any) -> int:
    """Write a model as another kind of file.

    Raises
    ------
    ArgumentError
        If the old file does not hold what the new one needs, or an option does not suit them.
    """
    old, new, overwrite = arguments.old, arguments.new, arguments.overwrite
    check_file(new, overwrite)
    if arguments.weights and not new.endswith(ONE_FILE):
        raise ArgumentError('--weights: a file of weights goes into a whole model alone. Let NEW end with .keraflow.')
    if new.endswith(ONE_FILE):
        if old.endswith(ONE_FILE):
            raise ArgumentError(f'NEW: {old[-60:]!r} is a whole model already. Copy it, or let NEW end with .yaml, '
                                '.json or .safetensors.')
        built(old, arguments.weights).save(new, overwrite)
        return FINE
    source = read_source(old)
    if source.model is None:
        raise ArgumentError(f'OLD: expected a file with an architecture (.yaml, .yml, .json or .keraflow), received '
                            f'{old[-60:]!r}: {source.what}.')
    if new.endswith(EXTENSIONS):
        write_file(new, _text(source, new), overwrite)
    elif new.endswith('.safetensors'):
        write_file(new, _weights(source), overwrite)
    else:
        raise ArgumentError(f"NEW: expected a name that ends with .yaml, .yml, .json, .keraflow or .safetensors, "
                            f'received {new[-60:]!r}.')
    return FINE


def _text(source: Source, path: str) -> bytes:
    keraflow.plan(source.path, custom_objects=customs())        # nothing is written of what cannot be read again
    model = by_current_names(source.model)
    return dump_plain({'format': FORMAT, 'version': version_of(model), 'model': model}, path).encode()


def _weights(source: Source) -> bytes:
    if not source.weights:
        raise ArgumentError(f'OLD: there are no weights in {os.path.basename(source.path)[-60:]!r}. Convert a whole '
                            'model (.keraflow).')
    metadata: Dict[str, str] = {'format': FORMAT}
    if source.architecture is not None:
        metadata['architecture'] = source.architecture
    return dump_tensors(source.weights, metadata)
