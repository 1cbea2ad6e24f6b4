"""Architectures that are altered at random: each is loaded or refused with keraflow's own errors."""
import json
import warnings

import pytest
from damage import altered, damaged

from keraflow.errors import KeraFlowError
from keraflow.files.plaindata import dump_json, dump_yaml
from keraflow.layers import LSTM, Concatenate, Dense, Dropout, Embedding, Input, TimeDistributed
from keraflow.models import Model


def model():
    words, numbers = Input([None], name='words', mask_value=0, dtype='int32'), Input(6, name='numbers')
    steps = TimeDistributed(Dense(3, activation='tanh'))(Embedding(10, 4)(words))
    hidden = Concatenate()([LSTM(3)(steps), Dropout(.5)(Dense(4, init='normal', regularizers={'W': 'l2'})(numbers))])
    shared = Dense(2, constraints={'W': 'maxnorm'}, name='shared')
    return Model([words, numbers], [shared(hidden), Dense(1, activation='sigmoid')(hidden)])


@pytest.mark.parametrize('extension, dump', [('json', dump_json), ('yaml', dump_yaml)])
def test_only_refusals_come_of_damaged_architectures(tmp_path, trials, extension, dump):
    path = tmp_path / f'arch.{extension}'
    model().save_arch(tmp_path / 'whole.json')
    data = json.loads((tmp_path / 'whole.json').read_text())
    refused = 0
    for rng in trials(20):
        text = dump(altered(rng, data)).encode()
        path.write_bytes(text if rng.random() < .7 else damaged(rng, text))
        try:
            with warnings.catch_warnings():
                warnings.simplefilter('ignore')
                Model.load_from_file(path)
        except KeraFlowError as error:
            refused += 1
            assert str(error)
    assert refused
