"""YAML: a strict subset that means the same as JSON; each refusal with its text and a twin that loads."""

import pytest
import yaml
from events import events

from keraflow.errors import ModelFileError
from keraflow.files import yaml_text, yaml_writer
from keraflow.files.plaindata import Limits, dump_json, dump_yaml, parse_json, parse_yaml


@pytest.fixture(params=['c', 'python'])
def parser(request, monkeypatch):
    """Both parsers and emitters of PyYAML: not every installation has the one in C."""
    if request.param == 'python':
        monkeypatch.setattr(yaml_text, 'LOADER', yaml.SafeLoader)
        monkeypatch.setattr(yaml_writer, '_DUMPER', yaml.SafeDumper)
    else:
        assert yaml_text.LOADER is yaml.CSafeLoader
    return request.param


REFUSED = [
    # text, message, the twin that loads, its value
    ('a: &x 1', "a:1: an anchor is not allowed. Remove '&x'.", 'a: "&x 1"', {'a': '&x 1'}),
    ('a: 1\nb: &x [1]', "a:2: an anchor is not allowed. Remove '&x'.", 'a: 1\nb: [1]', {'a': 1, 'b': [1]}),
    ('a: *x', "a:1: an alias is not allowed. Write out what '*x' refers to.", "a: '*x'", {'a': '*x'}),
    ('&x [*x]', "a:1: an anchor is not allowed. Remove '&x'.", '[x]', ['x']),
    ('a: !!python/object/apply:os.system [ls]', "a:1: a tag is not allowed. Remove '!!python/object/apply:os.system'.",
     'a: [ls]', {'a': ['ls']}),
    ('\n- !x {}', "a:2: a tag is not allowed. Remove '!x'.", '\n- {}', [{}]),
    ('! a', "a:1: a tag is not allowed. Remove '!'.", "'! a'", '! a'),
    ('a: !!str 1', "a:1: a tag is not allowed. Remove '!!str'.", 'a: "1"', {'a': '1'}),
    ('!!map {a: 1}', "a:1: a tag is not allowed. Remove '!!map'.", '{a: 1}', {'a': 1}),
    ('a: {}\n<<: {b: 1}', 'a:2: a merge key is not allowed. Write out its content.', "a: {}\n'<<': {b: 1}",
     {'a': {}, '<<': {'b': 1}}),
    ('a: 1\n---\nb: 1', 'a:2: a second document begins here. Keep one for each file.', '---\na: 1\n...\n', {'a': 1}),
    ('a: 1\n...\n---\nb: 1', 'a:3: a second document begins here. Keep one for each file.', '--- {a: 1}', {'a': 1}),
    ('%YAML 1.1\n---\na: 1', 'a:1: a directive is not allowed. Remove the lines that begin with %.', '# x\n---\na: 1',
     {'a': 1}),
    ('%TAG ! tag:x,2000:\n---\na: 1', 'a:1: a directive is not allowed. Remove the lines that begin with %.',
     '---\na: 1', {'a': 1}),
    ('# of no meaning\n\n%FOO x\n---\na: 1', 'a:3: a directive is not allowed. Remove the lines that begin with %.',
     '# of no meaning\n\n---\na: 1', {'a': 1}),
    ('#\r%YAML 3\n---\na: 1', 'a:1: a directive is not allowed. Remove the lines that begin with %.', '#\r--- "%"', '%'),
    ('a: 1\nb: 2\na: 3', "a:3: the key 'a' is written twice. Remove one.", 'a: 1\nb: 2\nc: 3',
     {'a': 1, 'b': 2, 'c': 3}),
    ('{"a": 1, a: 2}', "a:1: the key 'a' is written twice. Remove one.", '{"a": 1, A: 2}', {'a': 1, 'A': 2}),
    ('1: 2', "a:1: the key '1' is not a string. Put it in quotes.", '"1": 2', {'1': 2}),
    ('true: 2', "a:1: the key 'true' is not a string. Put it in quotes.", 'True: 2', {'True': 2}),
    ('null: 2', "a:1: the key 'null' is not a string. Put it in quotes.", '~: 2', {'~': 2}),
    ('? [1]\n: 2', 'a:1: a key is a list or a dict. Write a string.', '? x\n: 2', {'x': 2}),
    ('? {a: 1}\n: 2', 'a:1: a key is a list or a dict. Write a string.', '? a\n: {a: 2}', {'a': {'a': 2}}),
    ('? a\n  b\n: 2', "a:1: the key 'a b' spans several lines. Write it on one.", '? a b\n: 2', {'a b': 2}),
    ('? "a\n  b"\n: 2', "a:1: the key 'a b' spans several lines. Write it on one.", '"a\\nb": 2', {'a\nb': 2}),
    ('a:\nb: 1', "a:1: a key or a value is missing. Write null, or '' for an empty string.", "a: ''\nb: null",
     {'a': '', 'b': None}),
    ('{a, b: 1}', "a:1: a key or a value is missing. Write null, or '' for an empty string.", '{a: null, b: 1}',
     {'a': None, 'b': 1}),
    ('---\n', "a:2: a key or a value is missing. Write null, or '' for an empty string.", '--- null', None),
    ('a: .nan', "a:1: the number '.nan' is not allowed. Numbers in a file are finite.", "a: '.nan'", {'a': '.nan'}),
    ('[.inf]', "a:1: the number '.inf' is not allowed. Numbers in a file are finite.", '[.info]', ['.info']),
    ('\n[-.Inf]', "a:2: the number '-.Inf' is not allowed. Numbers in a file are finite.", '\n["-.Inf"]', ['-.Inf']),
    ('NaN', "a:1: the number 'NaN' is not allowed. Numbers in a file are finite.", 'NaNs', 'NaNs'),
    ('-Infinity', "a:1: the number '-Infinity' is not allowed. Numbers in a file are finite.", '"-Infinity"',
     '-Infinity'),
    ('a: 1e999', "a:1: the number '1e999' is too large for a float64. Numbers in a file are finite.", 'a: 1e99',
     {'a': 1e99}),
    ('123456789012345678', "a:1: the number '123456789012345678' has more than 17 digits. "
     'Write a shorter one, or a string in quotes.', '12345678901234567', 12345678901234567),
    ('[' * 101 + ']' * 101, 'a:1: lists and dicts are nested deeper than 100. Flatten the data.', '[[]]', [[]]),
    ('[' * 30000, 'a:1: lists and dicts are nested deeper than 100. Flatten the data.', '"["', '['),
    ('- ' * 30000, 'a:1: lists and dicts are nested deeper than 100. Flatten the data.', '- - 1', [[1]]),
    ('{a: ' * 30000, 'a:1: lists and dicts are nested deeper than 100. Flatten the data.', '{a: {}}', {'a': {}}),
    ('a: 1\nb: ' + '{a: [' * 5000, 'a:2: lists and dicts are nested deeper than 100. Flatten the data.',
     'a: "' + '{a: [' * 5000 + '"', {'a': '{a: [' * 5000}),
    ('? ' * 30000, 'a:1: a key is a list or a dict. Write a string.', '? a\n: 1', {'a': 1}),
    ('- ? ' + '[' * 5000, 'a:1: a key is a list or a dict. Write a string.', '- ? "["\n  : 1', [{'[': 1}]),
    ('\n'.join(' ' * depth + 'a:' for depth in range(3000)),
     'a:101: lists and dicts are nested deeper than 100. Flatten the data.', 'a:\n a: 1', {'a': {'a': 1}}),
    ('a: &' + 'x' * 5000 + ' 1', "a:1: an anchor is not allowed. Remove '&" + 'x' * 55 + '....', 'a: "&x"', {'a': '&x'}),
    ('- !' + 'x' * 5000 + ' 1', "a:1: a tag is not allowed. Remove '!" + 'x' * 55 + '....', '- "!x"', ['!x']),
    ('- ![', "a:1: a tag is not allowed. Remove '!['.", '- "!["', ['![']),
    ('\ufeffa: 1', 'a: the file begins with a byte order mark. Save it as UTF-8 without one.', 'a: 1', {'a': 1}),
    ('a: 1'.encode('utf-16'), 'a: the file is UTF-16. Save it as UTF-8.', b'a: 1', {'a': 1}),
    (b'a: 1\nb: \xff', 'a:2: the byte 0xff is not UTF-8. Save the file as UTF-8.', b'a: 1\nb: \xc3\xbf',
     {'a': 1, 'b': 'ÿ'}),
    ('a: \x00', "a:1: the character '\\x00' is not allowed. Remove it.", 'a: 0', {'a': 0}),
    ('a: \ud800', "a:1: the character '\\ud800' is not allowed. Remove it.", 'a: 8', {'a': 8}),
    ('a: 1\nb: \x1b', "a:2: the character '\\x1b' is not allowed in YAML. Escape or remove it.", 'a: 1\nb: "\\e"',
     {'a': 1, 'b': '\x1b'}),
    ('a: "\\0"', "a:1: the character '\\x00' is not allowed. Remove its escape.", 'a: "\\\\0"', {'a': '\\0'}),
    ('["x",\n"\\ud800"]', "a:2: the character '\\ud800' is not allowed. Remove its escape.", '["\\U0001f600"]',
     ['\U0001f600']),
    ('a: "\\ud83d\\ude00"', "a:1: the character '\\ud83d' is not allowed. Remove its escape.", 'a: "\\\\ud83d"',
     {'a': '\\ud83d'}),
    ('a: 1\nb: "x\n \\U00110000"', 'a:3: the escape \\U00110000 is not a character. Remove it.', 'b: "\\U0010FFFE"',
     {'b': '\U0010fffe'}),
    ('"\\Uffffffff"', 'a:1: the escape \\Uffffffff is not a character. Remove it.', "'\\Uffffffff'", '\\Uffffffff'),
    ('{a', "a:1: a key or a value is missing. Write null, or '' for an empty string.", '{a: 1}', {'a': 1}),
    ('"a\\x00": 1', "a:1: the character '\\x00' is not allowed. Remove its escape.", '"a\\x01": 1', {'a\x01': 1}),
    ('', 'a: the file is empty. Save the model again.', "''", ''),
    ('# only this\n', 'a: the file is empty. Save the model again.', '# and\n1', 1),
]


