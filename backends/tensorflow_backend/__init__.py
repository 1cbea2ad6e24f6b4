"""TensorFlow 2 as a backend: eager variables, ``tf.function``, no sessions, no ``tf.keras``."""
from .backend import TensorFlowBackend

__all__ = ['TensorFlowBackend']
