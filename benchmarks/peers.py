"""Time keraflow against Keras 3 on TensorFlow, JAX and PyTorch, and against TensorFlow by hand.

Each trains the same three networks through its ``fit``, and predicts one sample: an MLP 784-512-512-10 with dropout, a
CNN on images of 28x28, and LSTM(128) on 80 steps of 128; Adam, float32, otherwise with the settings that each library
has by itself. ``--tasks`` names networks of the examples instead. Keras, and keraflow on the same TensorFlow, get an
environment of their own, made the first time; a library that cannot be installed or does not run is named and left out.
All teams are held ready, each in a process of its own, and take turns; the others are compared with the first team,
keraflow on TensorFlow. A turn of training is one call of ``fit``; compiling comes before. What such a call costs by
itself, tens of milliseconds for Keras on TensorFlow, its steps share: more ``--steps`` lessen that.

Prints the tables, and writes them as text, JSON and SVG. The machine should do nothing else: other work slows down all
teams of a round, but not alike. Threads of PyTorch wait for each other in busy loops, which can make it a hundred times
slower beside other programs (``OMP_WAIT_POLICY=passive`` lets them sleep).
"""
import argparse
import contextlib
import json
from pathlib import Path

from _peers.environment import ROOT, PeerMissing
from _peers.race import Course, Race
from _peers.report import data, draw, machine, table
from _peers.tasks import MAIN_TASKS, TASKS
from _peers.teams import TEAMS


def read_arguments():
    parser = argparse.ArgumentParser(description=__doc__.partition('\n')[0])
    parser.add_argument('--batch', type=int, nargs='+', default=[32], help='sizes of the batches, such as 32 128 512')
    parser.add_argument('--tasks', nargs='+', choices=TASKS, default=MAIN_TASKS, help='the networks; others of the '
                        'examples, which nobody has written by hand, besides the three')
    parser.add_argument('--teams', nargs='+', choices=[team.name for team in TEAMS], metavar='NAME',
                        help='those that take part, by the names in the table; by default all')
    parser.add_argument('--rounds', type=int, default=9, help='how many turns each team takes')
    parser.add_argument('--steps', type=int, help='of a turn of training, instead of those of the network')
    parser.add_argument('--out', type=Path, default=ROOT / 'build', help='the folder for peers.txt, .json and .svg')
    return parser.parse_args()


def courses(tasks, batch_sizes, nb_step=None):
    """Return what is timed: training with each size, and predicting."""
    trained = [Course('train', task, size, nb_step or TASKS[task].nb_step_of(size))
               for size in batch_sizes for task in tasks]
    return [*trained, *(Course('predict', one.task, one.batch_size, one.nb_step) for one in trained[:len(tasks)])]


def main():
    """Measure, print and write."""
    arguments = read_arguments()
    load = machine()['load']
    race = Race(courses(arguments.tasks, arguments.batch, arguments.steps))
    with contextlib.ExitStack() as stack:
        for team in TEAMS:
            if team.name not in (arguments.teams or [team.name]):
                continue
            try:
                race.admit(stack.enter_context(team))
            except PeerMissing as reason:
                race.drop(team.name, reason)
        race.run(arguments.rounds)
    text, measured = table(race), data(race)
    measured['machine']['load'] = load          # before the teams themselves were busy
    print(f'\n{text}')
    arguments.out.mkdir(parents=True, exist_ok=True)
    (arguments.out / 'peers.txt').write_text(text)
    (arguments.out / 'peers.json').write_text(json.dumps(measured, indent=1) + '\n')
    if race.teams:
        draw(race, arguments.out / 'peers.svg')
    print(f'Written: peers.txt, peers.json and peers.svg in {arguments.out}')


if __name__ == '__main__':
    main()
