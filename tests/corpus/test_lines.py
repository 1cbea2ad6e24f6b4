"""Fifty mistakes in an architecture that a person wrote: the message has the right line, and says what to write."""
import pytest

import keraflow
from keraflow.errors import KeraFlowError

HAND_WRITTEN = '''\
format: keraflow
version: 1
x_note: what this model is for
model:
  class: Model
  args:
    name: reader
    layers:
      words:
        class: Input
        args: {shape: [7], dtype: int32, mask_value: 0}
      embedded:
        class: Embedding
        args:
          vocabulary_size: 100
          output_dim: 8
      read:
        class: LSTM
        args:
          output_dim: 6
          activation: tanh
          inner_activation: hard_sigmoid
          drop_rate_W: 0.1
          return_sequences: false
      dropped:
        class: Dropout
        args: {drop_rate: 0.5}
      hidden:
        class: Dense
        args:
          output_dim: 5
          init: glorot_uniform
          activation: relu
          regularizers:
            W: {class: L2, args: {l2: 0.01}}
          constraints:
            W: maxnorm
      answer:
        class: Dense
        args:
          output_dim: 2
          activation: softmax
    path:
    - [[words], embedded, embedded_0]
    - [[embedded_0], read, read_0]
    - [[read_0], dropped, dropped_0]
    - [[dropped_0], hidden, hidden_0]
    - [[hidden_0], answer, answer_0]
    inputs: [words]
    outputs: [answer_0]
'''

