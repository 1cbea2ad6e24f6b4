"""Find the line of a value in a text of JSON or YAML, when there is something to say about it."""
from typing import Any, List, Optional, Sequence, Union

import yaml

from keraflow.files.yaml_text import LOADER

__all__ = ['line_of']


def line_of(text: str, steps: Sequence[Union[str, int]]) -> Optional[int]:
    r"""Return the line of a value, or of the innermost thing around it that is there.

    Parameters
    ----------
    text : str
        JSON or YAML that was read without an error. JSON is read as YAML, which it is but for rare layouts.
    steps : sequence of str and int
        The keys and indices that lead to the value. The line of a value in a dict is that of its key.

    Returns
    -------
    int or None
        Counted from 1; None if the text is such a rare one.

    Examples
    --------
    >>> line_of('a: 1\nb:\n- x\n- y: 2\n', ['b', 1, 'y'])
    4
    >>> line_of('{"a": 1,\n "b": [3,\n 4]}', ['b', 1])
    3
    """
    loader: Any = LOADER(text)
    try:
        return _find(loader, list(steps))
    except (yaml.YAMLError, ValueError, OverflowError):
        return None
    finally:
        loader.dispose()


def _find(loader: Any, steps: List[Union[str, int]]) -> Optional[int]:
    """Follow the steps through the events of a parser, which come in the order of the text."""
    line = None
    depth = 0           # of containers that are open beside or inside the one that is followed
    counts: List[int] = []      # of the values so far in each container that the steps led into
    is_dict: List[bool] = []
    followed = 0        # how many steps are taken
    expects_value = False
    while loader.check_event():
        event = loader.get_event()
        is_start = isinstance(event, (yaml.SequenceStartEvent, yaml.MappingStartEvent))
        is_end = isinstance(event, (yaml.SequenceEndEvent, yaml.MappingEndEvent))
        if not (is_start or is_end or isinstance(event, yaml.ScalarEvent)):
            continue
        if depth:
            depth += is_start - is_end
            continue
        if is_end:          # the step was not there
            return line
        here = event.start_mark.line + 1
        if counts and not expects_value:
            counts[-1] += 1
            index = counts[-1] - 1
            if is_dict[-1] and index % 2 == 0:          # a key
                expects_value = event.value == steps[followed]
                line = here if expects_value else line
                continue
            if is_dict[-1] or index != steps[followed]:
                depth = int(is_start)
                continue
            line = here
        elif counts:
            counts[-1] += 1
        else:
            line = here
        if counts:
            followed += 1
            expects_value = False
        if followed == len(steps) or not is_start:
            return line
        counts.append(0)
        is_dict.append(isinstance(event, yaml.MappingStartEvent))
        if isinstance(steps[followed], str) is not is_dict[-1]:
            return line
    return line
