"""JSON: each refusal with its text, and beside it the twin that loads because one thing was put right."""
import json
import re
import tracemalloc

import pytest

from keraflow.errors import ModelFileError
from keraflow.files.plaindata import Limits, check_plain, dump_json, dump_plain, dump_yaml, parse_json

DEEP = '[' * 100 + ']' * 100

REFUSED = [
    # text, message, the twin that loads, its value
    ('{"a": 1, "a": 2}', "a:1: the key 'a' is written twice. Remove one.", '{"a": 1, "b": 2}', {'a': 1, 'b': 2}),
    ('{"a": {"b": 1},\n "c": [{"b": 1,\n"\\u0062": 2}]}', "a:3: the key 'b' is written twice. Remove one.",
     '{"a": {"b": 1},\n "c": [{"b": 1,\n"\\u0063": 2}]}', {'a': {'b': 1}, 'c': [{'b': 1, 'c': 2}]}),
    ('{"a": "a", "a:": 1, "a:": 2}', "a:1: the key 'a:' is written twice. Remove one.",
     '{"a": "a", "a:": 1, "b:": 2}', {'a': 'a', 'a:': 1, 'b:': 2}),
    ('[\nNaN]', "a:2: the number 'NaN' is not JSON. Numbers in a file are finite.", '[\n"NaN"]', ['NaN']),
    ('["Infinity",\nInfinity]', "a:2: the number 'Infinity' is not JSON. Numbers in a file are finite.",
     '["Infinity",\n"Infinity"]', ['Infinity', 'Infinity']),
    ('-Infinity', "a:1: the number '-Infinity' is not JSON. Numbers in a file are finite.", '"-Infinity"', '-Infinity'),
    ('["1e999",\n\n1e999]', "a:3: the number '1e999' is too large for a float64. Numbers in a file are finite.",
     '["1e999",\n\n1e99]', ['1e999', 1e99]),
    ('-1e999', "a:1: the number '-1e999' is too large for a float64. Numbers in a file are finite.", '-1e-999', -0.0),
    ('[1,\n123456789012345678]', "a:2: the number '123456789012345678' has more than 17 digits. "
     'Write a shorter one, or a string in quotes.', '[1,\n-12345678901234567]', [1, -12345678901234567]),
    ('[1e999.9, "', "a:1: the number '1e999' is too large for a float64. Numbers in a file are finite.", '["1e999.9"]',
     ['1e999.9']),
    ('[\n\n1e999.9, 2]', "a:3: the number '1e999' is too large for a float64. Numbers in a file are finite.", '[\n\n1e9]',
     [1e9]),
    ('[1,\n1e+999e9, "\\y"]', "a:2: the number '1e+999' is too large for a float64. Numbers in a file are finite.",
     '[1,\n1e+9]', [1, 1e9]),
    ('\n[123456789012345678., "', "a:2: the number '123456789012345678' has more than 17 digits. "
     'Write a shorter one, or a string in quotes.', '\n[12345678901234567]', [12345678901234567]),
    ('[\n-123456789012345678-1, "\t', "a:2: the number '-123456789012345678' has more than 17 digits. "
     'Write a shorter one, or a string in quotes.', '[\n"-123456789012345678-1"]', ['-123456789012345678-1']),
    ('[\nNaN0, "', "a:2: the number 'NaN' is not JSON. Numbers in a file are finite.", '["NaN0"]', ['NaN0']),
    ('1' + '0' * 400, "a:1: the number '1" + '0' * 55 + '... has more than 17 digits. Write a shorter one, or a string '
     'in quotes.', '1e40', 1e40),
    ('[' + '\n' + DEEP + ']', 'a:2: lists and dicts are nested deeper than 100. Flatten the data.', DEEP, None),
    ('[' * 30000, 'a:1: lists and dicts are nested deeper than 100. Flatten the data.', '["' + '[' * 30000 + '"]',
     ['[' * 30000]),
    ('{"a":' * 30000, 'a:1: lists and dicts are nested deeper than 100. Flatten the data.', '{"a":1}', {'a': 1}),
    ('["\\"[", ' + '[' * 100, 'a:1: lists and dicts are nested deeper than 100. Flatten the data.', '["\\"["]', ['"[']),
    ('\ufeff{}', 'a: the file begins with a byte order mark. Save it as UTF-8 without one.', '{}', {}),
    (b'\xef\xbb\xbf{}', 'a: the file begins with a byte order mark. Save it as UTF-8 without one.', b'{}', {}),
    ('{}'.encode('utf-16'), 'a: the file is UTF-16. Save it as UTF-8.', b' {}', {}),
    ('{}'.encode('utf-16-le'), "a:1: the character '\\x00' is not allowed. Remove it.", b'{}', {}),
    (b'["a",\n"\xff"]', 'a:2: the byte 0xff is not UTF-8. Save the file as UTF-8.', b'["a",\n"\xc3\xbf"]', ['a', 'ÿ']),
    ('["\x00"]', "a:1: the character '\\x00' is not allowed. Remove it.", '["0"]', ['0']),
    ('["\ud800"]', "a:1: the character '\\ud800' is not allowed. Remove it.", '["8"]', ['8']),
    ('["\\u0000"]', 'a:1: the escape \\u0000 is not a character. Remove it.', '["\\\\u0000"]', ['\\u0000']),
    ('[\n"\\ud83d"]', 'a:2: the escape \\ud83d is not a character. Remove it.', '[\n"\\ud83d\\ude00"]', ['\U0001f600']),
    ('["\\ude00\\ud83d"]', 'a:1: the escape \\ude00 is not a character. Remove it.', '["\\uD83D\\uDE00"]',
     ['\U0001f600']),
    ('["\\ud83d\\ud83d\\ude00"]', 'a:1: the escape \\ud83d is not a character. Remove it.', '["\\\\ud83d"]',
     ['\\ud83d']),
    ('{}\n{}', 'a:2: there is more text after the end of the data (column 1). Correct it, or save again.', '{}\n', {}),
    ('', 'a: the file is empty. Save the model again.', '0', 0),
    (b' \n', 'a: the file is empty. Save the model again.', b' \n1', 1),
    ('{"a": 1,}', 'a:1: this is not valid JSON: ', '{"a": 1}', {'a': 1}),
    ("{'a': 1}", 'a:1: this is not valid JSON: Expecting property name enclosed in double quotes (column 2). '
     'Correct it, or save again.', '{"a": 1}', {'a': 1}),
    ('["a\tb"]', 'a:1: this is not valid JSON: Invalid control character at (column 4). Correct it, or save again.',
     '["a\\tb"]', ['a\tb']),
    ('[01]', "a:1: this is not valid JSON: Expecting ',' delimiter (column 3). Correct it, or save again.", '[0,1]',
     [0, 1]),
    ('["' + '\\"' * 50000, 'a:1: this is not valid JSON: Unterminated string starting at (column 2). '
     'Correct it, or save again.', '["' + '\\"' * 50000 + '"]', ['"' * 50000]),
]


