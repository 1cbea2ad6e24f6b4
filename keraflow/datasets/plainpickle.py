"""Read plain data from a pickle, without Python's ``pickle``.

A pickle is a program for a small stack machine, and Python's own machine can call anything. This one knows the
operations that make bytes, strings, integers, booleans, None, lists, tuples, dicts and NumPy arrays of numbers or of
such data. It imports nothing and calls nothing that the stream names, and refuses everything else.

What it makes is a tree: only what cannot hold anything (a string, a number) may occur twice. Lengths are checked, the
bytes in arrays come from the stream once, and so does what lists, dicts and tuples take besides their values: together
this bounds memory and time by the length of the stream.

It reads protocols 2 to 5 (arrays: 2 to 4, the ones in NumPy's files), as the source of Python's ``pickletools``
describes them.
"""
import enum
import math
import re
from typing import Any, Callable, Dict, List, NoReturn, Sequence, Union

import numpy as np

from keraflow.errors import DataError

__all__ = ['as_array', 'loads']


def loads(data: bytes, where: object = 'pickle') -> Any:
    """Return the data in a pickle; strings of Python 2 come as bytes.

    Raises
    ------
    DataError
        For anything but plain data and arrays, and a damaged stream. The message starts with `where`.

    Examples
    --------
    >>> import pickle
    >>> loads(pickle.dumps({'labels': [3, 1000]}))
    {'labels': [3, 1000]}
    >>> loads(pickle.dumps(print))
    Traceback (most recent call last):
    keraflow.errors.DataError: pickle: the file is damaged or not plain data (it names builtins.print).
    """
    machine = _Machine(data)
    try:
        return machine.run()
    except _Refused as error:
        reason = str(error)
    except (AttributeError, IndexError, KeyError, TypeError, ValueError):      # values of other types, or none
        reason = f'operation before byte {machine.at} cannot be done'
    raise DataError(f'{where}: the file is damaged or not plain data ({reason}).')


def as_array(data: Union[bytes, memoryview], dtype: np.dtype, shape: Sequence[int], fortran: bool,
             where: object) -> np.ndarray:
    """Return an array made from its bytes.

    Raises
    ------
    DataError
        There are more or fewer bytes than the shape says.
    """
    if len(shape) > _MAX_RANK or any(length < 0 for length in shape) \
            or math.prod(max(length, 1) for length in shape) >= _MAX_ELEMENTS:      # also of an array without elements
        raise DataError(f'{where}: this is not the shape of an array. The file is damaged.')
    expected = math.prod(shape) * dtype.itemsize
    if dtype.hasobject or len(data) != expected:
        raise DataError(f'{where}: expected {expected} bytes of numbers for shape {tuple(shape)}, '
                        f'received {len(data)}. The file is damaged.')
    # A copy, because an array on bytes is read-only and keeps the whole file in memory.
    return np.ndarray(tuple(shape), dtype, data, order='F' if fortran else 'C').copy()


class _Refused(Exception):
    """The stream asks for more than plain data."""


class _Global(enum.Enum):
    """The names that a stream may contain. They are only marks: nothing is looked up."""

    RECONSTRUCT = enum.auto()
    NDARRAY = enum.auto()
    DTYPE = enum.auto()
    ENCODE = enum.auto()


_GLOBALS = {('numpy.core.multiarray', '_reconstruct'): _Global.RECONSTRUCT,
            ('numpy._core.multiarray', '_reconstruct'): _Global.RECONSTRUCT,
            ('numpy', 'ndarray'): _Global.NDARRAY, ('numpy', 'dtype'): _Global.DTYPE,
            ('_codecs', 'encode'): _Global.ENCODE}
_NAME_OF_DTYPE = re.compile(r'[biuf][1248]|O8')
#: What cannot hold anything, and may therefore be fetched from the memo.
_LEAVES = (bytes, str, int, np.dtype, _Global)
_BYTE, _SHORT, _STOP = ord('K'), ord('M'), ord('.')
#: What NumPy can make on every machine.
_MAX_RANK, _MAX_ELEMENTS = 32, 2 ** 59
#: How many lists, dicts, tuples and arrays, which take 50 to 300 bytes each, a stream may make at once, and then one
#: for so many bytes. Those of these data sets make one for 100 bytes or more.
_FREE_CONTAINERS, _BYTES_FOR_CONTAINER = 100_000, 8


class _Unfinished:
    """An array before its state is known."""


