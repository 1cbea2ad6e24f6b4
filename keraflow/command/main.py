"""Run a command: what it raises becomes one line on standard error and an exit code."""
import importlib
import os
import sys
import traceback
import warnings
from typing import Any, Optional, Sequence

from keraflow.command.console import say
from keraflow.command.parser import TROUBLE, make_parser

__all__ = ['main']

#: As a shell tells of a program that Ctrl-C, or the end of the program that reads its output, has ended.
INTERRUPTED, UNREAD = 130, 141
#: What messages advise a program to write, and what there is for it in a command.
_WORDS = {'overwrite=True': '--overwrite', 'pass custom_objects=[...]': 'name it with --module',
          'Pass same_architecture=False': 'In a program, pass same_architecture=False', 'plot: path: ': '--output: '}


def main(argv: Optional[Sequence[str]] = None) -> int:
    """Run a command line, and return its exit code.

    Parameters
    ----------
    argv : list of str, optional
        The words after ``keraflow``; by default those that the program was called with.

    Examples
    --------
    >>> main(['--version'])     # doctest: +ELLIPSIS
    keraflow ...
    0
    """
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, 'reconfigure'):
            stream.reconfigure(errors='backslashreplace')       # a terminal may know no more than ASCII
    shows_traceback = False
    try:
        arguments = make_parser().parse_args(argv)
        shows_traceback = arguments.traceback
        code = _run(arguments)
        sys.stdout.flush()      # here, where it is noticed if nobody reads on
        return code
    except SystemExit as end:           # argparse, after help or a wrong argument
        return end.code if isinstance(end.code, int) else TROUBLE
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # Python flushes again when it ends, and would tell of it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return UNREAD
    except Exception as error:      # of any kind: modules of the program may raise anything
        if shows_traceback:
            traceback.print_exc()
        _tell(error)
        return TROUBLE


def _run(arguments: Any) -> int:
    with warnings.catch_warnings():
        warnings.showwarning = _warn
        for name in getattr(arguments, 'module', ()):
            sys.path.insert(0, os.getcwd())     # as `python -m` does: the script lies elsewhere
            try:
                importlib.import_module(name)
            except ModuleNotFoundError as error:
                if error.name is None or not f'{name}.'.startswith(f'{error.name}.'):    # one that it imports
                    raise
                errors = importlib.import_module('keraflow.errors')     # which needs NumPy, only for mistakes
                raise errors.ArgumentError(
                    f"--module: there is no module '{name}', neither in this folder nor installed."
                    f'{" Leave out .py." if name.endswith(".py") else ""}') from error
            finally:
                sys.path.remove(os.getcwd())
        code = importlib.import_module(f'keraflow.command.{arguments.run.module}')
        return getattr(code, arguments.command)(arguments)


def _tell(error: Exception) -> None:
    """Say what is wrong in one line, and all differences in others."""
    own = any(one.__module__ == 'keraflow.errors' for one in type(error).__mro__)
    text = _of_command(str(error))
    if isinstance(error, OSError) and not own and error.strerror:
        text = f'{error.filename}: {error.strerror}' if error.filename else error.strerror
    elif not own and not isinstance(error, OSError):
        text = f'{type(error).__name__}: {text} (--traceback shows where)'
    say(f'keraflow: {text}', sys.stderr)
    for one in getattr(error, 'differences', ()):
        say(f'  {one}', sys.stderr)


def _warn(message: Any, category: Any, *rest: Any, **others: Any) -> None:
    if category.__module__ == 'keraflow.errors':        # those of libraries are not about the file
        say(f'keraflow: warning: {_of_command(str(message))}', sys.stderr)


def _of_command(text: str) -> str:
    for of_program, own in _WORDS.items():
        text = text.replace(of_program, own)
    return text
