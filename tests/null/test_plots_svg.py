"""Pictures as SVG and as pages. No backend is opened."""
import ast
import base64
import hashlib
import html.parser
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from pictures import DIAGRAMS, SVG, diagram, read, shown

from keraflow.errors import ArgumentError
from keraflow.plots import Box, Diagram, Edge, Picture, family_of
from keraflow.plots.families import DARK, FAMILIES, LIGHT
from keraflow.plots.svg import element, escaped, fitted, text_width

HERE = Path(__file__).parents[1]


def boxes(svg):
    """The boxes that a picture shows: what a pointer on each shows, and the width of the card."""
    return [(one.find(f'{SVG}title').text, float(one.findall(f'{SVG}rect')[-2].get('width'))) for one, _, _ in shown(read(svg))
            if one.get('class', '').startswith('kf-box ')]


def texts(svg):
    return [''.join(one.itertext()) for one, _, _ in shown(read(svg)) if one.tag == f'{SVG}text']


@pytest.mark.parametrize('depth', [0, 1, None])
@pytest.mark.parametrize('name', DIAGRAMS)
def test_a_picture_is_xml_and_shows_each_box(name, depth):
    svg = Picture(DIAGRAMS[name], depth).svg

    def at(graph, left):
        return sum(1 + (at(box.inside, left - 1) if box.inside and left else 0) for box in graph.boxes)
    assert len(boxes(svg)) == at(DIAGRAMS[name], 99 if depth is None else depth)
    assert read(svg).tag == f'{SVG}svg' and svg.encode().decode() == svg


def test_what_a_box_says():
    made = diagram([(0, 1), (1, 2), (2, 3)], _0=Box('x', 'Input', 'input', [(None, 4)]),
                   _1=Box('a', 'Split', 'operation', [(None, 2), (None, 2)], 1234, 0, settings='axis=1'),
                   _2=Box('b', 'Mine', shapes=[None], nb_param=None, number=2, nb_call=3),
                   _3=Box('c', 'Norm', shapes=[(None, 2)], nb_param=8, nb_trainable=5, output='output'))
    assert texts(Picture(made).svg) == [
        'net', 'Model · 4 layers · 288 parameters', 'input', 'operation', 'other', 'xInput', '(None, 4)',
        'aSplit', '(None, 2), (None, 2)', '1,234 frozen', 'bMine', '?', 'shared', 'call 2 of 3', 'cNorm', '(None, 2)', '8 params', 'output']
    assert [text for text, _ in boxes(Picture(made).svg)] == [
        'x (Input)\noutput (None, 4)\n0 parameters', 'a (Split)\noutput (None, 2), (None, 2)\n1,234 parameters, 1,234 of them fixed\naxis=1',
        'b (Mine)\ncall 2 of 3\noutput ?\nparameters: not known before building', 'c (Norm)\noutput\noutput (None, 2)\n8 parameters, 3 of them fixed']


def test_text_fits_into_its_box():
    for name, made in DIAGRAMS.items():
        for one, _, _ in shown(read(Picture(made).svg)):
            if not one.get('class', '').startswith('kf-box '):
                continue
            width = float(one.findall(f'{SVG}rect')[-2].get('width'))
            (name_text, kind), shape = one.find(f'{SVG}text'), one.findall(f'{SVG}text')[1]
            right = one.find(f'{SVG}g')
            pills = [float(rect.get('x')) for rect in right.findall(f'{SVG}rect')]
            first = 16 + text_width(name_text.text or '', 13, True) + 8 + text_width(kind.text or '', 11.5)
            assert first <= width + min(pills, default=-8.), (name, name_text.text)
            counts = [text_width(text.text, 11.5) for text in right.findall(f'{SVG}text') if text.get('y') == '36']
            assert 16 + text_width(shape.text or '', 11.5) <= width - 12 - sum(counts) + 0.01


def test_an_unknown_family_is_another():
    svg = Picture(diagram([], 1, _0=Box('x', 'Dense', 'no family'))).svg
    assert 'class="kf-box kf-other"' in svg and '.kf-other>.kf-card' in svg and 'other' in texts(svg)


def test_a_call_that_is_not_the_first_is_closed_and_counted_elsewhere():
    svg = Picture(DIAGRAMS['shared']).svg
    assert [text.split('\n')[0] for text, _ in boxes(svg)].count('encoder (Sequential)') == 2
    assert texts(svg).count('call 1 of 2') == texts(svg).count('call 2 of 2') == texts(svg).count('shared') == 1


def test_arguments_of_calls_are_dashed():
    classes = [one.get('class') for one, _, _ in shown(read(Picture(DIAGRAMS['arguments']).svg)) if one.tag == f'{SVG}path']
    assert classes.count('kf-line kf-dashed') == 1 and classes.count('kf-line') >= 5


