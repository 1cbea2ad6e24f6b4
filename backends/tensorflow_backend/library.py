"""The import of TensorFlow."""
import os

# TensorFlow writes its build's processor features to standard error; errors and warnings are still shown.
os.environ.setdefault('TF_CPP_MIN_LOG_LEVEL', '1')

import tensorflow as tf  # noqa: E402

__all__ = ['tf']
