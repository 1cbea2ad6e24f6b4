"""Commands that show a model: ``keraflow summary`` builds it, ``keraflow plot`` draws its plan."""
from typing import Any, Optional

import keraflow
from keraflow.command.backends import opened
from keraflow.command.console import say
from keraflow.command.parser import FINE
from keraflow.command.sources import customs
from keraflow.layers.summary import summary_table
from keraflow.models.weight_files import ONE_FILE

__all__ = ['built', 'plot', 'summary']


def summary(arguments: Any) -> int:
    """Build a model, and print its table."""
    for line in summary_table(built(arguments.file, arguments.weights, arguments.backend)).splitlines():
        say(line)
    return FINE


def plot(arguments: Any) -> int:
    """Draw the graph of a model, of which nothing is built."""
    keraflow.plan(arguments.file, custom_objects=customs()).plot(arguments.output, arguments.depth,
                                                                 arguments.overwrite)
    return FINE


def built(path: str, weights: Optional[str] = None, backend: Optional[str] = None, training: bool = False) -> Any:
    """Return the model in a file, on a backend, compiled only with `training`."""
    opened(backend)
    if not path.endswith(ONE_FILE):
        return keraflow.plan(path, weights, customs()).build()
    model = keraflow.load(path, customs(), training)
    if weights is not None:
        model.load_weights(weights)
    return model