@pytest.mark.parametrize('text, message, twin, value', REFUSED, ids=range(len(REFUSED)))
def test_refusal_and_twin(parser, text, message, twin, value):
    with pytest.raises(ModelFileError) as caught:
        parse_yaml(text, 'a')
    assert str(caught.value) == message
    assert repr(parse_yaml(twin, 'a')) == repr(value)


@pytest.mark.parametrize('text, line, reason', [
    ('a: [1', 1, "expected ',' or ']', but got the end"),
    ('a: 1\n b: 2', 2, 'mapping values are not allowed here'),
    ('a: "x', 1, 'found unexpected end of stream'),
    ('a: 1\n\tb: 1', 2, "found character '\\t' that cannot start any token"),
    ('a: @x', 1, "found character '@' that cannot start any token"),
    ('a: !x!y 1', 1, "found undefined tag handle '!x!'"),
    ('[1]\n]', 2, "expected '<document start>', but found ']'"),
    ('a: 1\n- b', 2, "expected <block end>, but found '-'"),
    ('a: "\\y"', 1, "found unknown escape character 'y'"),
    ('- *', 1, "expected alphabetic or numeric character, but found the end"),
])
def test_what_is_not_yaml(parser, text, line, reason):
    for prefix in (0, 3):
        with pytest.raises(ModelFileError) as caught:
            parse_yaml('#\n' * prefix + text, 'arch.yaml')
        assert str(caught.value) == (f'arch.yaml:{prefix + line}: this is not valid YAML: {reason}. '
                                     'Correct it, or save again.')


