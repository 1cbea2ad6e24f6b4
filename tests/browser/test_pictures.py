"""Pictures in a browser: nothing is reported, and the script of a page places boxes where Python does."""
import html
import json
import re
import subprocess

import pytest
from pictures import DIAGRAMS, SVG, dag, read, shown

from keraflow.plots import Picture
from keraflow.plots.drawing import drawn
from keraflow.plots.placing import area_of, arrange

#: A box in each third place of a larger graph opens.
LARGE = dag(200, 7)._replace(boxes=[box._replace(inside=DIAGRAMS['ladder']) if number % 3 == 0 else box
                                    for number, box in enumerate(dag(200, 7).boxes)])
ALL = {**DIAGRAMS, 'large': LARGE}

#: What a test runs in a page, after the script of the page.
PRELUDE = '''
const all = [...document.querySelectorAll('.kf-box')], search = document.getElementById('search');
const box = name => all.find(one => one.getAttribute('aria-label').startsWith(name + ' '));
const press = (target, key, more) => target.dispatchEvent(new KeyboardEvent('keydown', {key, bubbles: true, cancelable: true, ...more}));
const click = target => target.dispatchEvent(new MouseEvent('click', {bubbles: true}));
const push = name => click(document.querySelector(`[data-do=${name}]`));
const name = one => one.getAttribute('aria-label').split(' ')[0];
const look = words => { search.value = words; search.dispatchEvent(new Event('input')); };
const places = () => {
  const found = [], walk = (one, x, y) => {
    if (one.getAttribute('display') === 'none') return;
    const at = /^translate\\((\\S+) (\\S+)\\)$/.exec(one.getAttribute('transform') || '');
    if (at) [x, y] = [x + Number(at[1]), y + Number(at[2])];
    found.push([one.tagName, one.getAttribute('d') || '', Number(one.getAttribute('width')), Number(one.getAttribute('height')), x, y]);
    for (const inner of one.children) walk(inner, x, y);
  };
  walk(document.querySelector('.kf-view > .kf-area'), 0, 0);
  return found;
};
'''


def opened(request, tmp_path, text, end='html'):
    """The page after its scripts ran, and what the browser reported."""
    file = tmp_path / f'page.{end}'
    file.write_text(text, encoding='utf-8', errors='strict')
    done = subprocess.run([request.config.getoption('--browser'), '--headless', '--no-sandbox', '--disable-gpu', '--enable-logging=stderr',
                           '--window-size=1000,700', '--virtual-time-budget=3000', f'--user-data-dir={tmp_path / "profile"}', '--dump-dom',
                           file.as_uri()], capture_output=True, text=True, timeout=120, check=True)
    return done.stdout, [line for line in done.stderr.splitlines() if 'CONSOLE' in line]


@pytest.fixture
def run(request, tmp_path):
    """What JavaScript returns in the page of a picture."""
    def result(picture, code):
        script = f"{PRELUDE}document.body.dataset.result = JSON.stringify((() => {{{code}}})());"
        text = re.sub('<meta http-equiv[^>]*>', '', picture.html)      # which allows the script of the page alone
        text, reported = opened(request, tmp_path, text.replace('</body>', f'<script>{script}</script></body>'))
        assert reported == []
        return json.loads(html.unescape(re.search('data-result="([^"]*)"', text)[1]))
    return result


@pytest.mark.parametrize('name', ALL)
def test_nothing_is_reported(request, tmp_path, name):
    text, reported = opened(request, tmp_path, Picture(ALL[name]).html)
    assert reported == [] and '<html lang="en" class="is-ready">' in text
    assert len(re.findall('<script', text)) == 2 and 'hacked=1' not in re.sub('&lt;[^<>]*', '', text)
    text, reported = opened(request, tmp_path, Picture(ALL[name]).svg, 'svg')
    assert reported == [] and 'class="kf"' in text


def test_reports_are_seen(request, tmp_path):
    text = Picture(DIAGRAMS['chain']).html
    _, reported = opened(request, tmp_path, text.replace('redraw();\n  start();\n', 'nothing();\n'))
    assert len(reported) == 1       # the policy refuses another script than the page's own
    _, reported = opened(request, tmp_path, re.sub('<meta http-equiv[^>]*>', '', text).replace('redraw();\n  start();\n', 'nothing();\n'))
    assert 'nothing is not defined' in reported[0]


def placed(diagram, depth):
    """What :func:`places` of the page is to return."""
    area = area_of(diagram)
    text = drawn(area, arrange(area, depth), True)
    for one, x, y in shown(read(f'<g xmlns="http://www.w3.org/2000/svg">{text}</g>')):
        yield [one.tag.removeprefix(SVG), one.get('d', ''), float(one.get('width', 0)), float(one.get('height', 0)), x, y]


