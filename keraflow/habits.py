"""What people write who know another library, and what to write here: one table for all messages.

A word is looked up once it is known not to exist where it was written. :data:`WORDS` maps it to candidates, of which a
message suggests the first that exists; :data:`SENTENCES` has what takes more than a name; :data:`HOOKS` has methods
that users define in layers out of habit, where nothing would call them.
"""
import opcode
import sys
from typing import Collection, Dict, Optional, Sequence, Union

__all__ = ['CALLBACK_HOOKS', 'HOOKS', 'METHODS', 'SENTENCES', 'SETTINGS', 'WORDS', 'advice_for', 'no_attribute',
           'word_for', 'words_for']

#: Methods and attributes of other libraries' layers, with the hooks of ours.
HOOKS = {
    'call': 'output', 'forward': 'output', 'get_output_for': 'output', 'get_output': 'output', '__call__': 'output',
    'build': 'init_param', 'compute_output_shape': 'output_shape', 'get_output_shape_for': 'output_shape',
    'get_output_shape': 'output_shape', 'compute_mask': 'output_mask', 'get_output_mask': 'output_mask',
    'support_masking': 'supports_masking', 'supports_mask': 'supports_masking', 'support_masks': 'supports_masking',
    'get_config': 'pack_init_param'}
#: Methods of other libraries' callbacks, with ours.
CALLBACK_HOOKS = {'on_train_batch_begin': 'on_batch_begin', 'on_train_batch_end': 'on_batch_end'}
#: The required methods of our metrics, optimizers, regularizers and constraints, with their names elsewhere.
METHODS = {'__call__': ('call', 'forward', 'project'), 'totals': ('update_state', 'call', 'forward', 'update'),
           'update_rule': ('get_updates', 'update_step', 'apply_gradients', 'step')}

