"""The mode in which keraflow's functions are compiled: the program's own, with what is better for training.

``theano.config`` says what the program wants, and stays as it is: what is changed here holds for keraflow's functions
alone. What the program's ``.theanorc`` or ``THEANO_FLAGS`` say of the same wins.
"""
import functools
from typing import Any

from .configure import theano

__all__ = ['own_mode']

#: Rewrites that are left out: they made training slower.
LEFT_OUT = ['local_dot22_to_dot22scalar', 'local_subtensor_inc_subtensor']
if not theano.config.cxx:
    LEFT_OUT += ['fusion', 'conv_gemm', 'AbstractConvCheck']     # their Ops have C code alone
#: The settings that the program's own mode is made from.
_SETTINGS = ('mode', 'linker', 'optimizer', 'optimizer_excluding', 'optimizer_including', 'optimizer_requiring')


def own_mode() -> Any:
    """The mode for a function, or a loop, of keraflow."""
    return _mode(*[getattr(theano.config, name) for name in _SETTINGS])


@functools.lru_cache(maxsize=None)
def _mode(*settings: str) -> Any:
    modes = theano.compile.mode
    # Theano keeps the first default mode that it makes, also when the program changes its settings afterwards.
    kept, modes.instantiated_default_mode = modes.instantiated_default_mode, None
    try:
        mode = modes.get_default_mode()
    finally:
        modes.instantiated_default_mode = kept
    if not _is_chosen('optimizer_excluding'):
        mode = mode.excluding(*LEFT_OUT)
    # Places of intermediate values are kept from run to run.
    return mode if _is_chosen('allow_gc') else mode.clone(link_kwargs={'allow_gc': False})


def _is_chosen(option: str) -> bool:
    """Whether the user's settings file or ``THEANO_FLAGS`` have an option of Theano."""
    return not theano.config._config_var_dict[option].is_default
