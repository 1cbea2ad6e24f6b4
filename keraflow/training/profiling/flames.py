"""Draw a profile as a flame graph, in SVG."""
from typing import Any, Iterator, List, NamedTuple

from keraflow.plots.svg import element, escaped, fitted, text_width

__all__ = ['draw']

_WIDTH, _MARGIN, _HEIGHT, _TOP = 1000, 10, 26, 44
#: Of the letters.
_SIZE = 12
_COLORS = {'step': '#cfd4da', 'data': '#a9b4c0', 'forward': '#8ecae6', 'backward': '#f6bd60', 'update': '#c3aee3',
           'Python': '#e9a3a5'}


class _Bar(NamedTuple):
    """A bar: its place in milliseconds, how many are below it, and what it says."""

    start: float
    length: float
    level: int
    label: str
    color: str
    cost: Any = None


def draw(profile: Any) -> str:
    """Return the picture as text.

    At the bottom is the step as it was measured, above it its stages, which sum to it. Above these are the parts, each
    as long as it takes by itself, one after the other, and above each the layers inside it. If the parts end before the
    step, nothing of them accounts for what is left; if they end after it, it is what they save together.
    """
    bars = [_Bar(0., profile.step, 0, f'a step of {profile.batch_size} samples', 'step')]
    start = 0.
    for name, length in profile.stages.items():
        bars.append(_Bar(start, max(length, 0.), 1, name, name))
        start += max(length, 0.)
    start = 0.
    for name in profile.stages:
        outer = [one for one in profile.parts if not one.inside and _length(one, name) > 0]
        for one in reversed(outer) if name == 'backward' else outer:
            bars += _tower(profile, one, name, start, 2)
            start += _length(one, name)
    return _svg(profile, bars)


def _length(part: Any, stage: str) -> float:
    """Return how long a part takes in a stage."""
    own = {'(data)': 'data', '(update)': 'update', '(Python)': 'Python'}.get(part.path)
    found = part.backward if stage == 'backward' else part.forward if stage == (own or 'forward') else 0.
    return max(found or 0., 0.)


def _tower(profile: Any, part: Any, stage: str, start: float, level: int) -> Iterator[_Bar]:
    """Yield the bar of a part, and those of the layers inside it."""
    yield _Bar(start, _length(part, stage), level, part.path, stage, part)
    inner = [one for one in profile.parts if one.inside == part.path and _length(one, stage) > 0]
    for one in reversed(inner) if stage == 'backward' else inner:
        yield from _tower(profile, one, stage, start, level + 1)
        start += _length(one, stage)


def _svg(profile: Any, bars: List[_Bar]) -> str:
    end = max(one.start + one.length for one in bars)
    scale, top = (_WIDTH - 2 * _MARGIN) / end, max(one.level for one in bars)
    height = _TOP + (top + 1) * _HEIGHT + _MARGIN
    title = (f'{profile.model} on {profile.backend}, {profile.execution}: {profile.step:.3f} ms; '
             f'the parts sum to {profile.sum:.3f} ms')
    lines = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" '
             f'height="{height}" font-family="sans-serif" font-size="{_SIZE}">',
             element('rect', width=_WIDTH, height=height, fill='#ffffff'),
             element('text', escaped(title), x=_MARGIN, y=26, font_size=15)]
    for one in bars:
        x, y, width = _MARGIN + one.start * scale, _TOP + (top - one.level) * _HEIGHT, one.length * scale
        label = _label(one, width - 8)
        parts = [element('title', escaped(_told(profile, one))),
                 element('rect', x=x, y=y, width=width, height=_HEIGHT - 1, fill=_COLORS[one.color], stroke='#ffffff',
                         stroke_width=0.5)]
        lines.append(element('g', *parts, *([element('text', escaped(label), x=x + 4, y=y + 17)] if label else [])))
    return '\n'.join([*lines, '</svg>', ''])


def _label(bar: _Bar, width: float) -> str:
    """Return what fits into a bar."""
    long = f'{bar.label} {bar.length:.3f} ms'
    return long if text_width(long, _SIZE) <= width else fitted(bar.label, width, _SIZE)


def _told(profile: Any, bar: _Bar) -> str:
    stage = f' {bar.color}' if bar.color in ('forward', 'backward') and bar.level > 1 else ''
    text = f'{bar.label}{stage}: {bar.length:.3f} ms, {bar.length / profile.step:.0%} of the step'
    flop = 0 if bar.cost is None else bar.cost.flop_backward if bar.color == 'backward' else bar.cost.flop
    return f'{text}, {flop / 1e6:,.2f} MFLOP' if flop else text
