"""The published limits of what is read, as one value that is passed along."""
import dataclasses

__all__ = ['Limits']


@dataclasses.dataclass(frozen=True)
class Limits:
    """How much a file may ask for. Checked before anything is allocated.

    The defaults let honest models of 100,000 layers load, and keep a hostile file to a few seconds and gigabytes.

    Parameters
    ----------
    max_bytes : int
        Size of an architecture file (JSON or YAML).
    max_depth : int
        How deep lists and dicts may be nested.
    max_nodes : int
        How many keys and values there may be in all.
    max_tensor_bytes : int
        Size of a weights file.
    max_parameters : int
        How many numbers the parameters of a model may have, if it is loaded without weights; else the weights file has
        one byte at least for each.
    max_objects : int
        How many layers, other objects and calls there may be together.
    max_unrolled : int
        How many time steps may be written out one by one (`unroll`).

    Examples
    --------
    >>> Limits(max_depth=10).max_depth
    10
    """

    max_bytes: int = 256 * 2 ** 20
    max_depth: int = 100
    max_nodes: int = 10_000_000
    max_tensor_bytes: int = 64 * 2 ** 30
    max_parameters: int = 50_000_000
    max_objects: int = 200_000
    max_unrolled: int = 10_000
