"""Where the program made each node and variable, which Theano records in their tags.

Theano shows these traces when a compiled function fails. They take up to a fifth of the time to build a graph, most of
it for reading source lines that are hardly ever shown.
"""
import contextvars
import sys
from typing import Any, List, Optional, Sequence

from keraflow.contexts import bound

from .configure import theano

__all__ = ['repair_traces', 'without_traces']

_is_dropped: contextvars.ContextVar[bool] = contextvars.ContextVar('_is_dropped', default=False)


def without_traces() -> bound:
    """Record no traces inside the block: for a graph that is never compiled."""
    return bound(_is_dropped, True)


def repair_traces() -> None:
    """Read source lines only when a trace is shown; :mod:`traceback` does so if they are missing."""
    theano.graph.utils.simple_extract_stack = _extract_stack


def _extract_stack(f: Any = None, limit: Optional[int] = None, skips: Sequence[str] = ()) -> List[tuple]:
    """Return the frames of the program, innermost last, without those of `skips` at the end.

    Equals Theano's own function, except for the source lines.
    """
    trace: List[tuple] = []
    if _is_dropped.get():
        return trace
    frame = f or sys._getframe(1)
    while frame is not None and (limit is None or len(trace) < limit):
        path = frame.f_code.co_filename
        if trace or 'tests' in path or not any(part in path for part in skips):
            trace.append((path, frame.f_lineno, frame.f_code.co_name, None))
        frame = frame.f_back
    trace.reverse()
    return trace