@pytest.mark.parametrize('text, message, twin, value', REFUSED, ids=range(len(REFUSED)))
def test_refusal_and_twin(text, message, twin, value):
    with pytest.raises(ModelFileError) as caught:
        parse_json(text, 'a')
    assert str(caught.value) == message or message.endswith('JSON: ') and str(caught.value).startswith(message)
    assert caught.value.__cause__ is None and len(str(caught.value)) <= 300
    if value is not None:
        assert repr(parse_json(twin, 'a')) == repr(value)
    else:
        parse_json(twin, 'a')


def test_every_truncation_is_refused():
    text = json.dumps({'layers': [{'name': 'é\U0001f600"', 'lr': -1.5e-07, 'on': [True, None, 12]}]}).encode()
    parse_json(text)
    for length in range(len(text)):
        with pytest.raises(ModelFileError):
            parse_json(text[:length])


def test_nothing_but_a_refusal_escapes(trials):
    pieces = ['"', '\\', '[', ']', '{', '}', ':', ',', '1', '0', '-', '+', '.', 'e', 'E', '1e999', '123456789012345678',
              'NaN', '-Infinity', 'Infinity', '\n', '"a"', '"a":', '\t', '\\u0000', '\\ud800', 'true', 'nul', ' ', '٣']
    for rng in trials(3000):
        text = ''.join(rng.choice(pieces) for _ in range(rng.randrange(1, 10)))
        try:
            json.loads(dump_json(parse_json(text)))
        except ModelFileError as error:
            assert re.match('<string>(:[1-9])?: ', str(error)), text


