"""Run: one execution of a layer's ``output``, found through a context variable while it goes on."""
import contextvars
from typing import Any, ContextManager, Dict, Optional, Sequence, Tuple

from keraflow.contexts import bound
from keraflow.layers.base.kept_values import is_layer, kept_values

__all__ = ['Run', 'current_run', 'entered', 'initial_run', 'run_of', 'running_host']


class Run:
    """A run of a layer's ``output``, with everything that is not shared by runs in other threads.

    Attributes
    ----------
    layer : Layer
    inputs : sequence of tensor
    outer : Run or None
        The run of the layer that embeds this one.
    hands_mask_in : bool
        Whether it has passed a mask to an embedded layer, which then reports what becomes of it.
    nb_loss : int
        The number of losses it has added.
    next_slot : int
        The slot of the layer that it embeds next.
    taken : dict
        The layers that it has embedded so far by ``id()``, each with the one in its slot.
    is_initial : bool
        Whether it is a run of ``init_param`` instead of ``output``: layers called there are not embedded.
    attributes : set or None
        The ``id()`` of each layer that it keeps in its attributes, computed on first use.
    """

    __slots__ = ('layer', 'inputs', 'outer', 'hands_mask_in', 'nb_loss', 'next_slot', 'taken', 'is_initial',
                 'attributes')

    def __init__(self, layer: Any, inputs: Sequence[Any] = (), outer: Optional['Run'] = None, next_slot: int = 0):
        self.layer = layer
        self.inputs = inputs
        self.outer = outer
        self.hands_mask_in = False
        self.nb_loss = 0
        self.next_slot = next_slot
        self.taken: Dict[int, Tuple[Any, Any]] = {}
        self.is_initial = False
        self.attributes: Optional[set] = None

    def is_attribute(self, layer: Any) -> bool:
        """Return whether the running layer keeps another layer, which may then come anywhere in a run."""
        if self.attributes is None:
            self.attributes = {id(one) for one in kept_values(vars(self.layer)) if is_layer(one)}
        return id(layer) in self.attributes


_run: contextvars.ContextVar[Optional[Run]] = contextvars.ContextVar('_run', default=None)


def current_run() -> Optional[Run]:
    """Return the current run; None if nothing runs."""
    return _run.get()


def running_host() -> Any:
    """Return the host whose ``output`` is running; None if there is none."""
    run = _run.get()
    return None if run is None or run.is_initial else run.layer


def run_of(layer: Any) -> Optional[Run]:
    """Return the current run of this layer, possibly with runs of others inside it; None if there is none."""
    run = _run.get()
    while run is not None and run.layer is not layer:
        run = run.outer
    return run


def entered(run: Run) -> ContextManager[None]:
    """Make this the current run inside the block."""
    return bound(_run, run)


def initial_run(layer: Any) -> ContextManager[None]:
    """Mark that ``init_param`` of this layer runs inside the block."""
    run = Run(layer)
    run.is_initial = True
    return entered(run)
