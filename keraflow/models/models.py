"""Model: a layer made of a graph of layers, which can be trained, saved, and turned into other models."""
from typing import Any, Dict, Optional, Sequence, Union

from keraflow.arguments import to_list
from keraflow.errors import SerializationError
from keraflow.files.atomic import check_file, write_files
from keraflow.files.limits import Limits
from keraflow.layers.base import Layer
from keraflow.models.graph_data import GRAPH, sketched_model
from keraflow.models.keras.arrays import keras_weights
from keraflow.models.onefile import dump_model
from keraflow.models.rebuilt import RebuiltNetwork, has_own_constructor
from keraflow.models.relinking import relinked
from keraflow.models.resuming import load_training, resume_training, save_training, training_variables
from keraflow.models.saving import check_options, files_of, load_model
from keraflow.models.sketches import GraphSketch
from keraflow.models.surgery import part, with_inserted, with_replaced, without
from keraflow.models.to_python import to_python
from keraflow.models.weight_files import WeightsReport, load_weights
from keraflow.registry import builtin
from keraflow.schema import Name, Path, Regularizer
from keraflow.schema.checked import checked
from keraflow.serialization.locations import Location
from keraflow.training.loop import Loop

__all__ = ['Model']


@builtin('layer')
class Model(RebuiltNetwork):
    """Everything that is computed between some Inputs and some outputs.

    Parameters
    ----------
    inputs : Input or list of Input
        Where data enter: exactly the Inputs that the outputs depend on.
    outputs : Kensor or list of Kensor
        What is predicted. A Sequential that starts with an Input means its output.
    name : str, optional
    trainable : bool
        Whether training may change parameters of layers in it.
    activity_regularizer : str or object, optional
        A regularizer of the outputs; see :class:`~keraflow.layers.Layer`.

    Attributes
    ----------
    inputs, outputs : tuple of Kensor
    layers : tuple of Layer
        Each once, after those that feed it.

    Examples
    --------
    >>> from keraflow.layers import Dense, Input
    >>> x = Input(4, name='x')
    >>> model = Model(x, Dense(3, name='y')(x))
    >>> [layer.name for layer in model.layers]
    ['x', 'y']
    """

    def __init__(self, inputs: Any, outputs: Any, name: Optional[Name] = None, trainable: bool = True,
                 activity_regularizer: Optional[Regularizer] = None):
        super().__init__(name=name, trainable=trainable, activity_regularizer=activity_regularizer)
        self._set_ends([self._as_input(it) for it in to_list(inputs)], [self._as_output(it) for it in to_list(outputs)])

    # -- files --------------------------------------------------------------------------------------------------------

    @checked
    def save(self, path: Path, overwrite: bool = False, training: bool = True, probes: Optional[bool] = None) -> None:
        """Save the whole model in one file, which :func:`keraflow.load` reads.

        Parameters
        ----------
        path : path
            Ends with ``.keraflow``. The layout is that of safetensors, so that other tools read the weights, too.
        overwrite : bool
            Whether to replace an existing file.
        training : bool
            Whether to save, for a compiled model, also the settings of ``compile``, the optimizer's state and the state
            of random numbers, so that the loaded model is compiled and goes on training as this one would.
        probes : bool, optional
            Whether to save some inputs, drawn for the purpose, with what the model predicts for them, which is compared
            when the loaded model first predicts. By default if :meth:`predict` is compiled already: saving compiles
            nothing unless this is True.

        Raises
        ------
        FileExistsError
            If the file exists and `overwrite` is False. Nothing is written then.
        SerializationError
            If something in the model, or in the settings of ``compile``, cannot be saved, such as a lambda as the loss.
            Nothing is written then.

        Examples
        --------
        >>> import keraflow, os, tempfile
        >>> from keraflow.layers import Dense, Input
        >>> from keraflow.models import Sequential
        >>> model = Sequential([Input(2), Dense(1)])
        >>> model.compile('adam', 'mse')
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     model.save(os.path.join(folder, 'line.keraflow'))
        ...     again = keraflow.load(os.path.join(folder, 'line.keraflow'))
        >>> again.optimizer
        Adam(lr=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-08)
        """
        write_files([(path, dump_model(self, path, training, probes))], overwrite)

    @checked
    def save_to_file(self, arch: Optional[Path] = None, weights: Optional[Path] = None,
                     overwrite: bool = False, **dump_args: Any) -> None:
        """Save the architecture, the weights, or both.

        Parameters
        ----------
        arch : path, optional
            Ends with ``.yaml``, ``.yml`` or ``.json``.
        weights : path, optional
            Ends with ``.safetensors``.
        overwrite : bool
            Whether to replace existing files.
        **dump_args
            For ``json.dumps`` or ``yaml.dump``, for example ``indent=2``.

        Raises
        ------
        ArgumentTypeError
            If neither path is given, or an option is unknown.
        FileExistsError
            If a file exists and `overwrite` is False. Nothing is written then.
        SerializationError
            If something in the model cannot be saved. Nothing is written then.
        """
        check_options(self, 'save_to_file', ['arch', 'weights', 'overwrite'], arch, dump_args)
        write_files(files_of(self, 'save_to_file', arch, weights, dump_args), overwrite)

    @checked
    def check_savable(self, arch: Optional[Path] = None, weights: Optional[Path] = None,
                      overwrite: bool = False) -> None:
        """Raise what :meth:`save_to_file` would raise before it writes."""
        for path, _ in files_of(self, 'check_savable', arch, weights, {}):
            check_file(path, overwrite)

    @checked
    def save_arch(self, path: Path, overwrite: bool = False, **dump_args: Any) -> None:
        """Save the architecture alone; arguments as for :meth:`save_to_file`."""
        check_options(self, 'save_arch', ['path', 'overwrite'], path, dump_args)
        self.save_to_file(path, None, overwrite, **dump_args)

    @checked
    def save_weights(self, path: Path, overwrite: bool = False) -> None:
        """Save the weights alone: trainable parameters and state."""
        self.save_to_file(None, path, overwrite)

    @checked
    def load_weights(self, path: Path, same_architecture: bool = True, partial: bool = False,
                     names: Optional[Dict[str, str]] = None, cast: bool = False,
                     require_digest: bool = True, limits: Optional[Limits] = None) -> WeightsReport:
        """Set the weights from a file: all of them, or those that fit.

        Parameters
        ----------
        path : path
            Ends with ``.safetensors``, or with ``.keraflow`` for the weights of a whole model.
        same_architecture : bool
            Refuse weights saved by a model of another architecture, even if names and shapes fit. What matters only in
            training may differ: initializations, regularizers, rates of dropout, and the name of the model. Not asked
            with `partial`.
        partial : bool
            Take the weights whose names and shapes fit, and leave the others as they are. The report names all.
        names : dict, optional
            The name in the model for a name in the file: ``{'layer.0.weight': 'dense1/W'}``. Others keep theirs.
        cast : bool
            Whether to convert dtypes. Without it they must be those of the model, but float32 may become float64.
        require_digest : bool
            False accepts files that other programs wrote, in which damage may go unnoticed.
        limits : Limits, optional
            How large the file may be.

        Returns
        -------
        WeightsReport
            What was ``taken``, and what is ``missing``, ``unexpected`` or of ``other_shape``. Print it.

        Raises
        ------
        ModelFileError
            If the file is damaged or does not fit; the message names missing arrays, unexpected ones, and those of
            another shape or dtype. No weight is changed then.
        ArgumentError
            If `names` has a name that the file or the model lacks.
        """
        return load_weights(self, path, same_architecture, partial, names, cast, require_digest, limits)

    @classmethod
    @checked
    def load_from_file(cls, arch: Path, weights: Optional[Path] = None, custom_objects: Any = None,
                       limits: Optional[Limits] = None) -> Any:
        """Load a model that :meth:`save_to_file`, or the first Keraflow (architecture as JSON), wrote.

        Parameters
        ----------
        arch : path
            Ends with ``.yaml``, ``.yml`` or ``.json``.
        weights : path, optional
            Ends with ``.safetensors``.
        custom_objects : list or dict, optional
            Classes and functions of the program that the file may name, besides the registered ones.
        limits : Limits, optional
            How large the file and the model may be; with weights, their size bounds the parameters.

        Returns
        -------
        Model or Sequential
            Not compiled.

        Notes
        -----
        The whole file is checked before anything of it is built: see :func:`keraflow.plan`.
        """
        return load_model(arch, weights, custom_objects, limits)

    @checked
    def save_training(self, path: Path, overwrite: bool = False) -> None:
        """Save the weights, the optimizer's state and learning rate, and the state of the model's random numbers.

        Parameters
        ----------
        path : path
            Ends with ``.safetensors``.
        overwrite : bool
            Whether to replace an existing file.

        Raises
        ------
        FileExistsError
            If the file exists and `overwrite` is False.

        Notes
        -----
        A model that was built and compiled in the same way, and loads the file, continues like this one: with the same
        orders of samples and, on the same backend, the same masks of Dropout. Callbacks start fresh with each ``fit``
        (see each of them). Everything in the file is from one moment, even if another thread trains the model.

        The optimizer's state is named by parameter: ``optimizer/m/dense1/W``. The file also describes how the model was
        built and compiled, so that :meth:`load_training` can refuse a different one.
        """
        self._compiled('save_training')
        save_training(self, path, overwrite)

    @checked
    def load_training(self, path: Path, limits: Optional[Limits] = None) -> None:
        """Continue from where :meth:`save_training`, or :meth:`save`, was called, after ``compile``.

        Parameters
        ----------
        path : path
            Ends with ``.safetensors`` or ``.keraflow``.
        limits : Limits, optional
            How large the file may be.

        Raises
        ------
        ModelFileError
            If the file is damaged, was not written by :meth:`save_training`, or if model, optimizer, loss or trainable
            parameters differ from those it was written with: the message names each difference. Nothing is changed
            then.

        Notes
        -----
        Functions are compared by name, and initial values not at all. The learning rate is that of the file, even if a
        callback had changed it; set ``model.optimizer.lr`` afterwards to choose another.
        """
        self._compiled('load_training')
        load_training(self, path, limits)

    def _resume(self, loop: Loop, path: Path, changes: Sequence[str], limits: Limits) -> None:
        resume_training(self, loop, path, changes, limits)

    def training_variables(self) -> Dict[str, Any]:
        """Return the variables that the next training step needs: ``weights/dense1/W``, ``optimizer/m/dense1/W``."""
        return training_variables(self)

    def export_keras_weights(self) -> Dict[str, Any]:
        """Return the weights for a model of Keras 3 that is built of the same layers.

        Returns
        -------
        dict
            By the name of each layer with weights (``'inner/dense1'`` for one in a model that is a layer), the arrays
            for ``set_weights`` of the Keras layer.

        Raises
        ------
        ArgumentError
            If Keras has no layer like one of those with weights.

        Examples
        --------
        >>> from keraflow.layers import Dense, Input
        >>> from keraflow.models import Sequential
        >>> model = Sequential([Input(3), Dense(2, name='d')])
        >>> [array.shape for array in model.export_keras_weights()['d']]
        [(3, 2), (2,)]
        """
        return keras_weights(self)

    def to_python(self) -> str:
        """Return Python source that builds the same model; see :func:`keraflow.models.to_python.to_python`."""
        return to_python(self)

    def __reduce_ex__(self, protocol: Any) -> Any:
        raise SerializationError(f'{self.name}: a model is not pickled, because reading a pickle can run code. '
                                 "Write save_to_file('model.yaml', 'model.safetensors') and load_from_file, or "
                                 'copy.deepcopy for a copy.')

    # -- models made from it: they share its layers, have their own names, and are frozen if it is ---------------------

    @checked
    def replace(self, layer: Union[Layer, str], new: Layer) -> Any:
        """Return the model with `new` everywhere in place of `layer`."""
        return self._made(*with_replaced(self, layer, new), activity_regularizer=self.activity_regularizer)

    @checked
    def insert_after(self, layer: Union[Layer, str], new: Layer) -> Any:
        """Return the model in which each output of `layer` passes through `new`."""
        return self._made(*with_inserted(self, layer, new), activity_regularizer=self.activity_regularizer)

    @checked
    def remove(self, layer: Union[Layer, str]) -> Any:
        """Return the model without `layer`: its inputs take the place of its outputs.

        Raises
        ------
        GraphError
            If the layer has several inputs or several outputs.
        """
        return self._made(*without(self, layer), activity_regularizer=self.activity_regularizer)

    def sub_model(self, start: Any, end: Any) -> Any:
        """Return the part of the graph from some layers or Kensors to others, as a model with its own Inputs.

        Parameters
        ----------
        start : Layer, Kensor, str or list of them
            What the new Inputs replace: Kensors, or outputs of layers; by name as in :meth:`get_kensor`.
        end : Layer, Kensor, str or list of them
            The outputs.

        Raises
        ------
        GraphError
            If an end depends on anything but the starts.

        Notes
        -----
        Masks do not pass through the new Inputs.
        """
        return self._made(*part(self, start, end))

    def _made(self, inputs: Any, outputs: Any, **common: Any) -> 'Model':
        return Model(inputs, outputs, trainable=self.trainable, **common)

    # -- as data ------------------------------------------------------------------------------------------------------

    def pack_init_param(self) -> Dict[str, Any]:
        if self._own_graph is not None:
            return self._besides_graph()
        names = self.names.kensors
        params = {'layers': self.layer_ids(), 'path': self.path, 'inputs': [names[kensor] for kensor in self.inputs],
                  'outputs': [names[kensor] for kensor in self.outputs]}
        return {**self._besides_graph(*GRAPH), **params}

    @classmethod
    def _sketched(cls, given: Dict[str, Any], location: Location) -> Optional[GraphSketch]:
        """Return a sketch of what a file describes; None if only ``__init__`` of the program knows the graph."""
        if has_own_constructor(cls) and not given.keys() >= set(GRAPH):
            return None
        return sketched_model(cls, given, location)

    @classmethod
    def unpack_init_param(cls, params: Dict[str, Any]) -> Dict[str, Any]:
        if has_own_constructor(cls) and not params.keys() >= set(GRAPH):
            return params
        rest = dict(params)
        graph = [rest.pop(key) for key in GRAPH]
        inputs, outputs = relinked(*graph)
        return {'inputs': inputs, 'outputs': outputs, **rest}