@pytest.mark.parametrize('text', ['{"a": [1, {}], "b": {"c": []}}', '[[], [[ ]], {}, { "a,:[": "]" }]', '1', '[1,2]'])
def test_limits_are_exact(text):
    def nodes(data):
        if isinstance(data, dict):
            return 1 + len(data) + sum(map(nodes, data.values()))
        return 1 + (sum(map(nodes, data)) if isinstance(data, list) else 0)

    data = parse_json(text)
    count = nodes(data)
    assert parse_json(text, limits=Limits(max_nodes=count)) == data
    check_plain(data, Limits(max_nodes=count))
    message = f'a: there are {count} keys and values; the limit is {count - 1}. ' \
              'If you trust the file, pass larger limits.'
    with pytest.raises(ModelFileError) as caught:
        parse_json(text, 'a', Limits(max_nodes=count - 1))
    assert str(caught.value) == message
    with pytest.raises(ModelFileError, match=f'more than {count - 1} keys and values'):
        check_plain(data, Limits(max_nodes=count - 1))
    with pytest.raises(ModelFileError) as caught:
        parse_json(text, 'a', Limits(max_bytes=len(text) - 1))
    assert str(caught.value) == (f'a: the text has {len(text)} bytes; the limit is {len(text) - 1}. '
                                 'If you trust it, pass larger limits.')


def test_a_caller_who_raises_the_depth_meets_no_recursion_error():
    with pytest.raises(ModelFileError, match='nested too deeply for this Python'):
        parse_json('[' * 200000 + ']' * 200000, limits=Limits(max_depth=10 ** 6))
    deep = []
    for _ in range(20000):
        deep = [deep]
    for dump in (dump_json, lambda data, limits: dump_plain(data, 'a.json', limits=limits),
                 lambda data, limits: dump_yaml(data, limits=limits, indent=2)):
        with pytest.raises(ModelFileError, match='nested too deeply for this Python'):
            dump(deep, limits=Limits(max_depth=10 ** 6))


def test_messages_are_short_whatever_the_file_holds():
    key = 'k' * 10000
    with pytest.raises(ModelFileError) as caught:
        parse_json(f'{{"{key}": 1, "{key}": 2}}', 'folder/' * 100 + 'arch.json')
    assert len(str(caught.value)) <= 300
    assert str(caught.value).startswith('folder/folder/') and "arch.json:1: the key 'kkk" in str(caught.value)
    with pytest.raises(ModelFileError) as caught:
        parse_json('{"\\u001b[31m\\u202e": 1, "\\u001b[31m\\u202e": 2}', 'a\n\x1b')
    assert str(caught.value) == "a\\n\\x1b:1: the key '\\x1b[31m\\u202e' is written twice. Remove one."


@pytest.mark.parametrize('data, message', [
    ((1,), 'data: a tuple is not plain data. Pass a list.'),
    ({'a': [1, {2}]},
     'data.a[1]: a set is not plain data. Pass None, a bool, an int, a float, a str, a list or a dict.'),
    ({'a': {1: 2}}, 'data.a: the key 1 is not a string. Name it with one.'),
    ({'a\0': 2}, "data: the key 'a\\x00' holds NUL or half a surrogate pair. Remove it."),
    (['\ud800'], "data[0]: the string '\\ud800' holds NUL or half a surrogate pair. Remove it."),
    ([float('nan')], 'data[0]: nan cannot be saved. Numbers in a file are finite.'),
    ([0.0, -float('inf')], 'data[1]: -inf cannot be saved. Numbers in a file are finite.'),
    ([10 ** 17], 'data[0]: the integer has more than 17 digits. Pass a string.'),
    (type('Real', (float,), {})(1), 'data: a Real is not plain data. '
     'Pass None, a bool, an int, a float, a str, a list or a dict.'),
])
def test_only_what_loads_is_dumped(data, message):
    with pytest.raises(ModelFileError) as caught:
        dump_json(data)
    assert str(caught.value) == message


