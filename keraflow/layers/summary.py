"""The table that ``model.summary()`` prints."""
from typing import Any, Iterator, List, Tuple

import numpy as np

from keraflow import backend as B

__all__ = ['count_values', 'summary_table']

Row = Tuple[str, str, str, str]
HEADER: Row = ('layer (class)', 'output shape', 'parameters', 'fed by')


def summary_table(model: Any) -> str:
    """Return layers, shapes, parameter counts and connections of a model as text."""
    rows = [HEADER, *_rows(model)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADER))]
    lines = ['  '.join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows]
    lines.insert(1, '  '.join('-' * width for width in widths))
    counts = count_values(model)
    return '\n'.join([f'{model.name} ({type(model).__name__})', *lines,
                      f'parameters: {sum(counts):,} ({counts[0]:,} trainable, {counts[1]:,} fixed)'])


def _rows(model: Any) -> Iterator[Row]:
    seen = set()
    if not model.calls:      # a Sequential that is a layer: no calls of its own
        for name, layer in model.layer_ids().items():
            yield _row(name, layer, '', '')
    names = model.names
    for call in model.calls:
        name = names.of[id(call.layer)]
        fed_by = ', '.join(map(names.short, call.inputs))
        shape = ', '.join(str(kensor.shape) for kensor in call.outputs)
        if id(call.layer) in seen:
            yield f'{name} (again)', shape, '', fed_by
            continue
        seen.add(id(call.layer))
        yield _row(name, call.layer, shape, fed_by)
        yield from _embedded('  ', name, call.layer)


def _embedded(indent: str, its_name: str, host: Any) -> Iterator[Row]:
    for inner, layer in host.layer_ids().items():
        name = f'{its_name}/{inner}'
        yield _row(indent + name, layer, '', f'in {its_name}')
        yield from _embedded(indent + '  ', name, layer)


def _row(name: str, layer: Any, shape: str, fed_by: str) -> Row:
    return f'{name} ({type(layer).__name__})', shape, f'{sum(count_values(layer)):,}', fed_by


def count_values(layer: Any) -> List[int]:
    """Count trainable and other values, each variable once."""
    counts, seen = [0, 0], set()
    for one in layer.parameters():
        if id(one.variable) not in seen:
            seen.add(id(one.variable))
            # The product of no lengths is 1.0 unless dtype says otherwise.
            counts[0 if one.trainable else 1] += int(np.prod(B.static_shape(one.variable), dtype=int))
    return counts
