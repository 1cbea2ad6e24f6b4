"""Watch what is computed while functions run: layers, operations, loops over time."""
import contextvars
from typing import Any, Callable, Dict, List, Optional, Sequence

from keraflow.backend.method_info import MethodInfo
from keraflow.contexts import bound

__all__ = ['Watcher', 'current_watcher', 'operated', 'watched_loop', 'watching']


class Watcher:
    """What is told of everything that is computed inside :func:`watching`, in this thread."""

    def operation(self, method: MethodInfo, given: Dict[str, Any], made: Any) -> None:
        """Learn of an operation, its arguments by name and its result; operations inside it are not told."""

    def layer(self, layer: Any, tensors: List[Any], arguments: Dict[str, Any],
              run: Callable[[], List[Any]]) -> List[Any]:
        """Return ``run()``, the outputs of a layer for these inputs and arguments."""
        return run()

    def loop(self, run: Callable[[Callable], Any], step: Callable, sequence: Any) -> Any:
        """Return ``run(step)``, the result of a loop along the first axis of `sequence`.

        The `step` that is passed on may be another one. It is called once, if the library makes a loop of it, or for
        each time step.
        """
        return run(step)


_watcher: 'contextvars.ContextVar[Optional[Watcher]]' = contextvars.ContextVar('_watcher', default=None)


def watching(watcher: Optional[Watcher]) -> bound:
    """Tell a watcher of what is computed inside the block, or nobody."""
    return bound(_watcher, watcher)


def current_watcher() -> Optional[Watcher]:
    """Return who watches."""
    return _watcher.get()


def operated(method: MethodInfo, compute: Callable, given: Dict[str, Any]) -> Any:
    """Compute an operation, and tell of it."""
    watcher = _watcher.get()
    if watcher is None:
        return compute(**given)
    with watching(None):
        made = compute(**given)
    watcher.operation(method, given, made)
    return made


def watched_loop(compute: Callable, step: Callable, sequences: Sequence[Any], *others: Any, **named: Any) -> Any:
    """Compute a loop over time, and tell of it."""
    watcher = _watcher.get()
    if watcher is None:
        return compute(step, sequences, *others, **named)

    def watched(*given: Any) -> Any:
        with watching(watcher):     # only the step itself: not what the library's loop computes around it
            return step(*given)

    def run(taken: Callable) -> Any:
        with watching(None):
            return compute(taken, sequences, *others, **named)
    return watcher.loop(run, watched, sequences[0])
