"""Objects as plain data: they are rebuilt from the arguments of their ``__init__``."""
from keraflow.serialization.serializable import Serializable
from keraflow.serialization.serialization import (call_text, is_rebuilding, pack_init_params, same, serialize, snapshot,
                                                  unserialize)

__all__ = ['Serializable', 'call_text', 'is_rebuilding', 'pack_init_params', 'same', 'serialize', 'snapshot',
           'unserialize']
