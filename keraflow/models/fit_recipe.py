"""What a call of ``fit`` is told, as a recipe: data, metrics and callbacks."""
from typing import Any, Dict, List, Optional

from keraflow.callbacks.callback import Callback, arguments_of
from keraflow.data.batch_sources import BatchSource
from keraflow.models.recipe import Recipe, Writer
from keraflow.training.loop import Loop

__all__ = ['MUST_AGREE', 'fit_recipe']

#: What decides which samples the next batch has: it may not change while training is resumed.
MUST_AGREE = frozenset({'batch_size', 'initial_epoch', 'nb_batch', 'nb_sample', 'shuffle'})


def fit_recipe(loop: Loop) -> Recipe:
    """Return the recipe of a running ``fit``."""
    writer = Writer()
    writer.parts['fit'], writer.arguments['fit'] = '', {
        'initial_epoch': loop.first_epoch, 'on_nan': loop.on_nan, 'execution': loop.functions.asked}
    for report in loop.functions.metrics:
        writer.add(f'the metric {report.label} of {report.output}', report.metric)
    writer.parts['the terms of the loss'] = loop.functions.reports_terms
    _add_data(writer, 'the data', loop.source, loop)
    _add_data(writer, 'the validation data', loop.validation, loop)
    for callback, begun in zip(loop.callbacks.callbacks, loop.callbacks.begun):
        _add_callback(writer, callback, begun)
    return {'parts': writer.parts, 'arguments': writer.arguments}


def _add_data(writer: Writer, part: str, source: Optional[BatchSource], loop: Loop) -> None:
    if source is None:
        return
    names = {'x': loop.model.input_names(), 'y': [one.output for one in loop.functions.losses]}
    names['sample_weights'] = names['y']
    arguments: Dict[str, Any] = {}
    for name, value in source.fingerprint().items():
        if name in names:
            arguments.update(_arrays(name, names[name], value))
        else:
            arguments[name] = value
    writer.parts[part] = 'arrays' if 'nb_sample' in arguments else 'an iterable'
    writer.arguments[part] = arguments


def _arrays(name: str, names: List[str], given: List[Any]) -> Dict[str, str]:
    """Return a description of each array, by `name` if there is one."""
    texts = ['none' if one is None else f'{one[0]} {tuple(one[1])} {one[2][:8]}' for one in given]
    return {name if len(names) == 1 else f'{name}.{own}': text for own, text in zip(names, texts)}


def _add_callback(writer: Writer, callback: Callback, begun: Dict[str, Any]) -> None:
    name = f'the callback {type(callback).__name__}'
    nb_before = sum(part == name or part.startswith(f'{name} ') for part in writer.arguments)
    part = f'{name} {nb_before + 1}' if nb_before else name
    if not callback.only_watches:
        writer.parts[part] = 'passed'
    writer.arguments[part] = {}
    for argument in arguments_of(callback):
        if argument in begun and argument not in callback.free_arguments:
            writer.write(part, argument, begun[argument])