class _Machine:
    """The stack, its marks, and the memo."""

    def __init__(self, data: bytes):
        self.data = data
        self.at = 0
        self.stack: List[Any] = []
        self.marks: List[int] = []
        self.memo: Dict[int, Any] = {}
        self.nb_unfinished = 0
        self.nb_copied = 0
        self.nb_container = 0

    def run(self) -> Any:
        """Execute the operations, most of which are small integers in lists."""
        data, push, at = self.data, self.stack.append, 0
        while True:
            code = data[at]
            if code == _SHORT:
                push(data[at + 1] | data[at + 2] << 8)
                at += 3
            elif code == _BYTE:
                push(data[at + 1])
                at += 2
            elif code == _STOP:
                return self.finish()
            else:
                self.at = at + 1
                if code not in _OPERATIONS:
                    raise _Refused(f'operation {code:#04x} at byte {at}')
                _OPERATIONS[code](self)
                at = self.at

    def finish(self) -> Any:
        """Return the only value on the stack."""
        if len(self.stack) != 1 or self.marks or self.nb_unfinished:
            raise _Refused('it ends too early')
        return self.stack[0]

    # -- reading ------------------------------------------------------------------------------------------------------

    def take(self, count: int) -> bytes:
        """Return the next bytes."""
        taken = self.data[self.at:self.at + count]
        if len(taken) < count:
            raise _Refused('it ends too early')
        self.at += count
        return taken

    def integer(self, width: int, signed: bool = False) -> int:
        """Return the next bytes as an integer."""
        return int.from_bytes(self.take(width), 'little', signed=signed)

    def line(self) -> str:
        """Return the text up to the end of the line."""
        end = self.data.index(b'\n', self.at)
        text = self.take(end - self.at).decode('ascii')
        self.at = end + 1
        return text

    # -- bounds -------------------------------------------------------------------------------------------------------

    def count_copied(self, content: bytes) -> None:
        """Refuse copies of the same bytes again and again: protocol 2 copies those of an array twice."""
        self.nb_copied += len(content)
        if self.nb_copied > 2 * len(self.data):
            raise _Refused('more bytes than the file has')

    def container(self, made: Any) -> None:
        """Push a list, a dict, a tuple or an array, unless there are more than such a file needs."""
        self.nb_container += 1
        if self.nb_container > _FREE_CONTAINERS + len(self.data) // _BYTES_FOR_CONTAINER:
            raise _Refused('more lists, dicts and tuples than a data set has')
        self.stack.append(made)

    # -- operations ---------------------------------------------------------------------------------------------------

    def long(self) -> None:
        """LONG1: of eight bytes at most."""
        width = self.integer(1)
        if width > 8:
            raise _Refused('an integer of more than 8 bytes')
        self.stack.append(self.integer(width, signed=True))

    def items(self) -> List[Any]:
        """Pop everything above the last mark."""
        mark = self.marks.pop()
        items = self.stack[mark:]
        del self.stack[mark:]
        return items

    def tuple_of(self, count: int) -> None:
        """TUPLE1 to TUPLE3."""
        items = tuple(self.stack.pop() for _ in range(count))
        self.container(items[::-1])

    def extend(self, items: List[Any]) -> None:
        """APPEND, APPENDS."""
        if type(self.stack[-1]) is not list:
            raise _Refused('values for something that is not a list')
        self.stack[-1].extend(items)

    def update(self, items: List[Any]) -> None:
        """SETITEM, SETITEMS."""
        if type(self.stack[-1]) is not dict or len(items) % 2:
            raise _Refused('values for something that is not a dict')
        keys = items[::2]
        if not all(isinstance(key, (bytes, str, int)) for key in keys):
            raise _Refused('a key that is neither text nor a number')
        self.stack[-1].update(zip(keys, items[1::2]))

    def put(self, index: int) -> None:
        """BINPUT, LONG_BINPUT, MEMOIZE."""
        self.memo[index] = self.stack[-1]

    def get(self, index: int) -> None:
        """BINGET, LONG_BINGET."""
        value = self.memo[index]
        if not isinstance(value, _LEAVES):
            raise _Refused('one list, dict, tuple or array in two places')
        self.stack.append(value)

    def name(self, module: Any, name: Any) -> None:
        """GLOBAL, STACK_GLOBAL."""
        if (module, name) not in _GLOBALS:
            raise _Refused(f'it names {str(module)[:30]}.{str(name)[:30]}')
        self.stack.append(_GLOBALS[module, name])

    def name_on_stack(self) -> None:
        """STACK_GLOBAL."""
        name, module = self.stack.pop(), self.stack.pop()
        self.name(module, name)

    def reduce(self) -> None:
        """REDUCE: begin an array, a dtype by its name, or bytes that protocol 2 wrote as text."""
        arguments, function = self.stack.pop(), self.stack.pop()
        if function is _Global.RECONSTRUCT and arguments[0] is _Global.NDARRAY:
            self.nb_unfinished += 1
            self.container(_Unfinished())
        elif function is _Global.DTYPE and _NAME_OF_DTYPE.fullmatch(_text(arguments[0])):
            self.stack.append(np.dtype(_text(arguments[0])))
        elif function is _Global.ENCODE and arguments[1] == 'latin1':
            encoded = arguments[0].encode('latin1')
            self.count_copied(encoded)
            self.stack.append(encoded)
        else:
            raise _Refused('a call of anything but arrays')

    def build(self) -> None:
        """BUILD: the byte order of a dtype, or shape, dtype and content of an array."""
        state, made = self.stack.pop(), self.stack.pop()
        if isinstance(made, np.dtype):
            if _text(state[1]) not in ('<', '>', '|') or state[2:5] != (None, None, None):
                raise _Refused('a dtype with fields')
            self.stack.append(np.dtype(_text(state[1]) + made.str[1:]))
            return
        if not isinstance(made, _Unfinished):
            raise _Refused('a state for something that is not an array')
        _, shape, dtype, fortran, content = state
        if not isinstance(dtype, np.dtype) or len(shape) > 32 or not all(type(length) is int for length in shape):
            raise _Refused('an array without a shape or dtype')
        if dtype != np.dtype('O'):
            self.count_copied(content)
            array = as_array(content, dtype, shape, bool(fortran), 'array')
        elif type(content) is list and shape == (len(content),):
            array = np.empty(len(content), dtype='O')
            array[:] = content
        else:
            raise _Refused('an array of lists that has more than one axis')
        self.nb_unfinished -= 1
        self.stack.append(array)