def test_what_stands_far_behind_is_not_read_twice(parser, monkeypatch):
    monkeypatch.setattr(yaml_text, 'MAX_SECOND_READING', 1000)
    with pytest.raises(ModelFileError) as caught:
        parse_yaml('# a comment\n' * 100 + 'a: "\\y"', 'a')
    assert str(caught.value) == 'a:101: this is not valid YAML. Correct it, or save again.'


@pytest.mark.parametrize('text, value', [
    ('1e-3', 0.001), ('-1E+2', -100.0), ('0', 0), ('-0', 0), ('-0.0', -0.0), ('1.5', 1.5), ('1.0e-05', 1e-05),
    ('on', 'on'), ('yes', 'yes'), ('True', 'True'), ('Null', 'Null'), ('~', '~'), ('1:30', '1:30'), ('=', '='),
    ('2001-12-14', '2001-12-14'), ('0x10', '0x10'), ('010', '010'), ('1_000', '1_000'), ('+1', '+1'), ('.5', '.5'),
    ('1.', '1.'), ('"1"', '1'), ("'true'", 'true'), ('"null"', 'null'), ('|\n  1', '1'), ('>\n  true\n', 'true\n'),
    ('true', True), ('false', False), ('null', None), ('a\n b', 'a b'), ('١', '١'), ('1e5\n', 1e5),
    ('{a: [1, {b: c}], "d": }'.replace(' }', ' 0}'), {'a': [1, {'b': 'c'}], 'd': 0}),
])
def test_scalars_follow_the_rules_of_json(parser, text, value):
    assert repr(parse_yaml(text)) == repr(value)