#: Names of arguments, classes, functions, modules and methods, with keraflow's.
WORDS = {
    # Arguments of layers.
    'units': 'output_dim', 'out_features': 'output_dim', 'num_units': 'output_dim', 'hidden_size': 'output_dim',
    'nb_output': 'output_dim', 'embedding_dim': 'output_dim',
    'filters': 'nb_kernel', 'nb_filter': 'nb_kernel', 'out_channels': 'nb_kernel',
    'kernel_initializer': 'init', 'initializer': 'init', 'embeddings_initializer': 'init', 'alpha_initializer': 'init',
    'gamma_initializer': 'gamma_init', 'beta_initializer': 'beta_init',
    'recurrent_initializer': 'inner_init', 'recurrent_activation': 'inner_activation',
    'recurrent_dropout': 'drop_rate_U', 'dropout': 'drop_rate_W',
    'use_bias': 'bias', 'weights': 'initial_weights',
    'kernel_regularizer': 'regularizers', 'W_regularizer': 'regularizers', 'bias_regularizer': 'regularizers',
    'kernel_constraint': 'constraints', 'W_constraint': 'constraints', 'bias_constraint': 'constraints',
    'rate': 'drop_rate', 'p': 'drop_rate', 'stddev': 'std',
    'input_dim': 'vocabulary_size', 'num_embeddings': 'vocabulary_size', 'nb_words': 'vocabulary_size',
    'num_words': 'vocabulary_size',
    'kernel_size': ('kernel_row', 'kernel_x', 'pool_size'), 'filter_length': 'kernel_row', 'nb_row': 'kernel_row',
    'nb_col': 'kernel_col',
    'padding': ('pad', 'cropping'), 'border_mode': 'pad', 'dilation_rate': 'dilation',
    'stride': 'strides', 'subsample': 'strides', 'subsample_length': 'strides',
    'dim_ordering': 'data_format', 'pool_length': 'pool_size', 'size': 'repeats',
    'batch_shape': 'batch_size', 'batch_input_shape': 'batch_size', 'log_dir': 'path', 'logdir': 'path',
    'num_heads': 'nb_head', 'key_dim': 'head_dim', 'function': 'output_fn', 'output_shape': 'output_shape_fn',
    'dims': 'axes', 'num_classes': 'nb_class', 'nb_classes': 'nb_class', 'eps': 'epsilon', 'affine': 'scale',
    # Arguments of training.
    'learning_rate': 'lr', 'betas': 'beta_1', 'global_clipnorm': 'clipnorm', 'epochs': 'nb_epoch',
    'steps_per_epoch': 'nb_batch', 'samples_per_epoch': 'nb_batch', 'steps': 'nb_batch',
    'validation_steps': 'nb_val_batch', 'nb_val_samples': 'nb_val_batch',
    'sample_weight': 'sample_weights', 'class_weights': 'class_weight', 'objective': 'loss', 'losses': 'loss',
    'filepath': ('weights', 'path'), 'arch_fname': 'arch', 'weight_fname': 'weights',
    'save_best': 'save_best_only', 'filename': 'path',
    # Layers.
    **{f'Conv{n}D': f'Convolution{n}D' for n in (1, 2, 3)}, **{f'Conv{n}d': f'Convolution{n}D' for n in (1, 2, 3)},
    'Conv2DTranspose': 'Deconvolution2D', 'Convolution2DTranspose': 'Deconvolution2D',
    'ConvTranspose2d': 'Deconvolution2D', 'SeparableConv2D': 'SeparableConvolution2D',
    **{f'UpSampling{n}D': f'UnSampling{n}D' for n in (1, 2, 3)},
    **{f'Dropout{n}d': f'SpatialDropout{n}D' for n in (1, 2, 3)},
    **{f'BatchNorm{n}d': 'BatchNormalization' for n in (1, 2, 3)}, 'BatchNorm': 'BatchNormalization',
    'LayerNorm': 'LayerNormalization', 'Linear': 'Dense', 'RNN': 'SimpleRNN', 'InputLayer': 'Input',
    'Add': 'ElementWiseSum', 'Multiply': 'ElementWiseMult', 'Maximum': 'ElementWiseMax',
    'Average': 'ElementWiseAverage', 'Merge': 'Concatenate', 'Permute': 'PermuteDims', 'Concat': 'Concatenate',
    'Attention': 'MultiHeadAttention', 'MultiheadAttention': 'MultiHeadAttention',
    # Functions and optimizers by name.
    'silu': 'swish', 'identity': 'linear', 'exp': 'exponential',
    'xavier': 'glorot_uniform', 'xavier_uniform': 'glorot_uniform', 'xavier_normal': 'glorot_normal',
    'kaiming': 'he_normal', 'kaiming_uniform': 'he_uniform', 'kaiming_normal': 'he_normal',
    'zeros': 'zero', 'ones': 'one', 'random_normal': 'normal', 'random_uniform': 'uniform',
    'mean_squared_error': 'mse', 'mean_absolute_error': 'mae', 'mean_absolute_percentage_error': 'mape',
    'mean_squared_logarithmic_error': 'msle', 'l1_loss': 'mae', 'l2_loss': 'mse', 'smooth_l1': 'huber',
    'MSELoss': 'mse', 'L1Loss': 'mae', 'SmoothL1Loss': 'huber', 'BCELoss': 'binary_crossentropy',
    'BCEWithLogitsLoss': 'binary_crossentropy', 'KLDivLoss': 'kullback_leibler_divergence', 'PoissonNLLLoss': 'poisson',
    **dict.fromkeys(('NLLLoss', 'nll_loss', 'CrossEntropyLoss'), 'sparse_categorical_crossentropy'),
    **dict.fromkeys(('top_k_categorical_accuracy', 'sparse_top_k_categorical_accuracy'), 'top_k_accuracy'),
    **dict.fromkeys(('log_loss', 'logloss', 'sigmoid_crossentropy', 'sigmoid_cross_entropy'), 'binary_crossentropy'),
    **dict.fromkeys(('softmax_crossentropy', 'softmax_cross_entropy'), 'categorical_crossentropy'),
    'hinge_loss': 'hinge', 'lrelu': 'leaky_relu', 'bce': 'binary_crossentropy',
    'crossentropy': 'categorical_crossentropy',
    'cross_entropy': 'categorical_crossentropy', 'nll': 'sparse_categorical_crossentropy',
    'kl_divergence': 'kullback_leibler_divergence', 'logcosh': 'log_cosh', 'cosine_similarity': 'cosine',
    'weight_decay': 'l2',
    # Functions of the backend.
    'concat': 'concatenate', 'cat': 'concatenate', 'select': 'where', 'pow': 'power', 'sub': 'subtract',
    'mul': 'multiply', 'div': 'divide', 'neg': 'negative', 'bmm': 'matmul', 'clamp': 'clip', 'clip_by_value': 'clip',
    'bernoulli': 'random_bernoulli', 'binomial': 'random_bernoulli',
    'unsqueeze': 'expand_dims', 'detach': 'stop_gradient', 'int_shape': 'static_shape', 'permute': 'transpose',
    'permute_dimensions': 'transpose', **{f'reduce_{name}': name for name in ('sum', 'mean', 'max', 'min', 'prod')},
    'amax': 'max', 'amin': 'min', 'around': 'round', 'rint': 'round', 'absolute': 'abs', 'true_divide': 'divide',
    'remainder': 'mod', 'ravel': 'flatten', 'swapaxes': 'transpose', 'moveaxis': 'transpose', 'take': 'gather',
    **dict.fromkeys(('hstack', 'vstack', 'append'), 'concatenate'), 'bitwise_and': 'logical_and',
    'bitwise_or': 'logical_or', 'invert': 'logical_not', 'array_split': 'split',
    # Modules.
    'initializers': 'initializations', 'initialization': 'initializations', 'nn': 'layers',
    # Attributes and methods of layers and models.
    'load': 'load_from_file',
    'fit_generator': 'fit', 'train': 'fit', 'evaluate_generator': 'evaluate', 'test_on_batch': 'evaluate',
    'predict_generator': 'predict', 'predict_on_batch': 'predict', 'predict_proba': 'predict', 'pop': 'remove',
    'to_json': 'save_arch', 'to_yaml': 'save_arch', 'state_dict': 'get_weights', 'load_state_dict': 'set_weights',
    'input': ('inputs', 'input_kensor'), 'input_shape': ('inputs', 'input_kensor_shape'),
    'trainable_params': 'trainable_variables',
    **{word: hook for word, hook in HOOKS.items() if word != 'get_config'},     # asked for as a value, below
}

