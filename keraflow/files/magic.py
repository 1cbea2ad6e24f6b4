"""Recognize files that are not weights files by their first bytes, for the message alone: nothing is parsed."""
from typing import Optional

__all__ = ['describe_file']

_PICKLE = 'this is a pickle file; keraflow never loads pickles, because they run code'
_MAGIC = (
    (b'\x1f\x8b', 'this is a gzip file. Decompress it first'),
    (b'PK\x03\x04', 'this is a zip file (an npz, or weights of another library)'),
    (b'PK\x05\x06', 'this is an empty zip file'),
    (b'\x89HDF\r\n\x1a\n', 'this is an HDF5 file; keraflow never loads HDF5'),
    (b'\x93NUMPY', 'this is a npy file, a single array'),
    (b'BZh', 'this is a bzip2 file. Decompress it first'),
    (b'\xfd7zXZ\x00', 'this is an xz file. Decompress it first'),
    *((bytes([0x80, protocol]), _PICKLE) for protocol in range(2, 6)),
)
_ADVICE = ' Save the weights with keraflow, or as safetensors.'
# Protocols 0 and 1 have no magic: an opcode that begins a value, and at the end always a dot.
_OLD_PICKLE = b'(]}c)dlIFLSUVXGKMJN'


def describe_file(head: bytes, tail: bytes) -> Optional[str]:
    """Return a sentence on what the file is, or None if it is unknown.

    Parameters
    ----------
    head, tail : bytes
        The first bytes (8 or more) and the last one.

    Examples
    --------
    >>> describe_file(b'PK\\x03\\x04....', b'.')
    'this is a zip file (an npz, or weights of another library). Save the weights with keraflow, or as safetensors.'
    """
    for magic, words in _MAGIC:
        if head.startswith(magic):
            return words + '.' + _ADVICE
    if head and head[0] in _OLD_PICKLE and tail == b'.':
        return _PICKLE + '.' + _ADVICE
    if head[:1] in (b'{', b'[', b'#', b'-') or head[:6].isalpha() and head.isascii():
        return 'this is a text file. Pass the architecture first and the weights second.'
    return None
