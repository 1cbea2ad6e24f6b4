"""Bind arguments to the names in a signature, and check them: for constructors, functions, operations and calls alike.

Who binds says where it happens, which is how messages start. What a constructor, an operation or a call of a layer has
beyond this, such as other defaults or values that no annotation describes, is its own affair.
"""
import inspect
import keyword
from typing import Any, Callable, Collection, Dict, Iterable, Optional, Sequence, get_args

from keraflow.arguments import dtype_name
from keraflow.errors import ArgumentTypeError, KeraFlowError, nearest
from keraflow.owned import owned
from keraflow.schema.checking import check, expected, hints_of, kind_in
from keraflow.schema.marks import DType
from keraflow.schema.matching import matcher

__all__ = ['Argument', 'Signature']

_EMPTY = inspect.Parameter.empty


class Argument:
    """One argument of a function or a constructor.

    Attributes
    ----------
    name : str
        By which it may be given.
    annotation
        What it may be.
    default
        ``inspect.Parameter.empty`` if it is required.
    positional : bool
        Whether it may be given by its position.
    owner : class, optional
        For a constructor: the class whose ``__init__`` lists it.
    is_changeable : bool
        Whether its default is mutable, and would be shared by all objects.
    """

    __slots__ = ('name', 'annotation', 'default', 'positional', 'owner', 'is_changeable', '_allows', '_is_dtype',
                 '_kind')

    def __init__(self, name: str, annotation: Any = Any, default: Any = _EMPTY, positional: bool = False,
                 owner: Optional[type] = None):
        self.name = name
        self.annotation = annotation
        self.default = default
        self.positional = positional
        self.owner = owner
        self.is_changeable = owned(default) is not default
        self._allows = matcher(annotation)
        self._is_dtype = DType in (annotation, *get_args(annotation))
        self._kind: Optional[str] = None

    @property
    def kind(self) -> str:
        """The kind of objects that it may be, or hold; '' for none."""
        if self._kind is None:      # asked of few, compared with how many there are
            self._kind = kind_in(self.annotation)
        return self._kind

    def taken(self, value: Any, where: str) -> Any:
        """Return a value, checked, as it is kept: a dtype by its name."""
        value = dtype_name(value) if self._is_dtype else value
        if not self._allows(value):      # check is slower, and lets a default pass that does not match
            check(value, self.annotation, f'{where}: {self.name}', self.default)
        return value

    def missing(self, where: str, advice: str = '') -> ArgumentTypeError:
        """Return the error for a call without it."""
        words = '' if self.annotation is Any else f': {expected(self.annotation)}'
        return ArgumentTypeError(f"{where}: the argument '{self.name}' is missing{words}. {advice}".rstrip())