# -- what a name contains -----------------------------------------------------------------------------------------------

class Page(html.parser.HTMLParser):
    """The elements of a page, with their attributes, and the text of its scripts."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.scripts, self._is_script = [], [], False
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        self._is_script = tag == 'script'
        self.scripts += [''] * self._is_script

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)

    def handle_data(self, data):
        if self._is_script:
            self.scripts[-1] += data

    def handle_endtag(self, tag):
        self._is_script = False


@pytest.mark.parametrize('depth', [0, None])
def test_names_become_neither_elements_nor_attributes(depth):
    picture = Picture(DIAGRAMS['hostile'], depth)
    tame = diagram([(0, 1)], name='net', _1=Box('n1', 'Dense', 'other', [(None, 8)], settings='a=1', inside=diagram([], 1)), _0=Box('n0', 'Input', 'input'))
    for text, other in ((picture.svg, Picture(tame, depth).svg), (picture.html, Picture(tame, depth).html)):
        found, expected = Page(text), Page(other)
        assert {tag for tag, _ in found.elements} <= {tag for tag, _ in expected.elements}
        assert {name for _, attributes in found.elements for name in attributes} <= {name for _, attributes in expected.elements for name in attributes}
        assert len(found.scripts) == len(expected.scripts)
    assert Page(picture.html).scripts[1] == Page(Picture(tame, depth).html).scripts[1]
    assert not re.search('[\x00-\x08\x0b-\x1f\ud800-\udfff\u202a-\u202e]', picture.svg + picture.html)


@pytest.mark.parametrize('text', ['<>&"\'', ']]>', '\x00\x1f\x7f\x85', '\u202e\u2066', '\ud800', '\ufffe\uffff', '日本語 é 🎉', '\t\n\r'])
def test_what_is_escaped_is_the_text_or_a_sign_for_it(text):
    back = read(element('text', escaped(text), title=text))
    expected = ''.join('\ufffd' if re.match('[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]', one) else one
                       for one in text)
    assert back.text == expected.replace('\r', '\n')
    assert ' '.join(back.get('title').split()) == ' '.join(expected.split())
    element('text', escaped(text)).encode()


def test_long_names_are_cut():
    assert text_width(fitted('W' * 100_000, 80, 12), 12) <= 80
    assert fitted('日本語日本語', 40, 12) == '日本…'
    assert [fitted('abc', width, 10) for width in (0, 12, 17, 18)] == ['', '', 'a…', 'abc']
    assert len(Picture(diagram([], 1, _0=Box('w' * 100_000, 'k' * 100_000))).svg) < 320_000


# -- bytes, files, notebooks --------------------------------------------------------------------------------------------

CODE = '''
import hashlib, sys
sys.path.insert(0, {tests!r})
from keraflow.plots import Picture
from pictures import DIAGRAMS
text = ''.join(Picture(one).svg + Picture(one).html for one in DIAGRAMS.values())
print(hashlib.sha256(text.encode()).hexdigest())
'''


def test_the_same_bytes_in_each_process():
    digests = {subprocess.run([sys.executable, '-c', CODE.format(tests=str(HERE))], env={**os.environ, 'PYTHONHASHSEED': seed}, check=True,
                              capture_output=True, text=True).stdout for seed in ('1', '2')}
    assert len(digests) == 1


def test_files(tmp_path):
    picture = Picture(DIAGRAMS['nested'], 1)
    picture.save(tmp_path / 'net.svg')
    picture.save(tmp_path / 'net.HTML')
    assert (tmp_path / 'net.svg').read_bytes() == picture.svg.encode() == picture._repr_svg_().encode()
    assert (tmp_path / 'net.HTML').read_bytes() == picture.html.encode()
    with pytest.raises(FileExistsError):
        picture.save(tmp_path / 'net.svg')
    picture.save(tmp_path / 'net.svg', overwrite=True)
    with pytest.raises(ArgumentError) as caught:
        picture.save(tmp_path / 'net.png')
    assert str(caught.value) == f"plot: path: expected a name that ends with .svg or .html, received '{tmp_path / 'net.png'}'."
    assert repr(picture) == '<Picture of level3: 15 boxes>'


def test_a_page_is_one_file_that_runs_its_own_script_alone():
    text = Picture(DIAGRAMS['nested']).html
    page = Page(text)
    assert [name for tag, attributes in page.elements for name in ('src', 'href', 'srcset', 'action') if attributes.get(name, 'data:,') != 'data:,'] == []
    assert not [name for _, attributes in page.elements for name in attributes if name.startswith('on') or name == 'style']
    assert re.findall(r'https?://[^"]+', text) == ['http://www.w3.org/2000/svg'] and '@import' not in text and 'url(' not in text
    [policy] = [attributes['content'] for tag, attributes in page.elements if attributes.get('http-equiv') == 'Content-Security-Policy']
    style = re.search('<style>(.*?)</style>', text, re.DOTALL)[1]
    for kind, content in (('script', page.scripts[1]), ('style', style)):
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert f"{kind}-src 'sha256-{digest}';" in policy
    assert policy.startswith("default-src 'none';")


def test_a_page_has_numbers_for_its_script_and_no_names():
    made = json.loads(Page(Picture(DIAGRAMS['hostile']).html).scripts[0])

    def leaves(value):
        for one in value.values() if isinstance(value, dict) else value:
            yield from leaves(one) if isinstance(one, (dict, list)) else [one]
    assert all(isinstance(one, (int, float)) for one in leaves(made))


@pytest.mark.parametrize('depth, nb_shown, expanded', [(None, 4, 'false false false'), (0, 4, 'false false false'), (1, 8, 'true false false'),
                                                       (2, 12, 'true true false'), (9, 15, 'true true true')])
def test_a_page_draws_all_and_hides_what_is_in_closed_boxes(depth, nb_shown, expanded):
    text = Picture(DIAGRAMS['nested'], depth).html
    drawn = read(re.search('<svg[^>]* class="kf".*?</svg>', text, re.DOTALL)[0])
    labels = [one.get('aria-label') for one, _, _ in shown(drawn) if one.get('role') in ('button', 'img')]
    assert len(labels) == nb_shown
    assert len([one for one in drawn.iter() if one.get('role') in ('button', 'img')]) == 15
    assert [one.get('aria-expanded') for one in drawn.iter() if one.get('role') == 'button'] == expanded.split()


def test_a_picture_has_words_for_those_who_do_not_see_it():
    svg = read(Picture(DIAGRAMS['shared']).svg)
    assert svg.get('role') == 'img' and svg[0].tag == f'{SVG}title' and svg[1].tag == f'{SVG}desc'
    assert (svg[0].text, svg[1].text) == ('net (Model)', 'Model, 5 layers, 360 parameters')
    made = diagram([(0, 1)], _0=Box('x', 'Input', 'input'), _1=Box('y', 'Dense', output='output'))
    assert read(Picture(made).svg)[1].text == 'Model, 2 layers, 144 parameters; inputs: x; outputs: y'


# -- colours ------------------------------------------------------------------------------------------------------------

def luminance(color):
    """Relative luminance, as the Web Content Accessibility Guidelines 2.1 define it."""
    parts = [int(color[at:at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in parts]
    return sum(map(float.__mul__, linear, (0.2126, 0.7152, 0.0722)))


def contrast(one, other):
    darker, lighter = sorted(map(luminance, (one, other)))
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize('surrounding', ['light', 'dark'])
def test_text_and_lines_can_be_told_from_what_is_behind_them(surrounding):
    assert contrast('#ffffff', '#000000') == pytest.approx(21)
    page = LIGHT if surrounding == 'light' else DARK
    assert contrast(page.page, page.quiet) >= 4.5 and contrast(page.pill, page.text) >= 4.5 and contrast(page.page, page.line) >= 3
    for name, family in FAMILIES.items():
        box, edge, kind = getattr(family, surrounding)
        assert contrast(box, page.text) >= 7 and contrast(box, page.quiet) >= 4.5 and contrast(box, kind) >= 4.5, name
        assert contrast(page.page, edge) >= 3, name


def test_each_layer_has_a_family():
    import keraflow.layers
    import keraflow.models
    classes = [one for module in (keraflow.layers, keraflow.models) for name in module.__all__ for one in [getattr(module, name)]
               if isinstance(one, type) and issubclass(one, keraflow.layers.Layer)]
    bases = {'Layer', 'MultiInputLayer', 'Foreign'}
    assert {one.__name__ for one in classes if family_of(one) == 'other'} == bases
    assert set(map(family_of, classes)) == set(FAMILIES)
    assert family_of(keraflow.layers.Input) == 'input' and family_of(type('Mine', (keraflow.layers.Dense,), {})) == 'dense'


def test_no_picture_needs_a_layer():
    """What draws knows plain data alone."""
    room = HERE.parent / 'keraflow' / 'plots'
    imported = {node.module for path in room.glob('*.py') for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.ImportFrom)}
    assert {one for one in imported if one.startswith('keraflow.') and not one.startswith('keraflow.plots')} == {'keraflow.errors', 'keraflow.files.atomic'}
    assert Picture(Diagram('plan', 'Model', [Box('x', 'Input', 'input'), Box('y', 'Unknown')], [Edge(0, 1)], None)).svg
