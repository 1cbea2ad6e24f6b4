"""Everything that is not a layer: sets of arguments."""
from typing import Dict, List

from keraflow import metrics, objectives, optimizers
from keraflow.backend.pure_operations import PURE_OPERATIONS

#: By kind and id: arguments of a constructor; for a function those of ``functools.partial``. The first set is that of the defaults where there are any.
ARGUMENTS: Dict[str, Dict[str, List[dict]]] = {
    '': {f'B.{name}': [{}] for name in PURE_OPERATIONS},
    'layer': {'Input': [{'shape': 3}, {'shape': (3, None), 'mask_value': 0.}, {'shape': [2], 'batch_size': 5, 'dtype': 'int32', 'name': 'x'}]},
    'activation': {'linear': [{}], 'sigmoid': [{}], 'hard_sigmoid': [{}], 'tanh': [{}], 'relu': [{}, {'alpha': 0.1}, {'alpha': 0.2, 'max_value': 3.}],
                   'softmax': [{}, {'axis': 1}], 'softplus': [{}], 'softsign': [{}], 'leaky_relu': [{}, {'alpha': 0.2}], 'elu': [{}, {'alpha': 0.5}],
                   'selu': [{}], 'gelu': [{}], 'swish': [{}], 'log_softmax': [{}, {'axis': 1}], 'exponential': [{}]},
    'initialization': {'uniform': [{}, {'scale': 0.1}], 'normal': [{}, {'scale': 2.}], 'lecun_uniform': [{}], 'glorot_normal': [{}],
                       'glorot_uniform': [{}], 'he_normal': [{}], 'he_uniform': [{}], 'orthogonal': [{}, {'scale': 1.}],
                       'identity': [{}, {'scale': 3.}], 'zero': [{}], 'one': [{}]},
    'preprocessor': {'Tokenizer': [{}, {'vocabulary_size': 5, 'char_level': True}],
                     'ImageDataGenerator': [{}, {'rotation_range': 5., 'zoom_range': [0.5, 2.], 'fill_mode': 'wrap', 'rescale': 0.5}]},
    'regularizer': {'L1': [{}, {'l1': 0.5}], 'L2': [{}, {'l2': 0.25}], 'L1L2': [{}, {'l1': 0.5, 'l2': 0.125}]},
    'constraint': {'MaxNorm': [{}, {'m': 0.5}, {'m': 1.5, 'axis': [0, 1]}], 'NonNeg': [{}], 'UnitNorm': [{}, {'axis': 1}]},
    'objective': {'huber': [{}, {'delta': 0.5}], **{name: [{}] for name in (
        'accuracy', 'binary_accuracy', 'categorical_accuracy', 'sign_accuracy', 'sparse_categorical_accuracy', 'sparse_categorical_crossentropy', 'log_cosh', 'square_error', 'absolute_error', 'absolute_percentage_error',
        'squared_logarithmic_error', 'cosine_proximity', 'hinge', 'squared_hinge', 'binary_crossentropy', 'categorical_crossentropy',
        'kullback_leibler_divergence', 'poisson')}},
    'metric': {'Average': [{'objective': objectives.absolute_error}, {'objective': objectives.hinge, 'name': 'margin'}], 'TopKAccuracy': [{}, {'k': 2, 'name': 'top_2'}],
               'Precision': [{}, {'threshold': 0.25}], 'Recall': [{}, {'threshold': 0.75, 'name': 'found'}], 'AUC': [{}, {'nb_bin': 20}]},
    'optimizer': {'SGD': [{}, {'lr': 0.1, 'momentum': 0.9, 'decay': 0.01, 'nesterov': True}, {'clipnorm': 1.}],
                  'RMSprop': [{}, {'rho': 0.8, 'epsilon': 1e-6}], 'Adagrad': [{}, {'lr': 0.5, 'clipvalue': 0.1}], 'Adadelta': [{}, {'rho': 0.9}],
                  'Adam': [{}, {'beta_1': 0.8, 'beta_2': 0.99}], 'Adamax': [{}, {'lr': 0.01, 'epsilon': 1e-6}],
                  'AdamW': [{}, {'weight_decay': 0.1, 'beta_1': 0.8}], 'Nadam': [{}, {'momentum_decay': 1.}],
                  'Ftrl': [{}, {'beta': 0.5, 'l1': 0.01, 'l2': 0.01}]},
    'schedule': {'ExponentialDecay': [{'lr': 0.1, 'decay': 0.5}, {'lr': 0.1, 'decay': 0.5, 'nb_step': 3, 'staircase': True}],
                 'InverseTimeDecay': [{'lr': 0.1, 'decay': 0.5}, {'lr': 0.1, 'decay': 0.5, 'nb_step': 3, 'staircase': True}],
                 'PolynomialDecay': [{'lr': 0.1, 'nb_step': 4}, {'lr': 0.1, 'nb_step': 4, 'final_lr': 0.01, 'power': 2.}],
                 'CosineDecay': [{'lr': 0.1, 'nb_step': 4}, {'lr': 0.1, 'nb_step': 4, 'final_lr': 0.01, 'nb_warmup': 2}],
                 'PiecewiseConstant': [{'boundaries': [1, 3], 'values': [0.1, 0.01, 0.001]}]},
    'settings': {'CompileSettings': [{'optimizer': optimizers.SGD(0.5), 'loss': {'y': 'hinge'}, 'metrics': {}},
                                     {'optimizer': optimizers.Adam(), 'loss': {'y': 'hinge', 'z': None}, 'metrics': {'y': [metrics.AUC()]},
                                      'ignore_label': {'y': -1}, 'report_terms': True, 'execution': 'plain'}]},
}