class Signature:
    """The arguments of a function, a constructor or a call, in their order.

    Parameters
    ----------
    arguments : iterable of Argument
    is_open : bool
        Whether further arguments may be given by name.
    passed_on : collection of str
        Names that need not be given, whatever their defaults are: another function may be given them.

    Examples
    --------
    >>> signature = Signature.of(lambda text, times=2: text * times)
    >>> signature.bind(['a'], {'times': 3}, 'repeat')
    {'text': 'a', 'times': 3}
    >>> signature.bind(['a'], {'time': 3}, 'repeat')
    Traceback (most recent call last):
    keraflow.errors.ArgumentTypeError: repeat: there is no argument 'time'. Did you mean 'times'?
    """

    def __init__(self, arguments: Iterable[Argument], is_open: bool = False, passed_on: Collection[str] = ()):
        self.arguments: Dict[str, Argument] = {one.name: one for one in arguments}
        self.is_open = is_open
        self.passed_on = passed_on
        self._positional = [one.name for one in self.arguments.values() if one.positional]
        self._required = [one for one in self.arguments.values()
                          if one.default is _EMPTY and one.name not in passed_on]

    @classmethod
    def of(cls, function: Callable, start: int = 0) -> 'Signature':
        """Return that of a function, from an argument on; one of another language that tells none takes any."""
        try:
            listed = list(inspect.signature(function).parameters.values())[start:]
        except (TypeError, ValueError):
            return cls([], is_open=True)
        hints = hints_of(function)
        return cls([Argument(one.name, hints.get(one.name, Any), one.default, one.kind is not one.KEYWORD_ONLY)
                    for one in listed if one.kind not in (one.VAR_POSITIONAL, one.VAR_KEYWORD)],
                   is_open=any(one.kind is one.VAR_KEYWORD for one in listed))

    def named(self, args: Sequence[Any], kwargs: Dict[str, Any], where: str, surplus: str = '',
              advise: Callable[[str, Iterable[str]], str] = nearest) -> Dict[str, Any]:
        """Return what is given by name, whatever its values are.

        Parameters
        ----------
        surplus : str, optional
            Advice for a call with too many arguments by position.
        advise : function, optional
            From an unknown name and those there are to advice.

        Raises
        ------
        ArgumentTypeError
            For an unknown, duplicate or surplus argument.
        """
        if len(args) > len(self._positional):
            self._refuse_surplus(len(args), where, surplus)
        given = dict(zip(self._positional, args))
        for name, value in kwargs.items():
            if name in given:
                raise ArgumentTypeError(f"{where}: the argument '{name}' is given twice.")
            if name not in self.arguments and not (self.is_open and _is_word(name)):
                advice = advise(name, self.arguments)
                raise ArgumentTypeError(f'{where}: there is no argument {name[:60]!r}. {advice}'.rstrip())
            given[name] = value
        return given

    def complete(self, args: Sequence[Any], kwargs: Dict[str, Any], where: str, surplus: str = '',
                 defaults: Optional[Dict[str, Any]] = None) -> Dict[str, Any]:
        """Return what is given by name, and `defaults` where nothing is given, whatever the values are.

        Raises
        ------
        ArgumentTypeError
            For an unknown, missing, duplicate or surplus argument.
        """
        given = {**(defaults or {}), **self.named(args, kwargs, where, surplus)}
        for one in self._required:
            if one.name not in given:
                raise one.missing(where)
        return given

    def bind(self, args: Sequence[Any], kwargs: Dict[str, Any], where: str, surplus: str = '',
             defaults: Optional[Dict[str, Any]] = None) -> Dict[str, Any]:
        """Return what is given by name, checked, with `defaults` and mutable defaults where nothing is given.

        Raises
        ------
        ArgumentTypeError
            For an unknown, missing, duplicate or surplus argument, or one of the wrong type.
        ArgumentError
            For a value that the annotation does not allow.
        """
        given = self.complete(args, kwargs, where, surplus, defaults)
        for name, one in self.arguments.items():
            if name in given:
                given[name] = one.taken(given[name], where)
            elif one.is_changeable and name not in self.passed_on:
                given[name] = one.default
        return given

    def check(self, given: Dict[str, Any], where: str) -> None:
        """Raise unless these arguments are there, and the annotations allow their values."""
        for name, value in self.named((), given, where).items():
            if name in self.arguments:
                self.arguments[name].taken(value, where)

    def blamed(self, given: Dict[str, Any]) -> Optional[str]:
        """Return the first of these arguments that is not there, or whose value its annotation does not allow."""
        for name, value in given.items():
            try:
                self.check({name: value}, '')
            except KeraFlowError:
                return name
        return None

    def _meaning(self) -> list:
        """Return what two signatures have in common if their functions are called alike."""
        return [[(one.name, one.default, one.positional) for one in self.arguments.values()], self.is_open]

    def _refuse_surplus(self, nb_given: int, where: str, advice: str) -> None:
        names = f' ({", ".join(self._positional)})' if self._positional else ''
        if len(self._positional) < len(self.arguments):
            advice = advice or 'Pass the others by name.'
        raise ArgumentTypeError(f'{where}: expected at most {len(self._positional)} positional argument(s){names}, '
                                f'received {nb_given}. {advice}'.rstrip())


def _is_word(name: str) -> bool:
    """Return whether a function in Python could have an argument of this name."""
    return name.isidentifier() and not keyword.iskeyword(name)
