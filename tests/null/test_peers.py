"""What benchmarks/peers.py does without any of the libraries that it compares."""
import json
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

FOLDER = Path(__file__).parents[2] / 'benchmarks'


@pytest.fixture(autouse=True)
def peers(monkeypatch):
    monkeypatch.syspath_prepend(str(FOLDER))
    from _peers import environment, race, report, tasks, teams
    return SimpleNamespace(environment=environment, race=race, report=report, tasks=tasks, teams=teams)


class Scripted:
    """A team whose turns take what it is told, and which fails when there is no more."""

    def __init__(self, peers, name, *milliseconds):
        self.name, self.library, self.tasks = name, f'{name} 1.0', ['MLP']
        self._times, self._failure = list(milliseconds), peers.environment.PeerMissing('out of memory')

    def take_turn(self, what, seed, course):
        assert (what, course) == ('train', ('MLP', 32, 16))
        if seed == 0:
            return 1000.
        if not self._times:
            raise self._failure
        return self._times.pop(0)


@pytest.fixture
def raced(peers):
    race = peers.race.Race([peers.race.Course('train', 'MLP', 32, 16)], tell=[].append)
    race.admit(Scripted(peers, 'ours', 1., 2., 4.))
    race.admit(Scripted(peers, 'theirs', 4., 2., 6.))
    race.admit(Scripted(peers, 'weak', 1., 1.))
    race.drop('absent', 'No matching distribution')
    race.run(3)
    return race


def test_ratios_are_taken_within_a_round(raced):
    [course] = raced.courses
    assert (course.median('ours'), course.median('theirs')) == (2., 4.)
    assert (course.ratio('theirs', 'ours'), course.ratio('ours', 'theirs')) == (1.5, 2 / 3)       # of 4, 1 and 1.5


def test_who_fails_drops_out_with_the_reason_and_the_others_go_on(raced):
    assert [team.name for team in raced.teams] == ['ours', 'theirs']
    assert raced.missing == {'absent': 'No matching distribution', 'weak': 'out of memory'}
    assert raced.courses[0].times == {'ours': [1., 2., 4.], 'theirs': [4., 2., 6.]}


def test_the_order_is_reversed_in_every_other_round(peers):
    took_turns = []

    def turns_of(name):
        return lambda what, seed, course: took_turns.append(name) or 1.

    race = peers.race.Race([peers.race.Course('train', 'MLP', 32, 16)], tell=[].append)
    for name in 'ab':
        race.admit(SimpleNamespace(name=name, library='', tasks=['MLP'], take_turn=turns_of(name)))
    race.run(2)
    assert took_turns == [*'ab', *'ba', *'ab']


def test_table(raced, peers):
    assert peers.report.table(raced) == '''\
Milliseconds for a training step of batch 32; how many times as long as ours: the middle of all rounds
                     MLP
ours         2.00   1.00
theirs       4.00   1.50

absent  missing: No matching distribution
weak    missing: out of memory
ours    ours 1.0
theirs  theirs 1.0
'''
    assert peers.report.table(peers.race.Race([])) == 'No team is there.\n'


def test_data(raced, peers):
    data = json.loads(json.dumps(peers.report.data(raced)))
    assert set(data.pop('machine')) == {'cpu', 'nb_cpu', 'python', 'system', 'load'}
    assert data == {
        'teams': {'ours': 'ours 1.0', 'theirs': 'theirs 1.0'},
        'missing': {'absent': 'No matching distribution', 'weak': 'out of memory'},
        'courses': [{'what': 'train', 'task': 'MLP', 'batch_size': 32, 'nb_step': 16,
                     'milliseconds': {'ours': [1., 2., 4.], 'theirs': [4., 2., 6.]},
                     'median': {'ours': 2., 'theirs': 4.},
                     'ratio': {'ours': {'ours': 1., 'theirs': 0.6667}, 'theirs': {'ours': 1.5, 'theirs': 1.}}}]}