#: Where one name is not enough. A sentence says what to write.
SENTENCES = {
    **dict.fromkeys(('training', 'is_training'),
                    "Write train_mode=True for predict, or `with keraflow.phase('train'):` around it."),
    **dict.fromkeys(('scope', 'reuse'), 'Call the same layer again to share its parameters.'),
    'log_shape': 'Leave it out, and call keraflow.show_shapes() to see the shapes.',
    'use_scope': 'Pass it to layer_register, where the function is registered.',
    'ndim': "Write axes=('batch', ...), one name for each axis, or min_ndim and max_ndim.",
    'weighted_metrics': 'Write metrics: they are weighted by sample_weights.',
    'from_logits': "Leave it out: on the output of a 'softmax' or 'sigmoid' the loss is computed from the logits.",
    'loss_weights': 'Multiply the losses: a function may return 0.1 * objectives.square_error(y_pred, y_true).',
    'verbose': 'Leave it out: only fit shows its progress.',
    'run_eagerly': 'Leave it out: functions are always compiled.',
    'jit_compile': 'Leave it out: functions are always compiled.',
    'steps_per_execution': 'Leave it out.',
    'workers': 'Leave it out: a thread reads batches ahead.',
    'use_multiprocessing': 'Leave it out: a thread reads batches ahead.',
    'max_queue_size': 'Leave it out: a thread reads batches ahead.',
    'in_channels': 'Leave it out: a layer infers it from its input.',
    'in_features': 'Leave it out: a layer infers it from its input.',
    'input_length': 'Leave it out: a layer infers it from its input.',
    'mask_zero': 'Write Input(..., mask_value=0).',
    'bias_initializer': "Write initial_weights={'b': ...}: biases start at 0.",
    'return_state': 'Write return_sequences=True, and take the last step.',
    **{f'{name}{n}{end}': f"Write Pooling{n}D('{mode}')." for n in (1, 2, 3) for name, end, mode in (
        ('MaxPooling', 'D', 'max'), ('MaxPool', 'D', 'max'), ('MaxPool', 'd', 'max'), ('AveragePooling', 'D', 'avg'),
        ('AvgPool', 'D', 'avg'), ('AvgPool', 'd', 'avg'))},
    **{f'Global{name}{n}D': f"Write GlobalPooling{n}D('{mode}')." for n in (1, 2, 3)
       for name, mode in (('MaxPooling', 'max'), ('AveragePooling', 'avg'), ('MaxPool', 'max'), ('AvgPool', 'avg'))},
    **{name: f"Write Activation('{name.lower()}')." for name in (
        'ReLU', 'ELU', 'SELU', 'GELU', 'Softmax', 'Sigmoid', 'Tanh', 'Softplus', 'Softsign', 'Swish')},
    'SiLU': "Write Activation('swish').", 'LeakyReLU': "Write Activation('leaky_relu').",
    'LogSoftmax': "Write Activation('log_softmax').",
    'Subtract': 'Write x - y.', 'RepeatVector': 'Write Repeat(n, axis=0)(ExpandDims(0)(x)).',
    # Functions that do not exist under any name, and whose nearest spellings mean something else.
    'prelu': 'Use the layer PReLU().',
    **{name: f'Write a function: lambda t: {formula}.' for names, formula in (
        (('hardtanh', 'hard_tanh'), 'B.clip(t, -1, 1)'), (('relu6',), 'B.clip(t, 0, 6)'),
        (('mish',), 't * B.tanh(B.softplus(t))'), (('hard_swish', 'hardswish'), 't * B.clip(t + 3, 0, 6) / 6'),
        (('log_sigmoid', 'logsigmoid'), '-B.softplus(-t)'), (('softmin',), 'B.softmax(-t)')) for name in names},
    **dict.fromkeys(('ctc', 'ctc_loss', 'CTCLoss'), 'Write a function of y_pred and y_true: there is no CTC.'),
    'categorical_hinge': 'Write a function of y_pred and y_true: B.relu(1 + B.max((1 - y_true) * y_pred, -1, True) - '
                         'B.sum(y_true * y_pred, -1, True)).',
    'confusion_matrix': 'Count predict(x).argmax(-1) for each class with NumPy.',
    'amsgrad': "Leave it out, and use 'adam': there is no AMSGrad.",
    'weight_decay': 'Use AdamW, or the regularizer L2 in the layers.',
    **dict.fromkeys(('rprop', 'adafactor', 'radam', 'asgd'), 'Write a class: the page of Optimizer shows how.'),
    **dict.fromkeys(('input_dim', 'input_shape', 'batch_input_shape'),
                    'Put an Input before it, such as Input(8): a layer infers the length from its input.'),
    'load_model': 'Write Model.load_from_file(arch, weights).',
    'save_model': 'Write model.save_to_file(arch, weights).',
    'losses': 'Write keraflow.objectives.',       # the module
    **{name: f'Write keraflow.layers.{name}.' for name in ('Layer', 'Input', 'Dense', 'Dropout', 'LSTM', 'Embedding')},
    'history': "fit returns it: a list with a dict for each epoch, of which column('loss') is one curve.",
    'train_on_batch': 'Write fit(x, y, nb_epoch=1, verbose=0), or keraflow.TrainStep for a step of your own.',
    'predict_classes': 'Write predict(x).argmax(-1).',
    'get_config': 'Write keraflow.serialize(...): objects are rebuilt from the arguments of __init__.',
    'from_config': 'Write keraflow.unserialize(...).',
    'export': 'Write save_to_file(arch, weights).',
}


