"""The import of TensorFlow."""
import os

# TensorFlow logs the processor features of its build to standard error; errors and warnings are still shown.
os.environ.setdefault('TF_CPP_MIN_LOG_LEVEL', '1')

import tensorflow as tf  # noqa: E402

__all__ = ['tf']