def test_data_that_contain_themselves():
    data = []
    data.append(data)
    with pytest.raises(ModelFileError, match='nested deeper than 100, or contain themselves'):
        dump_json(data)
    check_plain(json.loads(DEEP))
    shared = []
    for _ in range(60):
        shared = [shared, shared]
    with pytest.raises(ModelFileError, match='more than 1000 keys and values'):
        check_plain(shared, Limits(max_nodes=1000))


def test_arguments_of_the_dump():
    data = {'b': [1, 1.0, True, -0.0], 'a': 'é'}
    assert dump_json(data) == '{"b": [1, 1.0, true, -0.0], "a": "\\u00e9"}'
    assert dump_json(data, indent=1).count('\n') == 8
    assert dump_json(data, sort_keys=True).startswith('{"a"')
    with pytest.raises(ModelFileError) as caught:
        dump_json([1, 2], separators=(' ', ': '))
    assert str(caught.value).startswith('dump_args:1: this is not valid JSON')
    with pytest.raises(ModelFileError) as caught:
        dump_json([1], separators=1)
    assert str(caught.value).startswith('dump_args: json.dumps says: ')

    class Other(json.JSONEncoder):
        def encode(self, data):
            return '[1.0]'

    with pytest.raises(ModelFileError) as caught:
        dump_json([1], cls=Other)
    assert str(caught.value) == 'dump_args: with these arguments the text does not hold the data. Leave them out.'


@pytest.mark.parametrize('text', ['"' + '\\"' * 10 ** 6, '"' * 10 ** 6, '\\' * 10 ** 6, '[1,' * 10 ** 6,
                                  '{"a":1,' * 10 ** 5,
                                  '1' * 10 ** 6, '"\\ud83d\\ude00' * 10 ** 5])
def test_hostile_text_is_refused_in_linear_time(text):
    with pytest.raises(ModelFileError):
        parse_json(text)            # reading its rest again for each character takes minutes


def test_strings_full_of_punctuation(trials):
    """Structure is judged by what is left without strings: whatever these hold, keys, depth and size are the same."""
    parts = ['', '"', '\\', '[', ']', '{', '}', ':', ',', '""', ' ', 'a', '\n', '\\"']

    def value(rng, depth):
        kind = rng.random()
        if kind < .4 or depth == 0:
            return rng.choice([''.join(rng.choice(parts) for _ in range(rng.randrange(4))), 1, 0.5, None, True])
        if kind < .7:
            return [value(rng, depth - 1) for _ in range(rng.randrange(4))]
        return {''.join(rng.choice(parts) for _ in range(rng.randrange(3))): value(rng, depth - 1) for _ in range(rng.randrange(4))}

    def measured(data):
        inner = list(data.values()) if isinstance(data, dict) else data if isinstance(data, list) else []
        nodes, depths = zip(*map(measured, inner)) if inner else ((), ())
        is_nested = isinstance(data, (list, dict))
        return 1 + sum(nodes) + (len(data) if isinstance(data, dict) else 0), is_nested + max(depths, default=0)

    for rng in trials(400):
        data = value(rng, 4)
        text = json.dumps(data, indent=rng.choice([None, 1]))
        nodes, depth = measured(data)
        limits = Limits(max_nodes=nodes, max_depth=depth)
        assert parse_json(text, limits=limits) == data
        with pytest.raises(ModelFileError, match='the limit is'):
            parse_json(text, limits=Limits(max_nodes=nodes - 1))
        if depth:
            with pytest.raises(ModelFileError, match='nested deeper'):
                parse_json(text, limits=Limits(max_depth=depth - 1))
        if isinstance(data, dict) and data:
            key = rng.choice(list(data))
            with pytest.raises(ModelFileError) as caught:
                parse_json(f'{{{json.dumps(key)}: "",\n{text[1:]}')
            assert 'is written twice' in str(caught.value) and not str(caught.value).startswith('<string>:1:')


def test_many_keys_take_little_memory():
    text = '{' + ','.join(f'"key{number:08}":0' for number in range(100_000)) + '}'
    tracemalloc.start()
    try:
        parse_json(text)
        assert tracemalloc.get_traced_memory()[1] < 11 * len(text)      # with pairs of keys and values it was more
    finally:
        tracemalloc.stop()