#: Attributes by which programs try to change how a model is trained.
SETTINGS = {
    **dict.fromkeys(('optimizer', 'loss', 'metrics'), 'Call compile again, with all of its arguments.'),
    **dict.fromkeys(('lr', 'learning_rate'), 'Write model.optimizer.lr = ....'),
}


def advice_for(word: str, names: Collection[str]) -> Optional[str]:
    """Return what to write instead of a word of another library, given the names that exist; None if nothing is known.

    Examples
    --------
    >>> advice_for('units', ['output_dim', 'bias'])
    "Did you mean 'output_dim'?"
    >>> advice_for('mask_zero', ['vocabulary_size', 'output_dim'])
    'Write Input(..., mask_value=0).'
    """
    ours = word_for(word, names)
    return f"Did you mean '{ours}'?" if ours else SENTENCES.get(word)


def word_for(word: str, names: Collection[str]) -> Optional[str]:
    """Return the first of these names that a word of another library may mean; None if there is none."""
    return _first_of(WORDS.get(word, ()), names)


def words_for(names: Collection[str]) -> Dict[str, str]:
    """Return the words of other libraries that mean one of these names, each with the name."""
    found = {word: _first_of(meant, names) for word, meant in WORDS.items()}
    return {word: ours for word, ours in found.items() if ours}


def _first_of(meant: Union[str, Sequence[str]], names: Collection[str]) -> Optional[str]:
    return next((name for name in ([meant] if isinstance(meant, str) else meant) if name in names), None)


def no_attribute(owner: str, name: str, names: Collection[str]) -> Exception:
    """Return the exception for ``__getattr__`` of a module or a class that does not have a name.

    An AttributeError; but an ImportError with the advice for ``from package import name``, which would replace the text
    of an AttributeError by its own.
    """
    advice = advice_for(name, names)
    text = f"{owner} has no attribute '{name}'" + (f'. {advice}' if advice else '')
    asks = sys._getframe(2)     # importlib for a package, else the line of the program
    is_import = bool(advice) and (asks.f_globals.get('__name__') == 'importlib._bootstrap' or
                                  asks.f_code.co_code[asks.f_lasti] == opcode.opmap['IMPORT_FROM'])
    return ImportError(text, name=name) if is_import else AttributeError(text, name=name)