def test_picture(raced, peers, tmp_path):
    files = [tmp_path / name for name in ('one.svg', 'two.svg')]
    for file in files:
        peers.report.draw(raced, file)
    words = [node.text for node in ElementTree.parse(files[0]).iter('{http://www.w3.org/2000/svg}text')]
    assert {'ours', 'theirs', 'MLP', '2.00', '4.00', 'milliseconds for a training step of batch 32'} <= set(words)
    assert files[0].read_bytes() == files[1].read_bytes()


def test_a_process_that_cannot_start_says_why(peers):
    with pytest.raises(peers.environment.PeerMissing, match="^ModuleNotFoundError: No module named '_peers.nobody_team'"):
        with peers.teams.Team('nobody', 'nobody_team'):
            pass


def test_the_environment_is_made_once_and_a_failure_says_why(peers, monkeypatch, tmp_path):
    monkeypatch.setattr(peers.environment, 'FOLDER', tmp_path)
    python = tmp_path / 'bin' / 'python'
    python.parent.mkdir()

    def install(script):
        python.write_text(f'#!/bin/sh\n{script}\n')
        python.chmod(0o755)
        return peers.environment.python_with('jax')

    with pytest.raises(peers.environment.PeerMissing, match='^not installed: pip ended with status 3$'):
        install('exit 3')
    assert install('test "$PIP_CONSTRAINT" && test "$8 $9" = "keras jax"') == python
    assert install('exit 1') == python
    monkeypatch.setattr(peers.environment, 'PINS', tmp_path / 'pins.txt')
    peers.environment.PINS.write_text('keras==4.0\n')
    with pytest.raises(peers.environment.PeerMissing, match='^not installed: pip ended with status 1$'):
        install('exit 1')


def test_all_that_is_installed_is_pinned(peers):
    pinned = dict(line.split('==') for line in peers.environment.PINS.read_text().splitlines())
    assert {'keras', *(team.peer for team in peers.teams.TEAMS if team.peer)} <= set(pinned)


def test_tasks(peers):
    tasks = peers.tasks.TASKS
    assert (tasks['MLP'].nb_weight, tasks['LSTM'].nb_weight) == (784 * 512 + 512 + 512 * 512 + 512 + 512 * 10 + 10,
                                                                 4 * (128 * 256 + 128) + 128 * 10 + 10)
    assert [tasks['MLP'].nb_step_of(size) for size in (32, 128, 512, 4096)] == [320, 80, 16, 16]
    x, y = tasks['CNN'].data(4, 16)
    assert (x.shape, x.dtype, y.shape) == ((64, 28, 28, 1), 'float32', (64, 10))
    words, _ = tasks['Names'].data(4, 16)
    assert words.dtype == 'int32' and words.min() == 0 and words.max() == 26 and (words[:, -1] > 0).all()
    assert (np.diff((words > 0).astype(int), axis=1) >= 0).all()       # no 0 after a word
    drawn, same = tasks['VAE'].data(4, 16)
    assert 0 <= drawn.min() < drawn.max() == 1 and (drawn == same).all()


def test_a_team_without_a_network_takes_no_turn_with_it(peers, tmp_path):
    race = peers.race.Race([peers.race.Course('train', task, 32, 16) for task in ('MLP', 'VAE')], tell=[].append)
    for name, tasks in ('ours', ['MLP', 'VAE']), ('by hand', ['MLP']):
        race.admit(SimpleNamespace(name=name, library='', tasks=tasks, take_turn=lambda what, seed, course: 2.))
    race.run(1)
    assert peers.report.table(race).splitlines()[1:4] == [
        '                      MLP               VAE',
        'ours          2.00   1.00       2.00   1.00',
        'by hand       2.00   1.00          -      -']
    assert set(peers.report.data(race)['courses'][1]['median']) == {'ours'}
    peers.report.draw(race, tmp_path / 'peers.svg')
