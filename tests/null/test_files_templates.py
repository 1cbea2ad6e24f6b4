"""Paths with fields, which are filled in and found again."""
import pytest

from keraflow.errors import ArgumentError
from keraflow.files.rotation import candidates, series
from keraflow.files.templates import Template


@pytest.mark.parametrize('text, filled', [
    ('w.safetensors', 'w.safetensors'), ('{epoch}', '7'), ('{epoch:03d}-{val.loss:.2f}', '007-0.12'), ('{{epoch}}', '{epoch}'),
    ('{{{epoch}}}', '{7}'), ('{a{b}}', '1.0'), ('{a:b}', '2.0'), ('{a:b:.0f}', '2'), ('x{{}}y{epoch:>2}', 'x{}y 7')])
def test_fields_are_filled_in(text, filled):
    values = {'epoch': 7, 'val.loss': 0.123, 'a{b}': 1., 'a:b': 2.}
    assert Template(text, values).filled(values) == filled


@pytest.mark.parametrize('text, message', [
    ('{epoch.real}', "expected {epoch}, alone or with a format as in {epoch:02d}, received {epoch.real}. Did you mean 'epoch'?"),
    ('{epoch!r}', "expected {epoch}, alone or with a format as in {epoch:02d}, received {epoch!r}. Did you mean 'epoch'?"),
    ('{epoch[0]:d}', "expected {epoch}, alone or with a format as in {epoch:02d}, received {epoch[0]}. Did you mean 'epoch'?"),
    ('{}', 'expected {epoch}, alone or with a format as in {epoch:02d}, received {}. Choose one of epoch.'),
    ('{epoch:{epoch}}', "expected {epoch}, received a single brace in '{epoch:{epoch}}'. Write a brace that is part of the path twice."),
    ('}', "expected {epoch}, received a single brace in '}'. Write a brace that is part of the path twice.")])
def test_anything_else_in_braces_is_refused(text, message):
    with pytest.raises(ArgumentError) as caught:
        Template(text, ['epoch'], 'here')
    assert str(caught.value) == f'here: {message}'


@pytest.mark.parametrize('form', ['s', 'c', '/^9', '>400000000', '.400f', '\x00>9'])
def test_formats_that_give_no_part_of_a_name_are_refused(form):
    with pytest.raises(ArgumentError, match='expected a format of integers, such as {epoch:04d}, received {epoch:'):
        Template(f'{{epoch:{form}}}', ['epoch']).filled({'epoch': 1})


@pytest.mark.parametrize('form', ['', ':d', ':3', ':03', ':03d', ':>5', ':>5d'])
def test_files_of_a_series_are_found_by_all_its_formats(form, tmp_path):
    template = series(tmp_path / f'{{{{a}}}}t[1]-{{epoch{form}}}-{{step{form}}}.safetensors', 'here')
    names = [template.filled({'epoch': epoch, 'step': step, 'batch': 0}) for epoch, step in [(1, 5), (1, 90), (2, 1234)]]
    for name in [*names, str(tmp_path / 'other.safetensors'), str(tmp_path / '{a}t[1]-x-1.safetensors')]:
        with open(name, 'w'):
            pass
    assert candidates(template) == names[::-1]


@pytest.mark.parametrize('form', ['x', ',', '+', '<02', 'é^5', 'e'])
def test_formats_that_cannot_be_read_again_are_refused(form):
    with pytest.raises(ArgumentError, match='expected a format of integers'):
        series(f't-{{epoch:{form}}}.safetensors', 'here')