#: What is written instead of what, the line of the mistake, and words of the message.
MISTAKES = [
    ('format: keraflow', 'format: keras', None, 'this is not the architecture of a keraflow model'),
    ('version: 1', 'version: 1.0', None, 'the file has format version 1.0, this keraflow reads 1 to'),
    ('version: 1', 'version: true', None, 'the file has format version True, this keraflow reads 1 to'),
    ('version: 1', 'version: 9', None, 'Install the keraflow that wrote it, or a newer one.'),
    ('version: 1', 'version: 1\nversion: 1', 3, "the key 'version' is written twice. Remove one."),
    ('  class: Model', '  class: Modell', 5, "'Modell' is not a class or function that is registered. Did you mean 'Model'?"),
    ('    name: reader', '    name: ../reader', 7, 'expected a name of letters'),
    ('    name: reader', '    nam: reader', 7, "Did you mean 'name'?"),
    ('    name: reader', '    name: reader\n    name: other', 8, "the key 'name' is written twice"),
    ('      words:', '      wrds:', 44, "Model: path: expected [names of inputs that are there"),
    ('class: Input', 'class: Inptu', 10, "Did you mean 'Input'?"),
    ('shape: [7]', 'shape: [7.5]', 11, 'Input: shape: expected'),
    ('shape: [7]', 'shap: [7]', 11, "Did you mean 'shape'?"),
    ('dtype: int32', 'dtype: int', 11, "Input: dtype: expected one of 'bool', 'int32'"),
    ('mask_value: 0', 'mask_value: zero', 11, "Input: mask_value: expected a number or None, received 'zero'."),
    ('class: Embedding', 'class: Embeding', 13, "Did you mean 'Embedding'?"),
    ('class: Embedding', 'class: embedding', 13, "Did you mean 'Embedding'?"),
    ('vocabulary_size: 100', 'vocabulary_size: 0', 15, 'Embedding: vocabulary_size: expected an integer of at least 1, received 0.'),
    ('vocabulary_size: 100', 'vocabulary_size: 1e2', 15, 'Embedding: vocabulary_size: expected an integer of at least 1, received 100.0.'),
    ('          vocabulary_size: 100\n', '', 12, "Embedding: the argument 'vocabulary_size' is missing"),
    ('output_dim: 8', 'output_din: 8', 16, "Did you mean 'output_dim'?"),
    ('output_dim: 8', "output_dim: '8'", 16, "expected an integer of at least 1, received '8'."),
    ('class: LSTM', 'class: LTSM', 18, "Did you mean 'LSTM'?"),
    ('output_dim: 6', 'units: 6', 20, "Did you mean 'output_dim'?"),
    ('activation: tanh', 'activation: tahn', 21, "Did you mean 'tanh'?"),
    ('inner_activation: hard_sigmoid', 'inner_activation: hard-sigmoid', 22, "Did you mean 'hard_sigmoid'?"),
    ('drop_rate_W: 0.1', 'drop_rate_W: 10', 23, 'expected a number of at least 0 and below 1, received 10.'),
    ('drop_rate_W: 0.1', 'drop_rate_w: 0.1', 23, "Did you mean 'drop_rate_W'?"),
    ('return_sequences: false', 'return_sequences: no', 24, "expected True or False, received 'no'."),
    ('return_sequences: false', 'return_sequences: 0', 24, 'expected True or False, received 0.'),
    ('return_sequences: false', 'return_sequences: true', 47, 'hidden: expected a 2-D input (batch, input_dim)'),
    ('drop_rate: 0.5', 'drop_rate: .nan', 27, "the number '.nan' is not allowed."),
    ('drop_rate: 0.5', 'rate: 0.5', 27, "Did you mean 'drop_rate'?"),
    ('drop_rate: 0.5', 'drop_rate: 1', 27, 'expected a number of at least 0 and below 1, received 1.'),
    ('      hidden:', '      Answer: {class: Flatten}\n      hidden:', 39, "differ only in upper and lower case"),
    ('output_dim: 5', 'output_dim: -5', 31, 'expected an integer of at least 1, received -5.'),
    ('init: glorot_uniform', 'init: glorot_unifrm', 32, "Did you mean 'glorot_uniform'?"),
    ('activation: relu', 'activation: null', 33, 'Dense: activation: expected an activation'),
    ('class: L2', 'class: L3', 35, "'L3' is not a regularizer that is registered. If it is yours"),
    ('class: L2', 'class: Adam', 35, "'Adam' is not a regularizer that is registered."),
    ('l2: 0.01', 'l2: -0.01', 35, 'L2: l2: expected a number of at least 0, received -0.01.'),
    ('W: maxnorm', 'W: maxnrom', 36, "Did you mean 'maxnorm'?"),
    ('activation: softmax', 'activation: softmaxx', 42, "Did you mean 'softmax'?"),
    ('[[words], embedded, embedded_0]', '[words, embedded, embedded_0]', 44, 'Model: path: expected [names of inputs that are there'),
    ('[[embedded_0], read, read_0]', '[[embeded_0], read, read_0]', 45, "Did you mean 'embedded_0'?"),
    ('[[read_0], dropped, dropped_0]', '[[read_0], droped, dropped_0]', 46, "Did you mean 'dropped'?"),
    ('[[dropped_0], hidden, hidden_0]', '[[answer_0], hidden, hidden_0]', 47, "'answer_0' is made later: put its call first"),
    ('[[dropped_0], hidden, hidden_0]', '[[dropped_0], hidden, read_0]', 47, "'read_0' is there already"),
    ('[[dropped_0], hidden, hidden_0]', '[[dropped_0], hidden]', 47, 'Model: path: expected [names of inputs that are there'),
    ('inputs: [words]', 'inputs: words', 49, "Model: inputs: expected a list of names, received 'words'."),
    ('outputs: [answer_0]', 'outputs: [answer]', 50, "Did you mean 'answer_0'?"),
    ('outputs: [answer_0]', 'outputs: [hidden_0]', 48, "no output depends on 'answer_0'"),
    ('    outputs: [answer_0]', '   outputs: [answer_0]', 50, 'this is not valid YAML'),
]


def test_the_file_is_accepted(tmp_path):
    path = tmp_path / 'a.yaml'
    path.write_text(HAND_WRITTEN)
    assert keraflow.plan(path).nb_parameter == 100 * 8 + 4 * (8 * 6 + 6 * 6 + 6) + 6 * 5 + 5 + 5 * 2 + 2


@pytest.mark.parametrize('right, wrong, line, words', MISTAKES, ids=[one[1].strip() for one in MISTAKES])
def test_a_mistake_is_told_with_its_line(tmp_path, right, wrong, line, words):
    assert HAND_WRITTEN.count(right) == 1
    path = tmp_path / 'a.yaml'
    path.write_text(HAND_WRITTEN.replace(right, wrong))
    with pytest.raises(KeraFlowError) as caught:
        keraflow.plan(path)
    text = str(caught.value)
    assert text.startswith(f'{path}: ' if line is None else f'{path}:{line}: ') and words in text
