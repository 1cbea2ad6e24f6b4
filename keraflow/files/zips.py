"""Read members of zip files by name, into memory: nothing is unpacked to a disk.

The standard library's reader follows whatever sizes and names a header claims, and raises a dozen kinds of errors for
damaged files. This one knows what such files are made of, checks each size before anything is allocated, and raises
one.

References
----------
.. [1] PKWARE, ".ZIP file format specification", version 6.3.10, 2022.
"""
import struct
import zlib
from typing import BinaryIO, Dict, Iterator, NamedTuple, Sequence, Union

from keraflow.errors import ModelFileError
from keraflow.files.refusal import refusal
from keraflow.files.regular import PathLike, naming, open_regular

__all__ = ['Content', 'ZipKind', 'inflated', 'read_zip']

#: Of a member, which nothing else holds.
Content = Union[bytes, bytearray]

#: How many times longer than it is packed a content may be, beyond a first MiB. Images of data sets take a fifth.
MAX_RATIO = 100
_FREE_BYTES = 2 ** 20
#: Of the list of members. Files that are read here have five members at most.
_MAX_DIRECTORY = 2 ** 16

_RAW = -15                                                      # what zlib calls the format
_END, _ENTRY, _LOCAL = (struct.Struct(form) for form in ('<4s4H2LH', '<4s6H3L5H2L', '<4s5H3L2H'))
_END_MAGIC, _ENTRY_MAGIC, _LOCAL_MAGIC, _ZIP64_MAGIC = (b'PK' + kind for kind in (b'\5\6', b'\1\2', b'\3\4', b'\6\7'))
_ZIP64_BYTES, _MAX_COMMENT = 20, 0xffff
_STORED, _DEFLATED, _ENCRYPTED = 0, 8, 1
_STEP = 2 ** 18


class ZipKind(NamedTuple):
    """What messages say of a file: its extension, the program that writes such files, and what to do about it."""

    extension: str
    writer: str
    get_another: str
    save_again: str


def read_zip(path: PathLike, names: Sequence[str], kind: ZipKind, max_bytes: int) -> Dict[str, Content]:
    """Return the contents of the named members of a zip file, stored or deflated.

    Parameters
    ----------
    path : path
    names : list of str
    kind : ZipKind
    max_bytes : int
        The most bytes of the file, and of a member.

    Raises
    ------
    ModelFileError
        The file is damaged, too large or no zip file, or a name is not in it exactly once.
    """
    stream, size = open_regular(path, max_bytes)
    with stream, naming(path):
        reader, found = _Reader(stream, size, path, kind, max_bytes), {}
        entries = list(reader.entries())
        for name in names:
            own = [entry for entry in entries if entry.name == name.encode()]
            if len(own) != 1:
                raise refusal(path, f'expected one member {name}, found {len(own)}. '
                                    'The file is damaged, or a different one.')
            found[name] = reader.member(own[0], f'{path}: {name}')
    return found


def inflated(data: Union[bytes, memoryview], form: int, max_bytes: int, where: object,
             incomplete: ModelFileError) -> bytearray:
    """Decompress all of `data`, whose length bounds that of the result; raise `incomplete` if it is damaged."""
    most, machine = min(max_bytes, _FREE_BYTES + MAX_RATIO * len(data)), zlib.decompressobj(form)
    content = bytearray()
    try:
        for at in range(0, len(data), _STEP):                   # in steps: zlib holds all that it returns twice
            rest, step = data[at:at + _STEP], b''
            while rest or len(step) == _STEP:
                step = machine.decompress(rest, _STEP)
                content += step
                rest = machine.unconsumed_tail
                if len(content) > most:
                    raise refusal(where, f'it unpacks to more than {most} bytes, which are too many for {len(data)}. '
                                         'The file is damaged, or a different one.')
            if machine.unused_data:
                break
    except zlib.error:
        raise incomplete from None
    if not machine.eof or machine.unused_data:
        raise incomplete
    return content


class _Entry(NamedTuple):
    """A member, as the list at the end of the file describes it."""

    name: bytes
    flags: int
    method: int
    checksum: int
    packed: int
    size: int
    start: int


class _Reader:
    """Reads what is in an open file of a size."""

    def __init__(self, stream: BinaryIO, size: int, path: PathLike, kind: ZipKind, max_bytes: int):
        self._stream, self._size, self._path, self._kind, self._max_bytes = stream, size, path, kind, max_bytes

    def entries(self) -> Iterator[_Entry]:
        """Yield what the list of members says."""
        start = max(0, self._size - _ZIP64_BYTES - _END.size - _MAX_COMMENT)
        tail = self._read(start, self._size - start)
        end = tail.rfind(_END_MAGIC)
        if end < 0 or end + _END.size > len(tail):
            raise self._incomplete(self._path)
        _, _, _, _, nb_entry, size, at, _ = _END.unpack_from(tail, end)
        # Large files have the sizes elsewhere, which is needed from 4 GiB on.
        is_large = tail[max(end - _ZIP64_BYTES, 0):end].startswith(_ZIP64_MAGIC)
        if is_large or size > _MAX_DIRECTORY or at + size > start + end:
            raise self._incomplete(self._path)
        listed, at = self._read(at, size), 0
        for _ in range(nb_entry):
            if at + _ENTRY.size > size or listed[at:at + 4] != _ENTRY_MAGIC:
                raise self._incomplete(self._path)
            (_, _, _, flags, method, _, _, checksum, packed, unpacked, length, extra, comment, _, _, _,
             begin) = _ENTRY.unpack_from(listed, at)
            at += _ENTRY.size
            yield _Entry(listed[at:at + length], flags, method, checksum, packed, unpacked, begin)
            at += length + extra + comment

    def member(self, entry: _Entry, where: str) -> Content:
        """Return the content of a member."""
        if entry.flags & _ENCRYPTED or entry.method not in (_STORED, _DEFLATED):
            raise refusal(where, f'it is encrypted, or compressed in a way that {self._kind.writer} does not use. '
                                 f'{self._kind.save_again}')
        header = self._read(entry.start, _LOCAL.size)
        if len(header) < _LOCAL.size or not header.startswith(_LOCAL_MAGIC):
            raise self._incomplete(where)
        *_, length, extra = _LOCAL.unpack(header)
        at = entry.start + _LOCAL.size + length + extra
        if at + entry.packed > self._size:
            raise self._incomplete(where)
        packed = self._read(at, entry.packed)
        content = packed if entry.method == _STORED else inflated(packed, _RAW, self._max_bytes, where,
                                                                  self._incomplete(where))
        if len(content) != entry.size or zlib.crc32(content) != entry.checksum:
            raise refusal(where, 'its checksum is wrong, or its size. The file is damaged.')
        return content

    def _read(self, at: int, size: int) -> bytes:
        self._stream.seek(at)
        return self._stream.read(size)

    def _incomplete(self, where: object) -> ModelFileError:
        return refusal(where, f'this is not a complete {self._kind.extension} file. {self._kind.get_another}')
