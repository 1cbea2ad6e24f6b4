"""Packages that only a part of keraflow needs, installed by its extras."""
import importlib
from typing import Any

from keraflow.errors import MissingPackageError

__all__ = ['load_extra']


def load_extra(module: str, extra: str, where: str) -> Any:
    """Import a module of an optional package.

    Raises
    ------
    MissingPackageError
        If it cannot be imported; the message says what to install.

    Examples
    --------
    >>> load_extra('nosuch', 'x', 'plot')
    Traceback (most recent call last):
    keraflow.errors.MissingPackageError: plot needs nosuch (No module named 'nosuch'). Run: pip install "keraflow[x]".
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise MissingPackageError(f'{where} needs {module.partition(".")[0]} ({error}). '
                                  f'Run: pip install "keraflow[{extra}]".') from error
