"""Profile: where the time and the memory of a training step go, as a table, as data and as a picture."""
import dataclasses
import os
from typing import Any, Dict, List, Optional

from keraflow.errors import ArgumentError, path_in_words
from keraflow.files.atomic import write_file
from keraflow.schema import Path
from keraflow.schema.checked import checked
from keraflow.training.profiling.flames import draw

__all__ = ['PartProfile', 'Profile']


@dataclasses.dataclass
class PartProfile:
    """One part of a training step.

    Attributes
    ----------
    path : str
        Of a layer, its name: ``'host/0'`` of an embedded one. Else ``'(loss)'``, ``'(update)'``, ``'(data)'`` or
        ``'(Python)'``.
    kind : str
        The class of the layer; else what the part is.
    inside : str
        The path of the part that it is a part of; empty for the parts that sum to the step.
    forward, backward : float or None
        Milliseconds of a step, measured; those of what has only one direction are `forward`. None for a layer that runs
        inside a loop over time, which cannot be measured apart from it.
    nb_run : int
        How often it runs in a step.
    flop, flop_backward : int
        Floating-point operations: a product and a sum are two, any function of a number is one. Of gradients, for each
        operand that a gradient flows to, as many as forward.
    nb_byte : int
        The bytes that its operations read and write forward, each by itself.
    nb_byte_kept : int
        The bytes of what must be kept for the gradients.
    nb_param : int
        The number of its parameters.
    nb_uncounted : int
        The number of operations of which nothing is counted, because lengths are not known statically.
    """

    path: str
    kind: str
    inside: str = ''
    forward: Optional[float] = None
    backward: Optional[float] = None
    nb_run: int = 1
    flop: int = 0
    flop_backward: int = 0
    nb_byte: int = 0
    nb_byte_kept: int = 0
    nb_param: int = 0
    nb_uncounted: int = 0

    @property
    def total(self) -> Optional[float]:
        """Milliseconds in both directions."""
        return None if self.forward is None else self.forward + (self.backward or 0.)


@dataclasses.dataclass
class Profile:
    """Where the time and the memory of a training step go; the result of ``model.profile(x, y)``.

    Attributes
    ----------
    model : str
        Its name.
    backend : str
    execution, reason : str
        The road that ``fit`` takes, and why.
    batch_size : int
    step : float
        Milliseconds of a step of ``fit``, all included.
    parts : list of PartProfile
        In the order in which they run.
    stages : dict
        Milliseconds of the step by stage: ``'data'``, ``'forward'``, ``'backward'``, ``'update'`` and ``'Python'``,
        each the difference that the stage makes. They sum to `step`.
    memory : dict
        Bytes by what they are for, estimated before anything of the step is allocated, ``'estimated'`` and its parts;
        and ``'measured'``: how far the resident memory of the process grew while the function of the step was built
        and ran. None where the system does not tell.
    """

    model: str
    backend: str
    execution: str
    reason: str
    batch_size: int
    step: float
    parts: List[PartProfile]
    stages: Dict[str, float]
    memory: Dict[str, Optional[int]]

    @property
    def sum(self) -> float:
        """Milliseconds of all parts, each measured by itself."""
        return sum(one.total or 0. for one in self.parts if not one.inside)

    @property
    def rest(self) -> float:
        """Milliseconds of the step that no part accounts for: above 0 what happens between the parts, below 0 what
        they save together, for example where operations of several layers are fused or run at the same time."""
        return self.step - self.sum

    def data(self) -> Dict[str, Any]:
        """Return everything as plain data, for example for ``json.dumps``."""
        return {**dataclasses.asdict(self), 'sum': self.sum, 'rest': self.rest}

    def table(self) -> str:
        """Return a table as text."""
        head = ['part', 'forward', 'backward', 'share', 'MFLOP', 'GFLOP/s', 'MB moved', 'MB kept', 'parameters']
        rows = [head, *map(self._row, self.parts),
                ['(not attributed)', '', _number(self.rest, 3), f'{self.rest / self.step:.0%}']]
        rows = [[*row, *[''] * (len(head) - len(row))] for row in rows]
        widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
        lines = ['  '.join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])]).rstrip() for row in rows]
        lines.insert(1, '  '.join('-' * width for width in widths))
        stages = ', '.join(f'{name} {milliseconds:.3f}' for name, milliseconds in self.stages.items())
        memory = ', '.join(f"{name} {'unknown' if nb_byte is None else f'{nb_byte / 1e6:.1f}'}"
                           for name, nb_byte in self.memory.items())
        return '\n'.join([
            f'{self.model} on {self.backend}, {self.execution} ({self.reason}), batch of {self.batch_size}',
            f'a step of fit: {self.step:.3f} ms ({stages}); the parts sum to {self.sum / self.step:.0%} of it',
            *lines, f'memory in MB: {memory}'])

    def __str__(self) -> str:
        return self.table()

    def _row(self, one: PartProfile) -> List[str]:
        depth = one.path.count('/') if one.inside else 0
        times = f' x {one.nb_run}' if one.nb_run > 1 else ''
        total = one.total
        rate = (one.flop + one.flop_backward) / total / 1e6 if total and total > 0 else None
        cost = [_number(one.flop / 1e6, 2), _number(rate, 1), _number(one.nb_byte / 1e6, 2),
                _number(one.nb_byte_kept / 1e6, 2), f'{one.nb_param:,}'] if one.flop or one.nb_byte else []
        return [f"{'  ' * depth}{one.path} ({one.kind}){times}", _number(one.forward, 3), _number(one.backward, 3),
                '' if total is None else f'{total / self.step:.0%}', *cost]

    @checked
    def plot(self, path: Optional[Path] = None, overwrite: bool = False) -> str:
        """Draw the step as a flame graph: a bar for each part, as long as it takes, above those inside it.

        Parameters
        ----------
        path : path, optional
            A file to write, ending in ``.svg``.
        overwrite : bool
            Whether to replace an existing file.

        Returns
        -------
        str
            The picture, as SVG.

        Raises
        ------
        FileExistsError
            If the file exists and `overwrite` is False.
        """
        text = draw(self)
        if path is not None:
            if not os.fspath(path).lower().endswith('.svg'):
                raise ArgumentError('Profile.plot: path: expected a name that ends with .svg, received '
                                    f"'{path_in_words(path)}'.")
            write_file(path, text.encode(), overwrite)
        return text

    def _repr_svg_(self) -> str:        # for notebooks
        return draw(self)


def _number(value: Optional[float], nb_digit: int) -> str:
    return '' if value is None else f'{value:,.{nb_digit}f}'
