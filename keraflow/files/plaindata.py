"""Plain data (None, bool, int, float, str, list, dict with string keys) to and from JSON and YAML.

The two formats hold the same data: what was written as one and rewritten as the other is equal, floats to the last bit.
"""
import importlib
import json
import os
from typing import Any, Tuple, Union

from keraflow.errors import ModelFileError
from keraflow.files.checking import check_plain
from keraflow.files.json_text import parse_json
from keraflow.files.limits import Limits
from keraflow.files.refusal import TOO_DEEP, excerpt, refusal
from keraflow.files.regular import PathLike, read_regular

__all__ = ['EXTENSIONS', 'Limits', 'check_plain', 'dump_json', 'dump_options', 'dump_plain', 'dump_yaml', 'parse_json',
           'parse_yaml', 'read_plain', 'read_with_text']

_JSON_OPTIONS = 'indent', 'sort_keys', 'ensure_ascii', 'separators', 'skipkeys', 'check_circular', 'cls', 'default'
_FORMATS = {'.json': 'json', '.yaml': 'yaml', '.yml': 'yaml'}
EXTENSIONS = tuple(_FORMATS)


def dump_json(data: Any, *, limits: Limits = Limits(), **dump_args: Any) -> str:
    """Serialize plain data to JSON text.

    Parameters
    ----------
    data : None, bool, int, float, str, list or dict
        The data. Keys keep their order.
    limits : Limits
        Depth and number of nodes.
    **dump_args
        For ``json.dumps``, such as ``indent=2``. With any of them the text is read back and compared.

    Returns
    -------
    str

    Raises
    ------
    ModelFileError
        The data, or the text that the arguments give, could not be read back equal.

    Examples
    --------
    >>> dump_json({'units': [1, 2.5, None]})
    '{"units": [1, 2.5, null]}'
    """
    check_plain(data, limits)
    try:
        text = _json_text(data, **dump_args)
    except ModelFileError:                                      # is a ValueError, and says it better
        raise
    except (TypeError, ValueError, OverflowError) as error:
        raise refusal('dump_args', f'json.dumps says: {str(error)[:150]}. Correct the arguments.') from None
    if dump_args:
        _check_same(data, text, parse_json, limits)
    return text


def dump_yaml(data: Any, *, limits: Limits = Limits(), **dump_args: Any) -> str:
    """Serialize plain data to YAML text: blocks, lists of scalars on one line, no aliases.

    Parameters
    ----------
    data : None, bool, int, float, str, list or dict
        The data. Keys keep their order.
    limits : Limits
        Depth and number of nodes.
    **dump_args
        As for ``yaml.dump``: ``default_flow_style``, ``sort_keys``, ``indent``, ``width``, ``allow_unicode``,
        ``line_break``. With any of them the text is read back and compared.

    Returns
    -------
    str

    Raises
    ------
    ModelFileError
        The data, or the text that the arguments give, could not be read back equal.

    Examples
    --------
    >>> print(dump_yaml({'layers': [{'name': 'on', 'shape': [3, 4]}]}), end='')
    layers:
    - name: 'on'
      shape: [3, 4]
    """
    check_plain(data, limits)
    text: str = _part('yaml_writer').write_yaml(data, **dump_args)
    if dump_args:
        _check_same(data, text, parse_yaml, limits)
    return text


def parse_yaml(text: Union[str, bytes], source: object = '<string>', limits: Limits = Limits()) -> Any:
    """Parse plain data from YAML text.

    Parameters
    ----------
    text : str or bytes
        Bytes are UTF-8 without a byte order mark.
    source : object
        The name in messages, usually the path.
    limits : Limits
        Size, depth and number of nodes.

    Returns
    -------
    None, bool, int, float, str, list or dict
        Equal to what `parse_json` returns for the same data.

    Raises
    ------
    ModelFileError
        With the source and the line: not YAML; an anchor, an alias, a tag, a merge key, a directive or a second
        document; a key that is there twice, spans lines or is not a string; a value that is missing; a number that
        is not finite or has more than 17 digits; too deep, too many or too large.

    Examples
    --------
    >>> parse_yaml('lr: 1e-3\\nnesterov: yes\\nunits: [3, null]')
    {'lr': 0.001, 'nesterov': 'yes', 'units': [3, None]}
    >>> parse_yaml('layer: !!python/name:os.system')
    Traceback (most recent call last):
    keraflow.errors.ModelFileError: <string>:1: a tag is not allowed. Remove '!!python/name:os.system'.
    """
    return _part('yaml_text').parse(text, source, limits)


