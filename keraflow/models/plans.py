"""Plan: what a file describes, checked and known before anything of it is built."""
import importlib
import os
from typing import Any, Dict, Iterator, List, NamedTuple, Optional, Tuple, Union

from keraflow import random
from keraflow.errors import GraphError, ModelFileError, SerializationError, describe
from keraflow.files.json_text import parse_json
from keraflow.files.limits import Limits
from keraflow.files.plaindata import EXTENSIONS, read_with_text
from keraflow.files.refusal import refusal
from keraflow.files.tensors import read_metadata
from keraflow.initializations import weights_follow
from keraflow.layers.network import Network
from keraflow.models.planned_diagram import planned_diagram
from keraflow.models.sketches import GraphSketch, class_of
from keraflow.models.weight_files import FORMAT, ONE_FILE
from keraflow.plots import Picture, shown_in_notebook
from keraflow.schema import Natural, Path
from keraflow.schema.checked import checked
from keraflow.serialization.migration import is_first_format
from keraflow.serialization.planning import ObjectPlan
from keraflow.serialization.values import escape, is_form, is_note
from keraflow.shapes import Shape

__all__ = ['VERSION', 'Plan', 'PlannedLayer', 'model_data', 'plan', 'plan_data']

#: The version of the format of architectures, of which all earlier ones are read.
VERSION = 2

_UNKNOWN = 'not known before building'
_KEYS = {'format', 'version', 'model'}
_HEADER = ('layer (class)', 'output shape', 'parameters', 'fed by')


class PlannedLayer(NamedTuple):
    """A layer in a plan, or another call of it.

    Attributes
    ----------
    name : str
        ``'host/inner'`` for one inside another model.
    cls : str
        The id of its class.
    inputs : tuple of str
        The names of what it is fed.
    output_shapes : tuple of (tuple or None)
        One for each output; None if only a backend knows.
    nb_parameter : int or None
        How many numbers its parameters have; 0 for another call, None if only a backend knows.
    """

    name: str
    cls: str
    inputs: Tuple[str, ...]
    output_shapes: Tuple[Optional[Shape], ...]
    nb_parameter: Optional[int]


class Plan:
    """What a file or plain data describe: looked up, checked and counted, but not built. Print it to read it.

    Attributes
    ----------
    source : str
        The path; '' for data.
    name, cls : str
        Of the model, or of another object.
    layers : tuple of PlannedLayer
        The calls, each after those that feed it; those of a model in a model follow it.
    nb_parameter : int or None
        How many numbers the parameters have together; None if only a backend knows.

    Examples
    --------
    >>> import keraflow
    >>> from keraflow.layers import Dense
    >>> print(keraflow.plan(keraflow.serialize(Dense(3))))
    Dense
    parameters: not known before building
    """

    def __init__(self, objects: ObjectPlan, source: str, weights: Optional[Path], error: Any, is_model: bool,
                 limits: Limits):
        self._objects, self._weights, self._error, self._is_model = objects, weights, error, is_model
        self._limits = limits
        sketch = objects.sketch
        self.source = source
        self.cls = class_of(sketch).__name__
        self.name = sketch.name if isinstance(sketch, GraphSketch) else ''
        self.layers = tuple(_layers(sketch, ''))
        is_known = isinstance(sketch, GraphSketch) and bool(sketch.planned)
        self.nb_parameter = objects.nb_parameter if is_known else None

    def build(self) -> Any:
        """Build what is planned, with the weights if a file of them was given.

        Raises
        ------
        ModelFileError
            For what only a constructor of the program or the backend can refuse, and if the weights do not fit.
        """
        with self._error:
            if not self._is_model:
                return self._objects.build()
            if self._weights is None:
                with random.apart():    # initial values are drawn, but not from what the program draws from
                    return self._objects.build()
            with random.apart(), weights_follow():
                made = self._objects.build()
        made.load_weights(self._weights, limits=self._limits)
        return made

    @checked
    def plot(self, path: Optional[Path] = None, depth: Optional[Natural] = None, overwrite: bool = False) -> Picture:
        """Draw the graph, as :meth:`Model.plot <keraflow.models.Model.plot>` does: nothing is built.

        Parameters
        ----------
        path : path, optional
            Ends with ``.svg`` or ``.html``.
        depth : int, optional
            How many levels of layers inside layers are open.
        overwrite : bool
            Whether to replace an existing file.

        Raises
        ------
        GraphError
            If it is not a model that is planned.
        """
        if not isinstance(self._objects.sketch, GraphSketch):
            raise GraphError(f'plot: expected the plan of a model, this is one of {self.cls}.')
        picture = Picture(planned_diagram(self._objects.sketch, self.name), depth)
        if path is not None:
            picture.save(path, overwrite)
        return picture

    def _repr_svg_(self) -> Optional[str]:      # for notebooks
        is_model = isinstance(self._objects.sketch, GraphSketch)
        return shown_in_notebook(planned_diagram(self._objects.sketch, self.name)) if is_model else None

    def __str__(self) -> str:
        head = f'{self.name} ({self.cls})' if self.name else self.cls
        total = _UNKNOWN if self.nb_parameter is None else f'{self.nb_parameter:,}'
        known = sum(one.nb_parameter or 0 for one in self.layers if '/' not in one.name)
        if self.nb_parameter is None and known:
            total += f', {known:,} at least'
        return '\n'.join([*([self.source] if self.source else []), head, *_table(self.layers), f'parameters: {total}'])

    def __repr__(self) -> str:
        return f'<Plan of {self.source or self.name or self.cls}>'


