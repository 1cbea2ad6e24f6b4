"""A profile as a table, as data and as a picture. No backend is opened."""
import json
import xml.etree.ElementTree as ElementTree

import pytest

from keraflow.errors import ArgumentError
from keraflow.training.profiling import PartProfile, Profile

SVG = '{http://www.w3.org/2000/svg}'


TABLE = '''\
net on theano, plain (the only one), batch of 32
a step of fit: 10.000 ms (data 0.500, forward 3.000, backward 3.500, update 2.000, Python 1.000); the parts sum to 90% of it
part                    forward  backward  share  MFLOP  GFLOP/s  MB moved  MB kept  parameters
----------------------  -------  --------  -----  -----  -------  --------  -------  ----------
(data) (a batch)          0.500               5%
host (Block)              2.000     3.000    50%   4.00      2.0      0.25     0.08       1,200
  host/0 (Dense) x 2      1.500     1.000    25%   3.00      2.4      0.10     0.00       1,000
  host/1 (Dense)                                   0.01               0.00     0.00         200
(loss) (and <metrics>)    0.250     0.250     5%
(update) (Adam)           2.000              20%
(Python) (of fit)         1.000              10%
(not attributed)                    1.000    10%
memory in MB: parameters 1.5, estimated 2.0, resident unknown'''


def made(**changes):
    parts = [PartProfile('(data)', 'a batch', forward=0.5),
             PartProfile('host', 'Block', forward=2., backward=3., flop=4_000_000, flop_backward=6_000_000, nb_byte=250_000, nb_byte_kept=80_000, nb_param=1200),
             PartProfile('host/0', 'Dense', 'host', 1.5, 1., 2, 3_000_000, 3_000_000, 100_000, 0, 1000),
             PartProfile('host/1', 'Dense', 'host', None, None, 1, 10_000, 20_000, 4000, 0, 200),
             PartProfile('(loss)', 'and <metrics>', forward=0.25, backward=0.25), PartProfile('(update)', 'Adam', forward=2.),
             PartProfile('(Python)', 'of fit', forward=1.)]
    values = {'model': 'net', 'backend': 'theano', 'execution': 'plain', 'reason': 'the only one', 'batch_size': 32, 'step': 10., 'parts': parts,
              'stages': {'data': 0.5, 'forward': 3., 'backward': 3.5, 'update': 2., 'Python': 1.},
              'memory': {'parameters': 1_500_000, 'estimated': 2_000_000, 'resident': None}}
    return Profile(**{**values, **changes})


def test_the_parts_that_are_not_inside_others_sum_to_the_step_but_for_a_rest():
    profile = made()
    assert profile.sum == 0.5 + 5. + 0.5 + 2. + 1. and profile.rest == 1.
    assert [one.total for one in profile.parts] == [0.5, 5., 2.5, None, 0.5, 2., 1.]


def test_the_table():
    assert str(made()) == made().table() == TABLE


def test_plain_data():
    data = json.loads(json.dumps(made().data()))
    assert data['parts'][1]['path'] == 'host' and data['parts'][3]['forward'] is None
    assert (data['sum'], data['rest'], data['batch_size']) == (9., 1., 32)


def bars(text):
    """The bars of a picture: what the tooltip calls it, and its place and length in thousandths of the longest row."""
    found = []
    for group in ElementTree.fromstring(text).iter(f'{SVG}g'):
        rect = group.find(f'{SVG}rect')
        found.append((group.find(f'{SVG}title').text.split(':')[0], round((float(rect.get('x')) - 10) / 0.98), round(float(rect.get('width')) / 0.98),
                      int(rect.get('y'))))
    return found


def test_the_picture_has_a_bar_for_each_part_above_the_one_it_is_in():
    found = bars(made().plot())
    levels = sorted({y for *_, y in found}, reverse=True)
    rows = [[(name, x, width) for name, x, width, y in found if y == level] for level in levels]
    assert rows[0] == [('a step of 32 samples', 0, 1000)]
    assert rows[1] == [('data', 0, 50), ('forward', 50, 300), ('backward', 350, 350), ('update', 700, 200), ('Python', 900, 100)]
    assert rows[2] == [('(data)', 0, 50), ('host forward', 50, 200), ('(loss) forward', 250, 25), ('(loss) backward', 275, 25), ('host backward', 300, 300),
                       ('(update)', 600, 200), ('(Python)', 800, 100)]
    assert rows[3] == [('host/0 forward', 50, 150), ('host/0 backward', 300, 100)]


def test_what_is_shorter_than_nothing_has_no_bar():
    profile = made()
    profile.parts[1].forward = -0.1
    assert 'host forward' not in [name for name, *_ in bars(profile.plot())]


def test_the_picture_is_written(tmp_path):
    text = made(model='a <b> & c').plot(tmp_path / 'step.svg')
    assert (tmp_path / 'step.svg').read_text(encoding='utf-8') == text == made(model='a <b> & c')._repr_svg_()
    assert ElementTree.fromstring(text).find(f'{SVG}text').text.startswith('a <b> & c on theano, plain: 10.000 ms')
    with pytest.raises(FileExistsError):
        made().plot(tmp_path / 'step.svg')
    made().plot(tmp_path / 'step.svg', overwrite=True)
    with pytest.raises(ArgumentError) as caught:
        made().plot('step.png')
    assert str(caught.value) == "Profile.plot: path: expected a name that ends with .svg, received 'step.png'."
