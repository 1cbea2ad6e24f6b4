"""Check what a class of layers defines when the class is made: everything must be called.

keraflow calls methods with certain names, the hooks. A method with another library's name for one of them, or with a
misspelt one, would never be called, and the layer would silently compute something else.
"""
import inspect
from typing import Any, Dict, Optional, Sequence, Tuple

from keraflow.errors import ArgumentTypeError
from keraflow.habits import HOOKS
from keraflow.layers.base.code_names import names_used, underlying_function
from keraflow.serialization.reserved import of_program

__all__ = ['check_class']

#: The hooks that are methods, with their arguments.
METHODS: Dict[str, Tuple[str, ...]] = {
    'output': ('x',), 'init_param': ('input_shape',), 'output_shape': ('input_shape',),
    'param_specs': ('input_shape',), 'embedded_inputs': ('input_shape',),
    'check_input_shape': ('input_shape',), 'support_mask': (), 'output_mask': ('input_mask', 'input_shape'),
    'pack_init_param': ()}
#: The hooks that are values.
VALUES = ('input_spec', 'multi_input', 'supports_masking')


def check_class(cls: type, base: type) -> None:
    """Raise unless keraflow calls what a subclass of `base` seems to define for it.

    Allowed is a method that other code of the class uses, and another library's word next to the hook itself: one may
    delegate to the other.

    Raises
    ------
    ArgumentTypeError
        With the name to write.
    """
    owners = [one for one in of_program(cls) if one not in base.__mro__]
    own = [one for one in owners if one is cls or not issubclass(one, base)]     # the class and its mixins
    defined = {name: value for one in reversed(own) for name, value in vars(one).items()}  # the nearest definition wins
    for name, value in defined.items():
        if name in METHODS:
            _check_signature(cls, name, value)
        elif name in VALUES and _is_method(value):
            raise ArgumentTypeError(f'{cls.__name__}: {name}: expected a value or a property, received a method.')
    used = names_used(owners, set(defined))
    for name, value in defined.items():
        if name in used or name not in HOOKS and (name.startswith('_') or hasattr(base, name)):
            continue
        hook = HOOKS.get(name)
        if hook is None:
            missed = _nearly(name, value)
            if missed is not None and missed not in defined:
                raise ArgumentTypeError(f'{cls.__name__}: {_never(name, value)}. Did you mean {_written(missed)}?')
        elif _stands_for(hook, value) and not any(hook in vars(one) for one in owners):
            raise ArgumentTypeError(f'{cls.__name__}: {_never(name, value)}. {_advice(hook, value)}')


def _check_signature(cls: type, name: str, value: Any) -> None:
    if not _is_method(value):
        found = 'a property' if isinstance(value, property) else repr(value)
        raise ArgumentTypeError(f'{cls.__name__}: {name}: expected a method {_written(name)}, received {found:.60}.')
    if not _takes(value, METHODS[name]):
        signature = inspect.signature(underlying_function(value))
        raise ArgumentTypeError(f'{cls.__name__}: {name}{signature}: expected a method that is called with '
                                f'{", ".join(METHODS[name]) or "nothing"}. Write {_written(name)}.')


def _nearly(name: str, value: Any) -> Optional[str]:
    """Return the hook that `name` misses by one letter, if the value could be that hook."""
    for hook in (*METHODS, *VALUES):
        fits = _takes(value, METHODS[hook]) if hook in METHODS else not _is_method(value)
        if fits and _is_near(name.lower().replace('_', ''), hook.replace('_', '')):
            return hook
    return None


def _is_near(one: str, other: str) -> bool:
    """Return whether two words differ by one letter: added, missing, replaced, or swapped."""
    if abs(len(one) - len(other)) > 1:
        return False
    start = next((i for i, (a, b) in enumerate(zip(one, other)) if a != b), min(len(one), len(other)))
    a, b = one[start:], other[start:]
    return a[1:] == b[1:] or a[1:] == b or a == b[1:] or a[:2] == b[:2][::-1] and a[2:] == b[2:]


def _is_method(value: Any) -> bool:
    return callable(value) or isinstance(value, (staticmethod, classmethod))


def _stands_for(hook: str, value: Any) -> bool:
    """Return whether the value could be the hook under another name; a value here may be a method elsewhere."""
    return _takes(value, METHODS[hook]) if hook in METHODS else True


def _takes(value: Any, arguments: Sequence[str]) -> bool:
    """Return whether a method can be called with these arguments, as far as its signature is known."""
    if not _is_method(value):
        return False
    try:
        signature = inspect.signature(underlying_function(value))
    except (TypeError, ValueError):
        return True
    own = [] if isinstance(value, staticmethod) or not inspect.isfunction(underlying_function(value)) else ['self']
    try:
        signature.bind_partial(*own, *arguments)
    except TypeError:
        return False
    return True


def _never(name: str, value: Any) -> str:
    return f'{name}() is never called' if _is_method(value) else f'{name} is never read'


def _advice(hook: str, value: Any) -> str:
    if hook == 'pack_init_param':
        return ('Leave it out, if __init__ keeps each argument under its own name: a layer is rebuilt from these. '
                f'Else write {_written(hook)}.')
    if hook in VALUES:
        return f'Write {hook} = True.'
    return f"Write {'' if _is_method(value) else 'a method '}{_written(hook)}."


def _written(hook: str) -> str:
    """Write a hook as it appears in a class."""
    return f'{hook}({", ".join(("self", *METHODS[hook]))})' if hook in METHODS else hook
