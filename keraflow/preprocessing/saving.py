"""Save preprocessors to files and load them, with what they learned from the data."""
import os
from typing import Any

from keraflow.errors import ModelFileError, SerializationError
from keraflow.files.atomic import write_files
from keraflow.files.plaindata import dump_plain, read_plain
from keraflow.files.refusal import refusal
from keraflow.schema import Path
from keraflow.schema.checked import checked
from keraflow.serialization import Serializable, serialize, unserialize

__all__ = ['Preprocessor']

_HEAD = {'format': 'keraflow', 'version': 2}


class Preprocessor(Serializable):
    """Base of preprocessors: saved with what they learned, as JSON or YAML."""

    kind = 'preprocessor'

    @checked
    def save_to_file(self, path: Path, overwrite: bool = False) -> None:
        """Save the arguments and what was learned.

        Parameters
        ----------
        path : path
            Ends with ``.yaml``, ``.yml`` or ``.json``.
        overwrite : bool
            Replace the file if it exists.

        Raises
        ------
        FileExistsError
            If the file exists and `overwrite` is False.
        SerializationError
            If something cannot be saved, such as an array of more than a million numbers. Nothing is written then.
        """
        data = {**_HEAD, 'preprocessor': serialize(self)}
        write_files([(path, dump_plain(data, path).encode())], overwrite)

    @classmethod
    @checked
    def load_from_file(cls, path: Path, custom_objects: Any = None) -> Any:
        """Load what :meth:`save_to_file` wrote.

        Parameters
        ----------
        path : path
        custom_objects : list or dict, optional
            Functions of the program that the file may name, besides the registered ones.

        Raises
        ------
        ModelFileError
            If the file is damaged, or holds something else.
        """
        data, where = read_plain(path), os.fspath(path)
        if not isinstance(data, dict) or data.keys() != {*_HEAD, 'preprocessor'} or data['format'] != _HEAD['format']:
            raise ModelFileError(f'{where}: this is not a file of a {cls.__name__}.')
        if data['version'] != _HEAD['version']:
            raise ModelFileError(f"{where}: the file has format version {data['version']!s:.20}, this keraflow reads "
                                 f"{_HEAD['version']}. Install the keraflow that wrote it, or a newer one.")
        try:
            made = unserialize(data['preprocessor'], custom_objects)
        except SerializationError as error:
            raise refusal(where, str(error)) from error
        if not isinstance(made, cls):
            raise ModelFileError(f'{where}: expected a {cls.__name__}, found {type(made).__name__}.')
        return made
