"""Log the shapes of each layer that is called, while a model is built."""
import logging

__all__ = ['show_shapes', 'shape_log']

#: With level DEBUG it logs the shapes of each layer that is called.
shape_log = logging.getLogger('keraflow.shapes')


def show_shapes(show: bool = True) -> None:
    """Start or stop logging the shapes of each layer that is called.

    They are records of the logger ``keraflow.shapes`` with level ``DEBUG``, which this sets. If the program has no
    handler for them, they are written to standard error.

    Examples
    --------
    >>> from keraflow.layers import Dense, Input
    >>> show_shapes()
    >>> y = Dense(32, name='fc0')(Input(64))        # fc0: (None, 64) -> (None, 32)
    >>> show_shapes(False)
    """
    shape_log.setLevel(logging.DEBUG if show else logging.NOTSET)
    for handler in [one for one in shape_log.handlers if isinstance(one, _Printed)]:
        shape_log.removeHandler(handler)
    if show and not shape_log.hasHandlers():
        shape_log.addHandler(_Printed())


class _Printed(logging.StreamHandler):
    """The handler that :func:`show_shapes` adds, as a class so that it can be found again."""