def same(found, expected):
    """Whether two places agree, but for how numbers are rounded."""
    (tag, path, *numbers), (its_tag, its_path, *others) = found, expected
    split = re.compile('[A-Z ]')
    return tag == its_tag and re.sub('[-0-9.]+', '', path) == re.sub('[-0-9.]+', '', its_path) and all(
        abs(float(one or 0) - float(other or 0)) < 0.02
        for one, other in zip([*numbers, *split.split(path)], [*others, *split.split(its_path)]))


@pytest.mark.parametrize('name', ALL)
def test_the_script_places_as_python_does(run, name):
    for depth, code in ((0, ''), (0, "push('open'); push('close');"), (1, ''), (0, "push('open');")):
        found = run(Picture(ALL[name], depth), f'{code} return places();')
        expected = list(placed(ALL[name], None if code == "push('open');" else depth))
        assert len(found) == len(expected)
        assert [(one, other) for one, other in zip(found, expected) if not same(one, other)] == []


def test_a_click_opens_and_closes(run):
    picture = Picture(DIAGRAMS['nested'])
    states = run(picture, '''
        const state = () => all.filter(one => one.getAttribute('aria-expanded') === 'true').map(name), seen = [];
        for (const one of ['in3', 'in2', 'in3', 'in3']) { click(box(one)); seen.push(state()); }
        click(box('n0')); seen.push(state());
        return seen;''')
    assert states == [['in3'], ['in3', 'in2'], ['in2'], ['in3', 'in2'], ['in3', 'in2']]


def test_what_is_selected(run):
    found = run(Picture(DIAGRAMS['hostile']), '''
        click(all[0]);
        return [document.querySelector('#details h2').textContent, document.querySelector('#details').hidden, all[0].classList.contains('kf-selected'),
                document.querySelectorAll('.kf-lit').length, window.hacked === undefined, document.querySelectorAll('img, a, script').length];''')
    assert run(Picture(DIAGRAMS['chain']), '''
        click(all[0]); click(document.querySelector('.kf'));
        return [document.querySelector('#details').hidden, document.querySelectorAll('.kf-selected, .kf-lit').length];''') == [True, 0]
    assert found == ['<script>hacked=2</script> ("><img onerror=hacked=3>)', False, True, 1, True, 3]


def test_keys(run):
    found = run(Picture(DIAGRAMS['nested']), '''
        const seen = [], active = () => seen.push(document.activeElement === search ? 'search' : name(document.activeElement));
        all[0].focus();
        for (const key of ['ArrowDown', 'Enter', 'ArrowDown', 'ArrowRight', 'ArrowLeft', 'ArrowUp', 'Escape', 'Enter', 'ArrowDown', '/']) {
          press(document.activeElement, key); active();
        }
        press(search, 'Escape'); active();
        return seen;''')
    assert found == ['in3', 'n0', 'in2', 'n3', 'in2', 'n0', 'in3', 'in3', 'n2', 'search', 'n2']


def test_one_box_is_reached_by_tab(run):
    found = run(Picture(DIAGRAMS['nested']), '''
        const count = () => all.filter(one => one.tabIndex === 0).length, seen = [count()];
        all[0].focus(); press(all[0], 'ArrowDown'); seen.push(count());
        return seen;''')
    assert found == [1, 1]


def test_search(run):
    found = run(Picture(DIAGRAMS['nested']), '''
        const told = document.getElementById('found'), seen = [];
        look('n1'); seen.push(told.textContent, all.filter(one => one.classList.contains('kf-found')).map(name));
        press(search, 'Enter'); seen.push(told.textContent, name(document.querySelector('.kf-selected')));
        seen.push(all.filter(one => one.getAttribute('aria-expanded') === 'true').map(name));
        look('nothing'); seen.push(told.textContent);
        look(''); seen.push(told.textContent, document.querySelectorAll('.kf-found').length);
        return seen;''')
    assert found == ['2 found', ['in3', 'in2', 'in1', 'n1'], '1 of 2', 'in1', ['in3', 'in2'], '0 found', '', 0]


def test_moving_and_zooming(run):
    found = run(Picture(DIAGRAMS['chain']), '''
        const view = document.querySelector('.kf-view'), canvas = document.querySelector('.kf');
        const at = () => view.getAttribute('transform').match(/-?[0-9.]+/g).map(Number), first = at(), seen = [];
        canvas.dispatchEvent(new WheelEvent('wheel', {deltaX: 5, deltaY: 7, cancelable: true}));
        seen.push([first[0] - at()[0], first[1] - at()[1], first[2] === at()[2]].map(one => one === true ? 1 : Math.round(one)));
        push('in'); seen.push(at()[2] > first[2]);
        push('fit'); seen.push(String(at()) === String(first));
        const point = (type, x, y) => canvas.dispatchEvent(new PointerEvent(type, {clientX: x, clientY: y, pointerId: 1, bubbles: true}));
        point('pointerdown', 300, 300); point('pointermove', 302, 301); point('pointermove', 303, 304); point('pointerup', 303, 304);
        seen.push([at()[0] - first[0], at()[1] - first[1]].map(Math.round));
        return seen;''')
    assert found == [[5, 7, 1], True, True, [3, 4]]
