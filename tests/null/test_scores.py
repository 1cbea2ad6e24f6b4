"""Numbers by name: a dict that is not unpacked into its names."""
import copy
import json
import pickle

import pytest

from keraflow.errors import ArgumentTypeError
from keraflow.training.scores import Scores

SCORES = Scores(loss=0.25, acc=0.5)
PLAIN = {'loss': 0.25, 'acc': 0.5}


def unpack():
    loss, acc = SCORES


def unpack_with_a_rest():
    loss, *others = SCORES


def unpack_to_a_list():
    [loss, acc] = SCORES


def unpack_in_a_loop():
    for loss, acc in [SCORES]:
        pass


def unpack_to_attributes():
    made = type('Holder', (), {})()
    made.loss, made.acc = SCORES


def unpack_again_and_again():
    for number in range(100):       # after some runs Python replaces the instruction by a faster one
        try:
            loss, acc = SCORES if number == 99 else (1, 2)
        except ArgumentTypeError:
            assert number == 99
            raise


@pytest.mark.parametrize('act', [unpack, unpack_with_a_rest, unpack_to_a_list, unpack_in_a_loop, unpack_to_attributes, unpack_again_and_again])
def test_it_is_not_unpacked(act):
    with pytest.raises(ArgumentTypeError) as caught:
        act()
    assert str(caught.value) == ('expected numbers to be taken by name, received loss, acc to be unpacked, which gives these names. '
                                 "Write scores['loss'], or unpack scores.values().")


def test_the_advice_works():
    loss, acc = SCORES.values()
    assert (loss, acc) == (SCORES['loss'], SCORES['acc']) == (0.25, 0.5)


def test_all_else_is_as_with_any_dict():
    def named(**given):
        return given
    assert SCORES == PLAIN and dict(SCORES) == {**SCORES} == named(**SCORES) == PLAIN and {'lr': 1, **SCORES} == {'lr': 1, **PLAIN}
    assert type(dict(SCORES)) is dict and repr(SCORES) == repr(PLAIN) and len(SCORES) == 2 and 'loss' in SCORES
    assert list(SCORES) == [*SCORES] == [name for name in SCORES] == ['loss', 'acc'] and sorted(SCORES) == ['acc', 'loss']
    assert max(SCORES, key=SCORES.get) == 'acc' and set(SCORES) == {'loss', 'acc'} and list(zip(SCORES, range(2))) == [('loss', 0), ('acc', 1)]
    assert list(SCORES.items()) == list(PLAIN.items()) and json.dumps(SCORES) == json.dumps(PLAIN) and json.dumps(SCORES, indent=1) == json.dumps(PLAIN, indent=1)
    for same in (copy.copy(SCORES), copy.deepcopy(SCORES), pickle.loads(pickle.dumps(SCORES))):
        assert same == SCORES and type(same) is Scores
    assert SCORES | {'acc': 1} == {'loss': 0.25, 'acc': 1} and [*map(str.upper, SCORES)] == ['LOSS', 'ACC']