@checked
def plan(source: Union[Path, Dict[str, Any], List[Any]], weights: Optional[Path] = None, custom_objects: Any = None,
         limits: Optional[Limits] = None) -> Plan:
    """Check a file, or plain data, and return what they describe: nothing is built, and no backend is needed.

    Parameters
    ----------
    source : path or dict
        An architecture (``.yaml``, ``.yml``, ``.json``), a whole model (``.keraflow``), or what
        :func:`keraflow.serialize` returned.
    weights : path, optional
        The weights file of an architecture: its size bounds the parameters in place of ``limits.max_parameters``.
    custom_objects : list or dict, optional
        Classes and functions of the program that the file may name, besides the registered ones.
    limits : Limits, optional
        How much the file may ask for.

    Returns
    -------
    Plan
        ``print(plan)`` shows it, ``plan.build()`` builds it.

    Raises
    ------
    ModelFileError, SerializationError
        If nothing can be built of it. The message has the line in the file.

    Examples
    --------
    >>> import keraflow
    >>> from keraflow.layers import Dense, Input
    >>> from keraflow.models import Sequential
    >>> data = keraflow.serialize(Sequential([Input(4), Dense(3)], name='net'))
    >>> print(keraflow.plan(data))
    net (Sequential)
    layer (class)   output shape  parameters  fed by
    --------------  ------------  ----------  ------
    input1 (Input)  (None, 4)     0
    dense1 (Dense)  (None, 3)     15          input1
    parameters: 15
    """
    limits = limits or Limits()
    size = None if weights is None else os.path.getsize(weights)
    if isinstance(source, (dict, list)):
        if isinstance(source, dict) and 'format' in source:
            return plan_data(source, 'data', None, custom_objects, limits, size, weights)
        with _Placed('', None, ()) as error:
            if not (isinstance(source, dict) and (is_first_format(source) or is_form(source))):
                raise SerializationError(f'expected a model or another object as data, received {describe(source)}.')
            objects = ObjectPlan(source, custom_objects, limits, size)
            return Plan(objects, '', weights, error, is_model=False, limits=limits)
    path = os.fspath(source)
    if path.endswith(ONE_FILE):
        text = read_metadata(path, limits).get('model', '')
        return plan_data(parse_json(text, f'{path}: model', limits), f'{path}: model', text, custom_objects, limits,
                         os.path.getsize(path))
    if not path.endswith(EXTENSIONS):
        raise refusal(path, 'expected a file whose name ends with .json, .yaml or .yml (an architecture) or '
                            f'{ONE_FILE} (a whole model).')
    data, text = read_with_text(path, limits)
    return plan_data(data, path, text, custom_objects, limits, size, weights)


