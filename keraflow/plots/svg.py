"""Write SVG: elements, whatever their text contains, and how much room a text needs."""
import re
import unicodedata
from typing import Any

__all__ = ['element', 'escaped', 'fitted', 'number', 'text_width']

#: The advances of the characters from space to tilde in DejaVu Sans, the widest of the common fonts, in hundredths.
_ADVANCES = (32, 40, 46, 84, 64, 95, 78, 28, 39, 39, 50, 84, 32, 36, 32, 34, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 34,
             34, 84, 84, 84, 53, 100, 68, 69, 70, 77, 63, 58, 77, 75, 30, 30, 66, 56, 86, 75, 79, 60, 79, 69, 63, 61,
             73, 68, 99, 69, 61, 69, 39, 34, 39, 84, 50, 50, 61, 63, 55, 63, 62, 35, 63, 63, 28, 28, 58, 28, 97, 63, 61,
             63, 63, 41, 52, 39, 63, 59, 82, 59, 59, 52, 64, 34, 64, 84)
#: How much wider bold text is.
_BOLD = 1.12
#: What XML cannot contain, and what would show the text around it in another order: one character each.
_UNSHOWN = re.compile('[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff'
                      '\ufeff\ufffe\uffff]')
_ENTITIES = {'&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#x27;'}


def escaped(text: Any) -> str:
    """Return text for any place in SVG or HTML; characters that these cannot show become U+FFFD.

    Examples
    --------
    >>> escaped('<a & "b">\\x00')
    '&lt;a &amp; &quot;b&quot;&gt;�'
    """
    return re.sub('[&<>"\']', lambda found: _ENTITIES[found[0]], _UNSHOWN.sub('\ufffd', str(text)))


def number(value: float) -> str:
    """Return a number of pixels with at most two decimals.

    Examples
    --------
    >>> number(12.0), number(0.125), number(-0.001)
    ('12', '0.12', '0')
    """
    return re.sub(r'\.?0+$', '', f'{value:.2f}') if abs(value) >= 0.005 else '0'


def element(tag: str, *inside: str, **attributes: Any) -> str:
    """Return an element.

    Parameters
    ----------
    tag : str
    *inside : str
        Elements and escaped text.
    **attributes
        Numbers and text, which is escaped. In names, an underscore means a hyphen; one at the end is left out.

    Examples
    --------
    >>> element('text', escaped('a < b'), x=1.5, class_='name', font_size=12)
    '<text x="1.5" class="name" font-size="12">a &lt; b</text>'
    """
    shown = ''.join(f' {name.rstrip("_").replace("_", "-")}="{number(value)}"' if isinstance(value, (int, float)) else
                    f' {name.rstrip("_").replace("_", "-")}="{escaped(value)}"'
                    for name, value in attributes.items() if value is not None)
    return f'<{tag}{shown}>{"".join(inside)}</{tag}>' if inside else f'<{tag}{shown}/>'


def text_width(text: str, size: float, bold: bool = False) -> float:
    """Return how many pixels a text in a sans-serif font takes, at most."""
    return sum(map(_advance, text)) * size / 100 * (_BOLD if bold else 1.)


def _advance(character: str) -> int:
    if ' ' <= character <= '~':
        return _ADVANCES[ord(character) - 32]
    if unicodedata.combining(character):
        return 0
    # Most of them are narrower.
    return 100 if ord(character) < 0x1100 or unicodedata.east_asian_width(character) not in 'WF' else 105


def fitted(text: str, width: float, size: float, bold: bool = False) -> str:
    """Return a text, or as much of its beginning as fits into a width.

    Examples
    --------
    >>> fitted('convolution', 50, 12), fitted('conv', 50, 12)
    ('convo…', 'conv')
    """
    text, room = str(text), width * 100 / size / (_BOLD if bold else 1.)
    for end, character in enumerate(text):
        room -= _advance(character)
        if room < 0:
            return _shortened(text[:end], width, size, bold)
    return text


def _shortened(text: str, width: float, size: float, bold: bool) -> str:
    while text and text_width(text, size, bold) + text_width('…', size, bold) > width:
        text = text[:-1]
    return f'{text.rstrip()}…' if text else ''
