"""Objects as plain data: they are rebuilt from the arguments of their ``__init__``."""
from keraflow.sameness import same
from keraflow.serialization.planning import is_rebuilding
from keraflow.serialization.serializable import Serializable, call_text, pack_init_params, snapshot
from keraflow.serialization.serialization import serialize, unserialize

__all__ = ['Serializable', 'call_text', 'is_rebuilding', 'pack_init_params', 'same', 'serialize', 'snapshot',
           'unserialize']