def dump_plain(data: Any, path: PathLike, *, limits: Limits = Limits(), **dump_args: Any) -> str:
    """Serialize plain data in the format that the extension of `path` names. Nothing is opened.

    JSON is indented by two, so that a person can read it and a diff shows single lines.

    Parameters
    ----------
    data : None, bool, int, float, str, list or dict
        The data.
    path : path
        Ends with ``.json``, ``.yaml`` or ``.yml``.
    limits : Limits
        Depth and number of nodes.
    **dump_args
        For `dump_json` or `dump_yaml`.

    Returns
    -------
    str

    Raises
    ------
    ModelFileError
        Another extension, or data that cannot be saved.

    Examples
    --------
    >>> dump_plain([1], 'arch.yaml')
    '[1]\\n'
    """
    if _format_of(path) == 'yaml':
        return dump_yaml(data, limits=limits, **dump_args)
    if dump_args:
        return dump_json(data, limits=limits, **{'indent': 2, **dump_args}) + '\n'
    check_plain(data, limits)
    return _json_text(data, indent=2) + '\n'


def dump_options(path: PathLike) -> Tuple[str, ...]:
    """Return the keywords that :func:`dump_plain` takes for a file of this name, besides its limits."""
    return _JSON_OPTIONS if _format_of(path) == 'json' else _part('yaml_writer').YAML_OPTIONS


def read_plain(path: PathLike, limits: Limits = Limits()) -> Any:
    """Read plain data from a file, in the format that its extension names.

    Parameters
    ----------
    path : path
        Ends with ``.json``, ``.yaml`` or ``.yml``.
    limits : Limits
        Size, depth and number of nodes.

    Returns
    -------
    None, bool, int, float, str, list or dict

    Raises
    ------
    ModelFileError
        Another extension, not a regular file, too large, or not what `parse_json` or `parse_yaml` accept.
    FileNotFoundError
        There is no such file.
    """
    return read_with_text(path, limits)[0]


def read_with_text(path: PathLike, limits: Limits = Limits()) -> Tuple[Any, str]:
    """Read plain data as :func:`read_plain` does, and return the text, too, in which messages find lines."""
    parse = {'json': parse_json, 'yaml': parse_yaml}[_format_of(path)]
    content = read_regular(path, limits.max_bytes, 'If you trust it, pass larger limits.')
    return parse(content, os.fspath(path), limits), content.decode('utf-8', 'replace')


def _part(name: str) -> Any:
    """Return a module that uses PyYAML, which a program that never meets YAML does not wait for."""
    return importlib.import_module(f'keraflow.files.{name}')


def _json_text(data: Any, **dump_args: Any) -> str:
    try:
        return json.dumps(data, allow_nan=False, **dump_args)
    except RecursionError:                                      # only where the caller raised max_depth
        raise refusal('data', TOO_DEEP) from None


def _format_of(path: PathLike) -> str:
    extension = os.path.splitext(os.fspath(path))[1]
    if extension not in _FORMATS:
        raise refusal(os.fspath(path), f'the extension {excerpt(extension)} is not one for an architecture. '
                                       'Use .json, .yaml or .yml.')
    return _FORMATS[extension]


def _check_same(data: Any, text: str, parse: Any, limits: Limits) -> None:
    """Raise unless text made with the caller's arguments still means the same data."""
    # Compared as text, which tells 1 from 1.0 and from True, and 0.0 from -0.0.
    if _json_text(parse(text, 'dump_args', limits), sort_keys=True) != _json_text(data, sort_keys=True):
        raise refusal('dump_args', 'with these arguments the text does not hold the data. Leave them out.')
