# Made by tools/stubs.py: run "make stubs". isort: skip_file
from keraflow import activations as activations
from keraflow import backend as backend
from keraflow import callbacks as callbacks
from keraflow import config as config
from keraflow import constraints as constraints
from keraflow import datasets as datasets
from keraflow import errors as errors
from keraflow import initializations as initializations
from keraflow import layers as layers
from keraflow import metrics as metrics
from keraflow import models as models
from keraflow import objectives as objectives
from keraflow import optimizers as optimizers
from keraflow import preprocessing as preprocessing
from keraflow import random as random
from keraflow import regularizers as regularizers
from keraflow import schedules as schedules
from keraflow import testing as testing
from keraflow import utils as utils
from keraflow.errors import KeraFlowError as KeraFlowError
from keraflow.graph.kensor import Kensor as Kensor
from keraflow.layers.linear_wrap import LinearWrap as LinearWrap
from keraflow.models import Model as Model
from keraflow.models import Sequential as Sequential
from keraflow.training.train_step import TrainStep as TrainStep
from keraflow.layers import add_weight as add_weight
from keraflow.schema.argument_scopes import argscope as argscope
from keraflow.layers import layer_register as layer_register
from keraflow.backend import phase as phase
from keraflow.graph.records import recording as recording
from keraflow.registry import register as register
from keraflow.backend import seed as seed
from keraflow.utils import serialize as serialize
from keraflow.graph.shape_log import show_shapes as show_shapes
from keraflow.utils import unserialize as unserialize

__version__: str
