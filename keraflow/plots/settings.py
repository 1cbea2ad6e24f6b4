"""The arguments of a layer in a few words."""
from typing import Any, Mapping

__all__ = ['settings_text']

#: Those that a picture shows in another way, or that say nothing in a picture.
_SHOWN_ELSEWHERE = frozenset(['name', 'trainable', 'initial_weights', 'embedded_arguments', 'layer', 'layers', 'path',
                              'inputs', 'outputs', 'names', 'args', 'operation', 'batch_size'])
_LONGEST, _LONGEST_VALUE = 240, 40


def settings_text(values: Mapping[str, Any], defaults: Mapping[str, Any]) -> str:
    """Return the arguments that are numbers, words or functions, and differ from the default ones.

    Examples
    --------
    >>> settings_text({'output_dim': 3, 'activation': max, 'bias': True, 'name': 'y'}, {'bias': True})
    'output_dim=3, activation=max'
    >>> settings_text({'padding': (1, 1), 'kwargs': {}, 'bias': None}, {})
    'padding=(1, 1)'
    """
    shown = []
    for name, value in values.items():
        text = _text(value)
        if name not in _SHOWN_ELSEWHERE and text and text != _text(defaults.get(name)):
            shown.append(f'{name}={text}')
    whole = ', '.join(shown)
    return whole if len(whole) <= _LONGEST else f'{whole[:_LONGEST]}…'


def _text(value: Any) -> str:
    if isinstance(value, (bool, int, float, str)):
        text = str(value)
    elif isinstance(value, (list, tuple)):
        inner = [_text(one) for one in value[:8]]
        text = f'({", ".join(inner)}{", …" if len(value) > 8 else ""})' if all(inner) else ''
    else:       # a function by its name, an object by that of its class, and no data
        is_data = type(value).__module__ in ('builtins', 'numpy') and not callable(value)
        text = '' if is_data else getattr(value, '__name__', None) or type(value).__name__
    return text if len(text) <= _LONGEST_VALUE else f'{text[:_LONGEST_VALUE]}…'
