"""Callbacks: code that runs while a model trains. They are passed to ``fit``; no file can name one."""
from keraflow.callbacks.callback import Callback, CallbackList
from keraflow.callbacks.checkpoint import ModelCheckpoint
from keraflow.callbacks.csv_logger import CSVLogger
from keraflow.callbacks.history import History
from keraflow.callbacks.rates import LearningRateScheduler, ReduceLROnPlateau
from keraflow.callbacks.stopping import EarlyStopping, TerminateOnNaN
from keraflow.callbacks.tensorboard import TensorBoard

__all__ = ['CSVLogger', 'Callback', 'CallbackList', 'EarlyStopping', 'History', 'LearningRateScheduler',
           'ModelCheckpoint', 'ReduceLROnPlateau', 'TensorBoard', 'TerminateOnNaN']
