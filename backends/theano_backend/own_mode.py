"""The mode in which keraflow's functions are compiled: the program's own, with changes that speed up training.

``theano.config`` is the program's and stays unchanged: what is changed here applies only to keraflow's functions. What
the program's ``.theanorc`` or ``THEANO_FLAGS`` say takes precedence.
"""
import functools
from typing import Any

from .configure import theano
from .finite import CHECKS_FIRST
from .sums import ROW_SUMS

__all__ = ['own_mode']

#: Rewrites to exclude, because they made training slower.
LEFT_OUT = ['local_dot22_to_dot22scalar', 'local_subtensor_inc_subtensor']
if not theano.config.cxx:
    LEFT_OUT += ['fusion', 'conv_gemm', 'AbstractConvCheck']     # their Ops have C code only
#: The settings from which the program's own mode is made.
_SETTINGS = ('mode', 'linker', 'optimizer', 'optimizer_excluding', 'optimizer_including', 'optimizer_requiring')


def own_mode() -> Any:
    """Return the mode for a function, or a loop, of keraflow."""
    return _mode(*[getattr(theano.config, name) for name in _SETTINGS])


@functools.lru_cache(maxsize=None)      # making a mode is slow, and a program has few settings
def _mode(*settings: str) -> Any:
    modes = theano.compile.mode
    # Theano caches the first default mode, even if the program changes its settings afterwards.
    kept, modes.instantiated_default_mode = modes.instantiated_default_mode, None
    try:
        mode = modes.get_default_mode()
    finally:
        modes.instantiated_default_mode = kept
    if not _is_chosen('optimizer_excluding'):
        mode = mode.excluding(*LEFT_OUT)
    mode = mode.including(ROW_SUMS, CHECKS_FIRST)
    # Keep the storage of intermediate values from run to run.
    return mode if _is_chosen('allow_gc') else mode.clone(link_kwargs={'allow_gc': False})


def _is_chosen(option: str) -> bool:
    """Return whether the user's settings file or ``THEANO_FLAGS`` set an option of Theano."""
    return not theano.config._config_var_dict[option].is_default
