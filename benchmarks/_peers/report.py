"""What a race has shown: as text, as data and as a picture."""
import math
import os
import platform
from pathlib import Path

TITLES = {'train': 'a training step of batch {}', 'predict': 'the prediction of one sample'}
#: Of the bars: keraflow stands out.
COLORS = {'keraflow': '#1f5fbf', 'Keras': '#c9a227'}
OTHER_COLOR = '#8a8a8a'


def groups(race):
    """Return the courses that go into one table, by its title."""
    grouped = {}
    for course in race.courses:
        grouped.setdefault(TITLES[course.what].format(course.batch_size), []).append(course)
    return grouped


def table(race):
    """Return the tables as text: milliseconds, and how many times those of the first team."""
    if not race.teams:
        return 'No team is there.\n'
    names = [team.name for team in race.teams]
    width = max(map(len, [*names, *race.missing]))
    lines = []
    for title, courses in groups(race).items():
        lines += [f'Milliseconds for {title}; how many times as long as {names[0]}: the middle of all rounds',
                  f'{"":{width}}' + ''.join(f'{course.task:>18}' for course in courses)]
        lines += [f'{name:{width}}' + ''.join(f'{course.median(name):11.2f}{course.ratio(name, names[0]):7.2f}'
                                              if name in course.times else f'{"-":>11}{"-":>7}' for course in courses)
                  for name in names]
        lines.append('')
    lines += [f'{name:{width}}  missing: {reason}' for name, reason in race.missing.items()]
    lines += [f'{team.name:{width}}  {team.library}' for team in race.teams]
    return '\n'.join(lines) + '\n'


def data(race):
    """Return all times, what is computed from them, and what they were measured on, as plain data."""
    return {
        'machine': machine(),
        'teams': {team.name: team.library for team in race.teams},
        'missing': race.missing,
        'courses': [{
            'what': course.what, 'task': course.task, 'batch_size': course.batch_size, 'nb_step': course.nb_step,
            'milliseconds': {name: [round(it, 4) for it in times] for name, times in course.times.items()},
            'median': {name: round(course.median(name), 4) for name in course.times},
            'ratio': {name: {other: round(course.ratio(name, other), 4) for other in course.times}
                      for name in course.times},
        } for course in race.courses]}


def machine():
    """Return the processor, how many processors there are, and how many programs compete for them just now."""
    cpu = platform.processor() or platform.machine()
    described = Path('/proc/cpuinfo')
    if described.exists():
        lines = described.read_text().splitlines()
        cpu = next((line.partition(':')[2].strip() for line in lines if line.startswith('model name')), cpu)
    load = os.getloadavg()[0] if hasattr(os, 'getloadavg') else None
    return {'cpu': cpu, 'nb_cpu': os.cpu_count(), 'load': load, 'python': platform.python_version(),
            'system': platform.system()}


def draw(race, file):
    """Draw a table in each row, a network in each column, as SVG whose text stays text."""
    import matplotlib
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure
    names = [team.name for team in race.teams]
    rows = groups(race)
    nb_column = max(map(len, rows.values()))
    # The same numbers make the same file.
    with matplotlib.rc_context({'svg.fonttype': 'none', 'svg.hashsalt': 'peers', 'font.size': 9}):
        figure = Figure((3.2 + 2.2 * nb_column, len(rows) * (0.9 + 0.24 * len(names))), layout='constrained')
        FigureCanvasSVG(figure)
        panels = figure.subplots(len(rows), nb_column, squeeze=False, sharey=True)
        for row, (title, courses) in zip(panels, rows.items()):
            for panel, course in zip(row, courses):
                bars = panel.barh(names, [course.median(name) if name in course.times else math.nan for name in names],
                                  color=[COLORS.get(name.split()[0], OTHER_COLOR) for name in names])
                panel.bar_label(bars, fmt='%.2f', padding=2)
                panel.set_title(course.task)
                panel.margins(x=0.25)
                panel.set_xticks([])
                panel.spines[['top', 'right', 'bottom']].set_visible(False)
            row[len(row) // 2].set_xlabel(f'milliseconds for {title}')
        panels[0, 0].invert_yaxis()
        figure.savefig(file, format='svg', metadata={'Date': None})
