"""Make a page of a picture, in which it can be moved, searched, and opened: one file that needs no network."""
import base64
import hashlib
import json
from pathlib import Path
from typing import Any, Dict

from keraflow.plots.diagram import Diagram
from keraflow.plots.drawing import TIP_LENGTH, drawn, families_in, style_of, summary_of
from keraflow.plots.families import DARK, FAMILIES, LIGHT, Page
from keraflow.plots.placing import GAPS, HEAD, PADDING, ROW_GAP, Area, arrange
from keraflow.plots.svg import element, escaped, number

__all__ = ['html_of']

_BUTTONS = (('open', 'Open all', 'Open all boxes'), ('close', 'Close all', 'Close all boxes'), ('out', '−', 'Zoom out'),
            ('in', '+', 'Zoom in'), ('fit', 'Fit', 'Show the whole picture'))
_KEYS = ('Drag or scroll to move, Ctrl and scroll to zoom, click a box with an arrow to open it. '
         'Keys: arrows, Enter, Esc, /, +, −, 0.')


def html_of(diagram: Diagram, area: Area, depth: int) -> str:
    """Return a page of a diagram whose boxes are open down to a depth at first.

    Its policy of content allows its own script and style alone. Names are in the picture, as escaped text; the script
    is the same for every model and gets numbers besides.
    """
    here = Path(__file__)
    script = here.with_name('page.js').read_text(encoding='utf-8')
    style = here.with_name('page.css').read_text(encoding='utf-8') + _variables() + style_of(diagram)
    place = arrange(area, depth)
    title = f'{diagram.name} ({diagram.kind})'
    legend = ''.join(_legend(one) for one in families_in(diagram))
    buttons = ''.join(element('button', escaped(label), type='button', data_do=action, title=told, aria_label=told)
                      for action, label, told in _BUTTONS)
    picture = element('g', element('g', drawn(area, place, True), class_='kf-area'), class_='kf-view')
    numbers = {'gaps': GAPS, 'rowGap': ROW_GAP, 'padding': PADDING, 'head': HEAD, 'tip': TIP_LENGTH,
               'root': _numbers(area)}
    return f'''<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src {_digest(script)}; \
style-src {_digest(style)}; img-src data:; base-uri 'none'; form-action 'none'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{escaped(title)}</title>
<link rel="icon" href="data:,">
<style>{style}</style>
</head>
<body>
<header>
<div class="title"><h1>{escaped(diagram.name)}</h1><p>{escaped(summary_of(diagram))}</p></div>
<div class="tools" role="toolbar" aria-label="Picture">
<input id="search" type="search" placeholder="Search names and classes" aria-label="Search names and classes">
<span id="found" role="status"></span>
{buttons}
</div>
</header>
<ul class="legend">{legend}</ul>
<main>
<svg xmlns="http://www.w3.org/2000/svg" class="kf" role="group" aria-label="{escaped(title)}" \
width="{number(place.width + 8)}" height="{number(place.height + 8)}">
<desc>{escaped(summary_of(diagram))}</desc>
{picture}
</svg>
<aside id="details" aria-live="polite" hidden><h2></h2><p></p></aside>
</main>
<footer>{escaped(_KEYS)}</footer>
<script type="application/json" id="geometry">{json.dumps(numbers, separators=(',', ':'))}</script>
<script>{script}</script>
</body>
</html>
'''


def _digest(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _legend(family: str) -> str:
    dot = element('rect', x=0.5, y=0.5, width=11, height=11, rx=3, class_=f'kf-dot kf-{family}')
    return element('li', element('svg', dot, aria_hidden='true'), escaped(FAMILIES[family].label))


def _numbers(area: Area) -> Dict[str, Any]:
    return {'n': area.graph.nb_box, 'rows': area.graph.rows, 'x': area.x, 'runs': area.runs, 'size': area.size,
            'inside': {item: _numbers(one) for item, one in area.inside.items()}}


def _variables() -> str:
    def of(page: Page) -> str:
        return ''.join(f'--{name}:{color};' for name, color in page._asdict().items())
    return f':root{{{of(LIGHT)}}}@media (prefers-color-scheme:dark){{:root{{{of(DARK)}}}}}'
