"""Open the backend that a command computes with, without what its library prints while it is imported."""
import contextlib
import os
import sys
import tempfile
from typing import Iterator, Optional

from keraflow import backend as B

__all__ = ['opened', 'quiet']

#: How the lines of this program begin.
OWN = b'keraflow: '


def opened(name: Optional[str] = None, floatx: Optional[str] = None) -> str:
    """Open a backend, by default that of any program, in this dtype of real numbers, and return its name."""
    with quiet():
        if floatx is not None:
            B.set_floatx(floatx)
        if name is not None:
            B.use(name)
        return B.name()


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Keep what libraries, in C, too, write to standard error, and show it only after an error.

    What this program itself says there is shown in any case.
    """
    sys.stderr.flush()
    try:
        kept = os.dup(2)
    except OSError:         # there is no standard error
        yield
        return
    with tempfile.TemporaryFile() as file:
        os.dup2(file.fileno(), 2)
        shows_all = True
        try:
            yield
            shows_all = False
        finally:
            sys.stderr.flush()
            os.dup2(kept, 2)
            os.close(kept)
            file.seek(0)
            for line in file:
                if shows_all or line.startswith(OWN):
                    os.write(2, line)