@pytest.mark.parametrize('text', ['[' * 1100 + ']' * 1100, '- ' * 1100 + '1', '{a: ' * 1100 + '1' + '}' * 1100,
                                  '\n'.join(' ' * depth + 'a:' for depth in range(1100)) + ' 1'])
def test_a_limit_that_the_caller_raised_is_the_only_one(parser, text):
    data = parse_yaml(text, limits=Limits(max_depth=1100))
    for _ in range(1099):
        data = data[0] if isinstance(data, list) else data['a']
    with pytest.raises(ModelFileError, match='nested deeper than 1099. Flatten the data.$'):
        parse_yaml(text, limits=Limits(max_depth=1099))


def test_a_text_means_the_same_to_both_parsers(monkeypatch, trials):
    """The same value or the same refusal, but for tabs and question marks, which libyaml alone reads in more places."""
    pieces = ['a', '1', '- ', ': ', ', ', ',', '[', ']', '{', '}', '"', "'", '\n', '\n  ', ' ', '#', ' #c\n', '|\n',
              '>-\n ', '&x ', '*x', '!!str ', '%', '%YAML 1.1\n', '\n---\n', '\n...\n', '\\n', '\\ud800',
              '\\U00110000', '@', '\r\n', '\x85', 'é', '<<', 'null', 'k: v\n', '- a\n', '"q"', '[[[[', '%FOO\n']

    def outcome(loader):
        monkeypatch.setattr(yaml_text, 'LOADER', loader)
        try:
            return repr(parse_yaml(text))
        except ModelFileError as error:
            return error.args

    for rng in trials(1500):
        text = ''.join(rng.choice(pieces) for _ in range(rng.randrange(1, 10)))
        assert outcome(yaml.CSafeLoader) == outcome(yaml.SafeLoader), text


def test_billion_laughs_stop_at_the_first_anchor():
    lines = ['a0: &a0 [x, x]'] + [f'a{i}: &a{i} [*a{i - 1}, *a{i - 1}]' for i in range(1, 60)]
    with pytest.raises(ModelFileError, match="^<string>:1: an anchor is not allowed. Remove '&a0'.$"):
        parse_yaml('\n'.join(lines))


def test_limits(parser):
    text = 'a: [1, {}]\nb: x'
    assert parse_yaml(text, limits=Limits(max_nodes=7, max_depth=3)) == {'a': [1, {}], 'b': 'x'}
    for limits, message in [(Limits(max_nodes=6), 'a:2: there are more than 6 keys and values. '
                                                  'If you trust the file, pass larger limits.'),
                            (Limits(max_nodes=4), 'a:1: there are more than 4 keys and values. '
                                                  'If you trust the file, pass larger limits.'),
                            (Limits(max_depth=2), 'a:2: lists and dicts are nested deeper than 2. Flatten the data.'),
                            (Limits(max_bytes=14), 'a: the text has 15 bytes; the limit is 14. '
                                                   'If you trust it, pass larger limits.')]:
        with pytest.raises(ModelFileError) as caught:
            parse_yaml(text if limits.max_depth > 2 else '[[1],\n[[]]]', 'a', limits)
        assert str(caught.value) == message


# -- writing -----------------------------------------------------------------------------------------------------------

MODEL = {'version': 1, 'layers': [{'name': 'dense1', 'class': 'Dense', 'args': {
    'output_dim': 64, 'lr': 1e-05, 'init': 'yes', 'shape': [None, 64], 'empty': {}, 'none': []}}],
    'calls': [['x', 'y'], []]}


def test_what_is_written_reads_well(parser):
    assert dump_yaml(MODEL) == """version: 1
layers:
- name: dense1
  class: Dense
  args:
    output_dim: 64
    lr: 1.0e-05
    init: 'yes'
    shape: [null, 64]
    empty: {}
    none: []
calls:
- [x, y]
- []
"""
    assert yaml.safe_load(dump_yaml(MODEL)) == MODEL == parse_yaml(dump_yaml(MODEL))


