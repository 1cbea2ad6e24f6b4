"""Teams in turn: what a machine does beside them slows down all teams of a round, and hardly changes their ratios."""
import statistics
import time
from dataclasses import dataclass, field

from .environment import PeerMissing

#: Between two turns, in seconds: threads that wait in busy loops for more work give up.
PAUSE = 0.02


@dataclass
class Course:
    """What is timed: the milliseconds of each team, one a round.

    Parameters
    ----------
    what : 'train' or 'predict'
        A step of training, or one sample.
    task : str
        The network.
    batch_size, nb_step : int
        Of a turn of training; predicting needs them only to tell the network.
    times : dict
        From the name of a team to its milliseconds, if it has that network.
    """

    what: str
    task: str
    batch_size: int
    nb_step: int
    times: dict = field(default_factory=dict)

    def median(self, team):
        """Return the milliseconds in the middle of a team's."""
        return statistics.median(self.times[team])

    def ratio(self, team, other):
        """Return how many times as long as the other a team takes: the middle of the ratios within a round."""
        return statistics.median(one / two for one, two in zip(self.times[team], self.times[other]))


class Race:
    """The teams that take part; the others with the reason. A team that fails drops out, with all its times."""

    def __init__(self, courses, tell=print):
        self.courses = courses
        self.teams, self.missing = [], {}
        self._tell = tell

    def admit(self, team):
        """Let a team that was started compile all it needs."""
        start = time.perf_counter()
        self.teams.append(team)
        for course in self.courses:
            self._turn(team, course, 0)
        if team in self.teams:
            self._tell(f'{team.name} ({team.library}) is ready: {time.perf_counter() - start:.1f} s with compiling')

    def drop(self, name, reason):
        """Go on without a team."""
        self.teams = [team for team in self.teams if team.name != name]
        for course in self.courses:
            course.times.pop(name, None)
        self.missing[name] = str(reason)
        self._tell(f'{name} is missing: {reason}')

    def run(self, nb_round):
        """Take all turns; the order of the teams is the reverse in every other round."""
        for seed in range(1, nb_round + 1):
            for course in self.courses:
                for team in self.teams[::-1 if seed % 2 else 1]:
                    milliseconds = self._turn(team, course, seed)
                    if milliseconds is not None:
                        course.times.setdefault(team.name, []).append(milliseconds)
            self._tell(f'round {seed} of {nb_round}')

    def _turn(self, team, course, seed):
        if team not in self.teams or course.task not in team.tasks:
            return None
        time.sleep(PAUSE)
        try:
            return team.take_turn(course.what, seed, (course.task, course.batch_size, course.nb_step))
        except PeerMissing as reason:
            self.drop(team.name, reason)
            return None
