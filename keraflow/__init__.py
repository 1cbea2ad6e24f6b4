"""keraflow: a neural network is written once and runs with NumPy alone, on TensorFlow, JAX or Theano.

Importing this package loads nothing else: its parts are imported when they are first used.
"""
import importlib

__version__ = '0.1.0'

_MODULES = ('activations', 'backend', 'callbacks', 'config', 'constraints', 'datasets', 'errors', 'initializations',
            'layers', 'metrics', 'models', 'objectives', 'optimizers', 'plots', 'preprocessing', 'random',
            'regularizers', 'schedules', 'testing', 'utils')
_NAMES = {'KeraFlowError': 'errors', 'Kensor': 'graph.kensor', 'Limits': 'files.limits',
          'LinearWrap': 'layers.linear_wrap', 'Model': 'models', 'Sequential': 'models',
          'TrainStep': 'training.train_step', 'add_weight': 'layers', 'argscope': 'schema.argument_scopes',
          'import_keras': 'models.keras.importing', 'layer_register': 'layers', 'load': 'models', 'phase': 'backend',
          'plan': 'models', 'recording': 'graph.records', 'register': 'registry', 'seed': 'backend',
          'serialize': 'utils', 'show_shapes': 'graph.shape_log', 'unserialize': 'utils'}

__all__ = ['__version__', *_MODULES, *_NAMES]


def __getattr__(name: str) -> object:
    if name in _MODULES:
        return importlib.import_module(f'keraflow.{name}')
    if name in _NAMES:
        return getattr(importlib.import_module(f'keraflow.{_NAMES[name]}'), name)
    raise importlib.import_module('keraflow.habits').no_attribute("module 'keraflow'", name, __all__)


def __dir__() -> list:
    return sorted(__all__)