def plan_data(data: Any, path: str, text: Optional[str], custom_objects: Any, limits: Limits,
              nb_byte: Optional[int] = None, weights: Optional[Path] = None) -> Plan:
    """Plan the model that the plain data of a file, with this text, describe.

    Raises
    ------
    ModelFileError
        If they are no model's.
    """
    steps: Tuple[str, ...] = ()
    if is_first_format(data):
        text = None         # of which the lines are not those of the migrated data
    else:
        data = model_data(data, path)
        steps = ('model',)
    with _Placed(path, text, steps) as error:
        objects = ObjectPlan(data, custom_objects, limits, nb_byte)
        if not issubclass(class_of(objects.sketch), Network):
            raise SerializationError(f'expected a model, found {class_of(objects.sketch).__name__}.')
        return Plan(objects, path, weights, error, is_model=True, limits=limits)


def model_data(data: Any, path: str) -> Any:
    """Return the model in the data of an architecture file, which is not of the first format.

    Raises
    ------
    ModelFileError
        If it is another file, or one of a later version.
    """
    own = {key for key in data if not is_note(key)} if isinstance(data, dict) else ()
    if own != _KEYS or data['format'] != FORMAT:
        raise refusal(path, 'this is not the architecture of a keraflow model.')
    version = data['version']
    if type(version) is not int or not 1 <= version <= VERSION:     # True is an int
        raise refusal(path, f'the file has format version {version!s:.20}, this keraflow reads 1 to {VERSION}. '
                            'Install the keraflow that wrote it, or a newer one.')
    return escape(data['model']) if version == 1 else data['model']


class _Placed:
    """Give errors about plain data the path of the file, and the line in it."""

    def __init__(self, path: str, text: Optional[str], steps: Tuple[Union[str, int], ...]):
        self._path, self._text, self._steps = path, text, steps

    def __enter__(self) -> '_Placed':
        return self

    def __exit__(self, kind: Any, error: Any, traceback: Any) -> None:
        if not self._path or not isinstance(error, SerializationError) or isinstance(error, ModelFileError):
            return
        lines = importlib.import_module('keraflow.files.lines')     # which needs a parser of YAML, only for mistakes
        line = None if self._text is None else lines.line_of(self._text, [*self._steps, *error.steps])
        raise refusal(self._path if line is None else f'{self._path}:{line}', str(error)) from error


def _layers(sketch: Any, prefix: str) -> Iterator[PlannedLayer]:
    seen = set()
    for one in sketch.planned if isinstance(sketch, GraphSketch) else ():
        is_first = id(one.sketch) not in seen
        seen.add(id(one.sketch))
        yield PlannedLayer(prefix + one.layer, one.cls, one.inputs, one.shapes, one.nb_parameter if is_first else 0)
        if is_first:
            yield from _layers(one.sketch, f'{prefix}{one.layer}/')


def _table(layers: Tuple[PlannedLayer, ...]) -> List[str]:
    if not layers:
        return []
    rows = [_HEADER, *(('  ' * one.name.count('/') + f'{one.name} ({one.cls})',
                        ', '.join('not known' if shape is None else str(shape) for shape in one.output_shapes),
                        'not known' if one.nb_parameter is None else f'{one.nb_parameter:,}',
                        ', '.join(one.inputs)) for one in layers)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEADER))]
    lines = ['  '.join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows]
    return [lines[0], '  '.join('-' * width for width in widths), *lines[1:]]