def _text(value: Union[bytes, str]) -> str:
    return value.decode('ascii') if isinstance(value, bytes) else value


def _refuse_protocol(machine: _Machine) -> Any:
    version = machine.integer(1)
    return None if 2 <= version <= 5 else _refuse(f'protocol {version}')


def _refuse(reason: str) -> NoReturn:
    raise _Refused(reason)


_OPERATIONS: Dict[int, Callable[[_Machine], Any]] = {ord(code): operation for code, operation in {
    '\x80': _refuse_protocol,
    '\x95': lambda it: it.take(8),                                       # FRAME
    'N': lambda it: it.stack.append(None),
    '\x88': lambda it: it.stack.append(True),
    '\x89': lambda it: it.stack.append(False),
    'J': lambda it: it.stack.append(it.integer(4, signed=True)),         # BININT
    '\x8a': _Machine.long,
    'U': lambda it: it.stack.append(it.take(it.integer(1))),             # SHORT_BINSTRING
    'T': lambda it: it.stack.append(it.take(it.integer(4))),             # BINSTRING
    'C': lambda it: it.stack.append(it.take(it.integer(1))),             # SHORT_BINBYTES
    'B': lambda it: it.stack.append(it.take(it.integer(4))),             # BINBYTES
    '\x8e': lambda it: it.stack.append(it.take(it.integer(8))),          # BINBYTES8
    '\x8c': lambda it: it.stack.append(it.take(it.integer(1)).decode()),  # SHORT_BINUNICODE
    'X': lambda it: it.stack.append(it.take(it.integer(4)).decode()),    # BINUNICODE
    '\x8d': lambda it: it.stack.append(it.take(it.integer(8)).decode()),  # BINUNICODE8
    '(': lambda it: it.marks.append(len(it.stack)),
    ']': lambda it: it.container([]),
    '}': lambda it: it.container({}),
    ')': lambda it: it.stack.append(()),
    't': lambda it: it.container(tuple(it.items())),
    '\x85': lambda it: it.tuple_of(1),
    '\x86': lambda it: it.tuple_of(2),
    '\x87': lambda it: it.tuple_of(3),
    'a': lambda it: it.extend([it.stack.pop()]),                         # APPEND
    'e': lambda it: it.extend(it.items()),                               # APPENDS
    's': lambda it: it.update([it.stack.pop(-2), it.stack.pop()]),       # SETITEM
    'u': lambda it: it.update(it.items()),                               # SETITEMS
    'q': lambda it: it.put(it.integer(1)),                               # BINPUT
    'r': lambda it: it.put(it.integer(4)),                               # LONG_BINPUT
    '\x94': lambda it: it.put(len(it.memo)),                             # MEMOIZE
    'h': lambda it: it.get(it.integer(1)),                               # BINGET
    'j': lambda it: it.get(it.integer(4)),                               # LONG_BINGET
    'c': lambda it: it.name(it.line(), it.line()),                       # GLOBAL
    '\x93': _Machine.name_on_stack,
    'R': _Machine.reduce,
    'b': _Machine.build,
}.items()}
