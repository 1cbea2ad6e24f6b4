"""The networks in TensorFlow's own functions, as in the other benchmarks: one step a call, and plain Adam."""
import functools

import cnn
import lstm
import numpy as np
import tensorflow as tf
from _hand_written import make_step, mlp, train

from .tasks import DROP_RATE, NB_CLASS

LOGITS = {'MLP': mlp['tensorflow'], 'CNN': cnn.tensorflow_logits, 'LSTM': lstm.tensorflow_logits}
SHAPES = {
    'MLP': [(784, 512), (512,), (512, 512), (512,), (512, NB_CLASS), (NB_CLASS,)],
    'CNN': [(3, 3, 1, 32), (32,), (3, 3, 32, 32), (32,), (12 * 12 * 32, 128), (128,), (128, NB_CLASS), (NB_CLASS,)],
    'LSTM': [(128, 4 * 128), (128, 4 * 128), (4 * 128,), (128, NB_CLASS), (NB_CLASS,)],
}


def library():
    """Return what this runs on."""
    return f'tensorflow {tf.__version__}'


def contestant(task, x, y, batch_size):
    """Return functions that train an epoch and that predict a sample, and how many numbers are trained."""
    generator = np.random.default_rng(0)
    weights = [generator.normal(0., 0.05, shape).astype('float32') for shape in SHAPES[task]]
    training = logits = LOGITS[task]
    if task == 'MLP':
        training = functools.partial(logits, drop=lambda it: tf.nn.dropout(it, DROP_RATE))
    step = make_step['tensorflow'](training, weights, x.shape[1:])
    params = [tf.Variable(it) for it in weights]
    predict = tf.function(lambda x: tf.nn.softmax(logits(params, x)), autograph=False)
    return (lambda seed: train(step, x, y, batch_size, 1, seed),
            lambda: predict(tf.constant(x[:1])).numpy(), sum(it.size for it in weights))
