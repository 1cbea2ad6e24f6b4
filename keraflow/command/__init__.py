"""The command line: ``keraflow inspect model.yaml``, or ``python -m keraflow inspect model.yaml``.

``parser.py`` says what may be written, ``main.py`` runs it and turns errors into words and exit codes, and each other
module has the code of some commands, which is imported only when it is to run.
"""
from keraflow.command.main import main

__all__ = ['main']
