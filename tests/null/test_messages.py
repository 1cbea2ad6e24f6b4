"""Messages: printable and short, whoever raises them and whatever is in them; of many differences the first three."""
import pickle
import warnings

import pytest

from keraflow import errors
from keraflow.errors import DownloadError, KeraFlowError, ModelFileError, printable, warn
from keraflow.files.refusal import refusal

HOSTILE = ['\x1b[31mred\x07', 'a\nb\r\n', '\u202egnp.exe', '\x00', '\ud800', 'x' * 10 ** 6, '\x1b' * 10 ** 6,
           'word ' * 10 ** 5, '\U000e0041' * 400]


def kinds(cls=KeraFlowError):
    return [cls, *(kind for one in cls.__subclasses__() for kind in kinds(one))]


@pytest.mark.parametrize('text', HOSTILE, ids=range(len(HOSTILE)))
def test_no_error_has_a_message_that_is_long_or_unprintable(text):
    for kind in kinds():
        if kind.__module__ == errors.__name__:
            error = kind(f'model.yaml: {text}: expected one.')
            assert len(str(error)) <= 300 and str(error).isprintable()
            assert str(error).startswith('model.yaml: ') and str(error).endswith(': expected one.')
            assert str(kind(str(error))) == str(error)                  # an error of an error's message


@pytest.mark.parametrize('text', HOSTILE, ids=range(len(HOSTILE)))
def test_no_warning_is_long_or_unprintable(text):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter('always')
        warn(f'model.yaml: {text}: expected one.')
    assert len(str(caught[0].message)) <= 300 and str(caught[0].message).isprintable()


def test_what_is_printable_and_short_stays():
    text = 'modèle.yaml: größe: expected 3, received 4. ' + 'x' * 200
    assert str(ModelFileError(text)) == text and ModelFileError(text).args == (text,)
    assert printable('') == '' and printable(3) == '3' and printable('日本') == '日本'


def test_a_long_path_hides_no_reason():
    path, reason = '/home/' + 'folder/' * 500 + 'model.yaml', 'expected an integer, received 1.5. Write 1 or 2.'
    room = 300 - len(f': {reason}')                # the path gets what the reason leaves
    assert str(ModelFileError(f'{path}: {reason}')) == (
        f'{path[:(room - 3) // 3]}...{path[(room - 3) // 3 + 3 - room:]}: {reason}')
    path = '/home/' + 'my folder/' * 500 + 'model.yaml:14'                # no long word in it
    for error in ModelFileError(f'{path}: {reason}'), refusal(path, reason):
        assert str(error).startswith('/home/my folder/') and str(error).endswith(f'model.yaml:14: {reason}')
    assert f'model.yaml:14: {reason}' in str(refusal(path, f'{reason} ' * 5))
    for reason in ['why ' * 58 + '!', 'why ' * 59 + '!']:               # whole, as long as a place of 60 characters leaves room
        assert str(ModelFileError(f'{path}: {reason}')).endswith(f'model.yaml:14: {reason}')
    assert str(ModelFileError(f'{path}: begins {"why " * 100}ends')).count('...') == 2


@pytest.mark.parametrize('most', [10, 40, 60, 61, 110, 300])
@pytest.mark.parametrize('text', HOSTILE, ids=range(len(HOSTILE)))
def test_the_length_that_is_asked_for(text, most):
    assert len(printable(text, most)) <= most and printable(text, most).isprintable()


# -- differences -------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize('count, end', [(1, 'a0'), (2, 'a0; a1'), (3, 'a0; a1; a2'), (4, 'a0; a1; a2; and 1 more'),
                                        (1000, 'a0; a1; a2; and 997 more')])
def test_the_first_three_differences_and_how_many_more(count, end):
    error = ModelFileError('w.safetensors: the weights do not fit:', [f'a{number}' for number in range(count)], 'Retrain.')
    assert str(error) == f'w.safetensors: the weights do not fit: {end}. Retrain.'
    assert error.differences == tuple(f'a{number}' for number in range(count))


def test_a_long_path_hides_no_difference():
    lead, advice = 'the weights do not fit:', 'Retrain.'
    for path in '/home/' + 'my folder/' * 500 + 'w.safetensors', '/home/' + 'folder/' * 30 + 'w.safetensors':
        text = str(ModelFileError(f'{path}: {lead}', ['missing h/W', 'unexpected g/W', 'h/b has shape (1,), expected (2,)', 'q'], advice))
        assert len(text) <= 300 and text.startswith('/home/') and text.endswith(
            f'w.safetensors: {lead} missing h/W; unexpected g/W; h/b has shape (1,), expected (2,); and 1 more. {advice}')


def test_differences_are_shown_whole_where_they_fit():
    lead, advice = 'w.safetensors: the weights do not fit:', 'Load them into the model they were saved with.'
    error = ModelFileError(lead, ['x ' * 40, 'y ' * 70, 'z', 'q'], advice)
    assert str(error) == f"{lead} {'x ' * 40}; and 3 more. {advice}"
    for differences in (['x ' * 1000] * 5, ['y ' * 1000, 'z'], ['\x1b ' * 10 ** 5] * 3, ['w ' * 500]):
        error = ModelFileError(lead, differences, advice)
        text = str(error)
        assert len(text) <= 300 and text.isprintable()
        assert text.startswith(f'{lead} {printable(differences[0])[:5]}')
        assert text.endswith(f"{f'; and {len(differences) - 1} more' if len(differences) > 1 else ''}. {advice}")
        assert len(error.differences) == len(differences)
        assert all(len(one) <= 300 and one.isprintable() for one in error.differences)
    error = ModelFileError('p' * 1000 + ':', ['a', 'b', 'c', 'd'], 'q ' * 1000)
    assert len(str(error)) <= 300 and 'ppp: a; and 3 more. q q' in str(error)


def test_an_error_without_differences_and_copies_of_one_with_some():
    assert KeraFlowError().differences == ModelFileError('x').differences == ()
    error = DownloadError('x:', ['a', 'b'])
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), str(again), again.differences) == (DownloadError, 'x: a; b.', ('a', 'b'))