def test_arguments_of_the_dump(parser):
    assert dump_yaml({'b': [1, 'é'], 'a': {}}, sort_keys=True) == 'a: {}\nb: [1, é]\n'
    assert dump_yaml({'b': [1, 'é']}, default_flow_style=True, allow_unicode=False) == '{b: [1, "\\xE9"]}\n'
    assert dump_yaml({'b': [1, 2]}, default_flow_style=False) == 'b:\n- 1\n- 2\n'
    with pytest.raises(ModelFileError) as caught:
        dump_yaml([1], canonical=True)
    assert str(caught.value) == ('canonical: not an option for writing YAML. Choose among default_flow_style, '
                                 'sort_keys, indent, width, allow_unicode, line_break.')
    for name, value, message in [
            ('indent', 0, 'expected an integer from 1 to 2147483647, received 0.'),
            ('indent', 2.0, 'expected an integer from 1 to 2147483647, received 2.0.'),
            ('width', 2 ** 70, 'expected an integer from 1 to 2147483647, received 1180591620717411303424.'),
            ('width', 'x', "expected an integer from 1 to 2147483647, received 'x'."),
            ('line_break', '\t', r"expected '\n', '\r' or '\r\n', received '\t'.")]:
        with pytest.raises(ModelFileError) as caught:
            dump_yaml([1], **{name: value})
        assert str(caught.value) == f'{name}: {message}'
    with pytest.raises(ModelFileError, match='spans several lines. Write it on one.$'):
        dump_yaml({'long key ' * 20: 1}, width=80)
    with pytest.raises(ModelFileError, match='^data.a: a tuple is not plain data. Pass a list.$'):
        dump_yaml({'a': ()})


def test_a_shared_list_is_written_twice():
    shared = [1, {'a': 2}]
    assert dump_yaml({'x': shared, 'y': shared}) == 'x:\n- 1\n- a: 2\ny:\n- 1\n- a: 2\n'


PIECES = ['', 'yes', 'on', 'true', 'True', 'null', '~', '<<', '=', '1', '1e-3', '1e5', '-0', '0x10', '010', '1_000',
          '1:30',
          '2001-01-01', '.nan', 'NaN', '.inf', '-Infinity', '- a', 'a: b', 'a #b', '#c', '&x', '*x', '!t', '%d', '@a',
          '`b',
          '{', '[a', 'a,b', "it's", '"q"', '\\', '\n', 'a\nb', ' lead', 'trail ', '\t', '\r', '\x7f', '\x85', '\u2028',
          'é',
          '\xa0', '\U0001f600', '\ufeff', '\uffff', '\x01', '? x', '|', '>', '---', '...', 'k ' * 100, 'é' * 70, '.5',
          '+1']


def random_data(rng, depth=4):
    kind = rng.random()
    if depth and kind < .25:
        return [random_data(rng, depth - 1) for _ in range(rng.randrange(5))]
    if depth and kind < .6:
        return {rng.choice(PIECES) + rng.choice(PIECES): random_data(rng, depth - 1) for _ in range(rng.randrange(5))}
    if kind < .8:
        return rng.choice(PIECES) + rng.choice(['', rng.choice(PIECES)])
    return rng.choice([None, True, False, 0, -1, 10 ** 17 - 1, 0.0, -0.0, 1e-05, 1e22, 5e-324, 1.7976931348623157e308,
                       1e16,
                       rng.random(), rng.uniform(-1e300, 1e300), rng.random() * 10.0 ** rng.randrange(-300, 300)])


def test_yaml_and_json_hold_the_same(parser, trials):
    for rng in trials(400 if parser == 'c' else 40):
        data = [random_data(rng) for _ in range(5)]
        style = rng.choice([None, None, True, False])
        assert repr(parse_yaml(dump_yaml(data, default_flow_style=style))) == repr(data)
        assert repr(parse_json(dump_json(data))) == repr(data)
        assert repr(parse_yaml(dump_yaml(data))) == repr(data)


def chain(length):
    return {'version': 1, 'layers': [
        {'name': f'dense{i}', 'class': 'Dense', 'shape': [None, 64], 'args': {
            'output_dim': 64, 'init': 'glorot_uniform', 'l2': 1e-05, 'bias': True, 'activation': None}}
        for i in range(length)]}


@pytest.mark.parametrize('write, read', [(dump_yaml, parse_yaml), (dump_json, parse_json)])
def test_the_work_grows_with_the_number_of_layers_and_no_faster(write, read):
    small, large = chain(100), chain(1000)
    short, long = write(small), write(large)
    assert events(write, large) < 11 * events(write, small)
    assert events(read, long) < 11 * events(read, short)


def test_ten_thousand_layers():
    large = chain(10000)
    assert parse_yaml(dump_yaml(large)) == parse_json(dump_json(large)) == large
