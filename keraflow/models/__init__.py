"""Models: graphs of layers that are trained, saved and modified."""
from typing import TYPE_CHECKING, Any

from keraflow.habits import no_attribute
from keraflow.models.models import Model
from keraflow.models.onefile import load
from keraflow.models.plans import Plan, plan
from keraflow.models.sequential import Sequential

__all__ = ['Model', 'Plan', 'Sequential', 'load', 'plan']


if not TYPE_CHECKING:       # a type checker reports missing names by itself
    def __getattr__(name: str) -> Any:
        raise no_attribute("module 'keraflow.models'", name, __all__)
