"""Damage to files and to the data in them, for tests that search at random."""
import copy


def damaged(rng, data):
    """The bytes after one to four accidents: changed, lost, doubled, added, or a number near its limits."""
    data = bytearray(data)
    for _ in range(rng.randrange(1, 5)):
        start = rng.randrange(len(data) + 1)
        end = min(len(data), start + rng.choice([1, 1, 1, 2, 4, 8, 40]))
        data[start:end] = rng.choice([
            b'', bytes(rng.randrange(256) for _ in range(end - start)), data[start:end] * 2, rng.randbytes(3),
            rng.choice([b'\0', b'\xff']) * (end - start), rng.choice([b'[', b'{', b'"', b'0', b'-1', b'9' * 20, b'1e999'])])
    return bytes(data)


#: What may stand in plain data where something else is expected.
ODD = [None, True, 0, -1, 2 ** 40, 1.5, '', 'x', 'relu', 'Dense', '../x', '\x1b[31m', [], {}, [1], ['x'], [None, 3], {'a': 1},
       {'class': 'Dense', 'args': {'output_dim': 2}}, {'class': 'Adam'}, {'function': 'relu'}, {'shared': 'x'},
       {'function': 'relu', 'args': {'x': 1}}]
#: What such data call their parts.
NAMES = ['class', 'args', 'function', 'shared', 'name', 'output_dim', 'layers', 'path']


def altered(rng, data):
    """Plain data after one to three alterations: a part of it is lost, doubled, moved, or replaced by something odd."""
    data = copy.deepcopy(data)
    for _ in range(rng.randrange(1, 4)):
        places = list(_places(data))
        if not places:
            break
        at, key = rng.choice(places)
        other, other_key = rng.choice(places)
        part = copy.deepcopy(rng.choice([other[other_key], rng.choice(ODD)]))
        if rng.random() < .2:
            del at[key]
        elif isinstance(at, list) and rng.random() < .4:
            at.insert(key, part)
        else:
            at[key if isinstance(at, list) or rng.random() < .7 else rng.choice(NAMES)] = part
    return data


def _places(data):
    for key in data if isinstance(data, dict) else range(len(data)) if isinstance(data, list) else ():
        yield data, key
        yield from _places(data[key])
