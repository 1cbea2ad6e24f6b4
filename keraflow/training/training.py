"""Compile, train, evaluate and predict: what a model does besides being a layer."""
import contextlib
import functools
import threading
from typing import Any, Literal, Optional, Sequence, Union

from keraflow import backend as B
from keraflow import objectives, optimizers, random  # noqa: F401 (fills the registry)
from keraflow.arguments import to_list
from keraflow.callbacks import Callback, CallbackList, History
from keraflow.data.batch_sources import BatchSource
from keraflow.data.data_adapter import DataAdapter
from keraflow.data.iterables import is_iterable_of_batches
from keraflow.errors import GraphError
from keraflow.files.limits import Limits
from keraflow.graph.addresses import find_address
from keraflow.habits import SETTINGS
from keraflow.layers.network import Network
from keraflow.owned import owned
from keraflow.registry import resolve
from keraflow.schema import Execution, Natural, Path, PositiveInt, Rate
from keraflow.schema.checked import checked
from keraflow.training.compiling import read_losses, read_metrics
from keraflow.training.functions import CompiledFunctions
from keraflow.training.loop import Loop, check_not_training
from keraflow.training.predictor import Predictor
from keraflow.training.profiling import Profile, profile
from keraflow.training.progress import Progress
from keraflow.training.scores import Scores

__all__ = ['TrainableNetwork']

#: Held while a predictor is made, because several threads may be the first to need it.
_PREDICTOR_LOCK = threading.Lock()


class TrainableNetwork(Network):
    """A network that can be trained and asked for predictions; the base of :class:`~keraflow.models.Model`."""

    stop_training = False
    set_elsewhere = SETTINGS
    # A copy is not compiled.
    never_copied = frozenset({'_functions', '_predictor', '_probes', 'optimizer', 'stop_training'})
    _functions: Optional[CompiledFunctions] = None
    _predictor: Optional[Predictor] = None
    _probes: Any = None     # what its file says that it predicts

    @checked
    def compile(self, optimizer: Any, loss: Any, metrics: Any = None, report_terms: bool = False,
                ignore_label: Any = None, execution: Execution = 'auto') -> None:
        """Configure training. A second call replaces optimizer, losses and metrics.

        Parameters
        ----------
        optimizer : str or Optimizer
            A name (``'adam'``) or an object (``Adam(lr=0.01)``), which then belongs to this model and starts over with
            each call.
        loss : str, function, list or dict
            An objective for each output: one value for one output, else by order or by the name of the output layer.
            A custom function receives the prediction and the target by the names of its arguments, ``y_pred`` and
            ``y_true`` or other common ones; otherwise in this order, with a warning.
            ``None`` for an output without a target. What layers add (``add_loss``) is minimized in any case.
        metrics : list or dict, optional
            Metrics (:mod:`keraflow.metrics`) and objectives that are reported but not minimized. For one output a list;
            else one (or a list) for each output that has a target, by order or name.
        report_terms : bool
            Whether to report each term of the loss too: ``loss(output)`` of each output, ``L1(dense1/W)`` of each
            regularizer, ``layer/loss`` of what a layer adds (``layer/loss.0``, ``layer/loss.1`` if it adds several) and
            ``layer/activity`` of its activity regularizer. Layers have the names of :meth:`get_layer`.
        ignore_label : int, list or dict, optional
            A number that marks targets without a class, such as -1 or 255. Such samples, steps of series and places of
            images count neither in the loss nor in the metrics. For outputs whose loss takes numbers of classes: one
            for all of them, else by order or by the name of the output layer.
        execution : {'auto', 'plain', 'compiled', 'whole'}
            How training runs on a backend that has several ways: by the kernels of its library one by one, with the
            update of the parameters compiled into one kernel, or with the whole loop over batches compiled. ``'auto'``
            chooses what is fastest, by a fixed rule. The results are the same but for rounding. What cannot be
            compiled runs in another way; :meth:`explain` tells which, and why.

        Notes
        -----
        Which layers are trainable is read here, for parameters and states alike, and holds until the next ``compile``:
        call it again after a change of ``trainable``. ``fit`` warns if that was forgotten.
        """
        self.check_runnable()
        check_not_training(self, f'{self.name}: compile', 'Call compile after it, and not in a callback of it: fit for '
                           'fewer epochs, and for the others after compile. A learning rate can be set at any time: '
                           'model.optimizer.lr = 0.001.')
        loss, metrics, ignore_label = owned([loss, metrics, ignore_label])
        losses = read_losses(self, loss, ignore_label)
        resolved = resolve('optimizer', optimizer, f'{self.name}: optimizer: ')
        self._functions = CompiledFunctions(self, resolved, losses, read_metrics(self, metrics, losses), report_terms,
                                            execution)
        self.optimizer = resolved

    def explain(self) -> str:
        """Return in words how :meth:`fit` runs: on which backend, in which way, and why.

        Examples
        --------
        >>> from keraflow.layers import Dense, Input
        >>> from keraflow.models import Sequential
        >>> model = Sequential([Input(2), Dense(1)], name='line')
        >>> model.compile('sgd', 'mse')
        >>> history = model.fit([[1., 2.]], [[3.]], nb_epoch=1, verbose=0)
        >>> print(model.explain())      # doctest: +ELLIPSIS
        line: on ..., in float32
        fit: plain (...)
        """
        loop = self._compiled('explain').latest_loop
        runs = 'not called yet' if loop is None else f'{loop.execution} ({loop.reason})'
        return f'{self.name}: on {B.name()} {B.current().version()}, in {B.floatx()}\nfit: {runs}'

    def larger_is_better(self, name: str) -> Optional[bool]:
        """Return whether larger values of what ``fit`` reports under this name, such as ``'val_acc'``, are better.

        A metric says so by its ``larger_is_better``; None if it does not. Smaller losses are better.
        """
        return self._compiled('larger_is_better').larger_is_better(name)

    def forget_training(self) -> None:
        """Undo :meth:`compile`."""
        self._functions = None
        self._predictor = None
        self._probes = None

    @checked
    def fit(self, x: Any, y: Any = None, batch_size: Optional[PositiveInt] = None, nb_epoch: Natural = 10,
            verbose: Union[int, bool] = 1, callbacks: Sequence[Callback] = (), sample_weights: Any = None,
            validation_split: Rate = 0., validation_data: Any = None, shuffle: bool = True, class_weight: Any = None,
            nb_batch: Optional[PositiveInt] = None, nb_val_batch: Optional[PositiveInt] = None,
            initial_epoch: Natural = 0, resume: Optional[Path] = None, resume_changes: Sequence[str] = (),
            on_nan: Literal['raise', 'skip', 'ignore'] = 'raise', limits: Optional[Limits] = None) -> History:
        """Train the model.

        Parameters
        ----------
        x, y : array, list or dict
            Inputs and targets: one array, or several by order or by name (of the Input, of the output layer). A target
            has the shape of its output unless the loss requires another. A memory-mapped array is read batch by batch.
        x : iterable, or function that returns one, of batches ``(x, y)`` or ``(x, y, sample_weights)``
            Instead of `x`, `y` and `sample_weights`; of batches ``x`` if there are no targets. A function is called for
            each epoch. A separate thread reads some batches ahead.
        batch_size : int, optional
            The number of samples of a step: that of the Inputs if they fix it, else 32.
        nb_epoch : int
            The number of passes over the data.
        verbose : int
            0: silent. 1: a progress bar on a terminal and a line for each epoch.
        callbacks : sequence of Callback
        sample_weights : array, dict or list, optional
            A weight for each sample, ``(samples,)``, or for each step of series, ``(samples, time)``: one array for all
            outputs, or one for each, by name or in order. The loss is the weighted sum divided by the number of nonzero
            weights, over the steps of a sample and over samples. Metrics are weighted too, except objectives used as
            metrics that are not accuracies.
        validation_split : float
            The share of the samples, from the end, to use for validation.
        validation_data : tuple or iterable, optional
            ``(x, y)`` or ``(x, y, sample_weights)`` for validation, or an iterable or function of such batches, as for
            `x`; takes precedence over `validation_split`.
        shuffle : bool
            Whether to draw a new order of the samples of arrays for each epoch. The same seed gives the same order on
            every backend, whatever other models and threads draw.
        class_weight : dict, optional
            Weights by number of class, 1 for classes that are not named. They multiply the weights of samples, in
            training only. For a model with one output and one class for each sample.
        nb_batch : int, optional
            For an iterable: the number of batches in an epoch. The next epoch continues where it ended, and starts over
            where the iterable ends.
        nb_val_batch : int, optional
            For an iterable as `validation_data`: the number of batches of each validation, required if it never ends.
            Each validation starts over, but takes the next batches of an iterator or a generator.
        initial_epoch : int
            The number of the first epoch, counted from 0, for callbacks and output; useful to continue training.
        resume : path, optional
            A file of :meth:`save_training`, or that of a :class:`~keraflow.callbacks.ModelCheckpoint` with `every`; or
            one of :meth:`save`, which does not say where a ``fit`` was.
            Training goes on from there exactly as if it had not ended, also in the middle of an epoch: pass what was
            passed then, and as `nb_epoch` the number of all epochs. If the newest file of a series is damaged, the one
            before is taken, with a warning.
        resume_changes : sequence of str
            What may differ from then, such as ``('lr', 'loss')``. Anything else that differs is an error, which says
            what to write here. The samples and batches must be the same.
        on_nan : {'raise', 'skip', 'ignore'}
            What to do with a batch whose loss, or a gradient of it, is NaN or infinite. ``'raise'``: end with an error,
            with weights, states and the optimizer as they were before it. ``'skip'``: leave it out, and warn once.
            ``'ignore'``: train on it, which usually spoils the weights.
        limits : Limits, optional
            How much the file of `resume` may ask for.

        Returns
        -------
        History
            A list with a dict for each epoch: ``loss`` (with regularization), the metrics, and both of the validation
            as ``val_...``; averaged over samples.

        Notes
        -----
        Ctrl-C ends training after the current batch, and the history of the complete epochs is returned. An error in a
        callback or in the data reaches the caller, and leaves the weights of the last complete batch.

        Raises
        ------
        NotFiniteError
            If a loss or a gradient is NaN or infinite, unless `on_nan` says otherwise, or a callback ends training.
        """
        functions = self._compiled('fit')
        functions.warn_about_changes()
        adapter = DataAdapter(self, 'fit', functions.target_specs())
        adapter.weigh_classes(class_weight)
        validation = DataAdapter(self, 'validation_data', functions.target_specs()).validation_source(
            validation_data, batch_size, nb_epoch, nb_val_batch)
        if is_iterable_of_batches(x):
            adapter.refuse_with_iterable(y=y, sample_weights=sample_weights, batch_size=batch_size,
                                         validation_split=validation_split or None)
            source = adapter.iterable_source(x, nb_epoch, nb_batch, is_repeated=True)
        else:
            adapter.refuse_with_arrays(nb_batch=nb_batch)
            data = adapter.arrays(x, y, sample_weights)
            if validation is None and validation_split:
                data, kept = adapter.split(data, validation_split)
                validation = adapter.array_source(kept, batch_size)
            source = adapter.array_source(data, batch_size, self._stream.order if shuffle else None)
        progress = Progress(verbose, initial_epoch + nb_epoch)
        loop = Loop(self, functions, source, validation, CallbackList(callbacks, self), progress, on_nan)
        begin = None if resume is None else \
            functools.partial(self._resume, loop, resume, resume_changes, limits or Limits())
        return loop.run(range(initial_epoch, initial_epoch + nb_epoch), begin)

    def _resume(self, loop: Loop, path: Path, changes: Sequence[str], limits: Limits) -> None:
        """Let a `fit` go on where a file was written."""
        raise NotImplementedError

    @checked
    def evaluate(self, x: Any, y: Any = None, sample_weights: Any = None, batch_size: Optional[PositiveInt] = None,
                 nb_batch: Optional[PositiveInt] = None, train_mode: bool = False) -> Scores:
        """Compute loss (without regularization) and metrics on data, and return them as a dict.

        The arguments are those of :meth:`fit`, and `train_mode` and `nb_batch` of :meth:`predict`. Take numbers by
        name, ``scores['loss']``, or as ``loss, acc = model.evaluate(x, y).values()``.
        """
        functions = self._compiled('evaluate')
        adapter = DataAdapter(self, 'evaluate', functions.target_specs())
        source = adapter.source(x, y, sample_weights, batch_size, nb_batch)
        with contextlib.closing(source), source.epoch() as portions:
            return Scores(functions.evaluate(portions, _phase(train_mode)))

    @checked
    def predict(self, x: Any, batch_size: Optional[PositiveInt] = None, train_mode: bool = False,
                nb_batch: Optional[PositiveInt] = None) -> Any:
        """Return the outputs for some inputs: an array, or a list if the model has several outputs.

        Parameters
        ----------
        x : array, list or dict; or an iterable of such batches, or a function that returns one
            As for :meth:`fit`.
        batch_size : int, optional
            The number of samples computed at a time.
        train_mode : bool
            Whether to run as in training (with dropout), for debugging. States of stateful layers advance; what only
            training updates, such as the statistics of BatchNormalization, stays unchanged.
        nb_batch : int, optional
            The number of batches to take from an iterable, required if it never ends. Without it endless iterables are
            refused, as far as they can be recognized: a generator with a ``while True`` is read forever.
        """
        source = self._source('predict', x, batch_size, nb_batch)
        if self._probes is not None and not train_mode:
            self._probes.check_once(self)
        with contextlib.closing(source), source.epoch() as portions:
            outputs = self._predictor_in(train_mode).predict(portions, _phase(train_mode))
        return outputs[0] if len(outputs) == 1 else outputs

    @checked
    def capture(self, names: Union[str, Sequence[str]], x: Any, batch_size: Optional[PositiveInt] = None,
                train_mode: bool = False, nb_batch: Optional[PositiveInt] = None) -> Any:
        """Return tensors inside the model for some inputs, without changing states.

        Parameters
        ----------
        names : str or list of str
            As for :meth:`get_kensor`. An embedded layer is named as its parameters are: ``'host/0/output'`` for the
            only run of the first layer that `host` embeds, ``'host/0_1'`` for its second run, with ``.0`` and so on for
            one of several outputs.
        x, batch_size, train_mode, nb_batch
            As for :meth:`predict`.

        Returns
        -------
        array, or list of array for a list of names

        Raises
        ------
        GraphError
            If there is no such name.
        """
        addresses = [find_address(self, name) for name in to_list(names)]
        source = self._source('capture', x, batch_size, nb_batch)
        with contextlib.closing(source), source.epoch() as portions:
            arrays = self._predictor_in(train_mode).capture(portions, _phase(train_mode), addresses)
        return arrays[0] if isinstance(names, str) else arrays

    @checked
    def profile(self, x: Any, y: Any = None, batch_size: Optional[PositiveInt] = None, sample_weights: Any = None,
                nb_turn: PositiveInt = 11) -> Profile:
        """Measure where the time and the memory of a training step go, after ``compile``.

        Parameters
        ----------
        x, y, batch_size, sample_weights
            As for :meth:`fit`, but only arrays. At most 32 batches of them are used.
        nb_turn : int
            How often each part is measured, in turns with the others; the shortest turn counts.

        Returns
        -------
        Profile
            ``print(profile)`` shows a table, ``profile.plot('step.svg')`` draws a flame graph, and ``profile.data()``
            is plain data.

        Raises
        ------
        GraphError
            If the model is not compiled, or in training.

        Notes
        -----
        Each layer is run by itself, on what it is given in the step and on the road that ``fit`` takes: without it,
        forward, and with its gradients. The differences are its milliseconds. So are those of the update, of data and
        of Python: the differences between the step and the step without them. What the parts do not account for, or
        save together, is told and not spread over them.

        Weights, states, the optimizer and random numbers are the same afterwards. While it runs, it trains the model,
        and needs about twice the memory of training. Most of its own time goes into compiling the parts, a few seconds,
        and on Theano, where C code is compiled once, a minute or more.

        Examples
        --------
        >>> import numpy as np
        >>> from keraflow.layers import Dense, Input
        >>> from keraflow.models import Sequential
        >>> model = Sequential([Input(4), Dense(3)])
        >>> model.compile('sgd', 'mse')
        >>> profile = model.profile(np.ones((8, 4)), np.ones((8, 3)), nb_turn=1)
        >>> [part.path for part in profile.parts], profile.parts[1].flop
        (['(data)', 'dense1', '(loss)', '(update)', '(Python)'], 216)
        """
        functions = self._compiled('profile')
        check_not_training(self, f'{self.name}: profile', 'Call profile before or after it.')
        return profile(self, functions, x, y, batch_size, sample_weights, nb_turn)

    def _source(self, method: str, x: Any, batch_size: Optional[int], nb_batch: Optional[int]) -> BatchSource:
        """Return a source of inputs, without targets, for a method."""
        self.check_runnable()
        return DataAdapter(self, method, []).source(x, None, None, batch_size, nb_batch)

    def _can_predict(self) -> bool:
        """Return whether :meth:`predict` would run without compiling anything."""
        return self._predictor is not None and self._predictor.function('test').is_built

    def _predictor_in(self, train_mode: bool) -> Predictor:
        """Return a predictor, which does not require ``compile``.

        In training mode ``trainable`` matters: if the model is compiled, it is what ``compile`` read.
        """
        if train_mode and self._functions is not None:
            return self._functions.predictor
        with _PREDICTOR_LOCK:
            if self._predictor is None or train_mode and self._predictor.trainability.changed():
                self._predictor = Predictor(self)
            return self._predictor

    @property
    def is_compiled(self) -> bool:
        """Whether :meth:`compile` was called, and not undone."""
        return self._functions is not None

    def _compiled(self, verb: str) -> CompiledFunctions:
        self.check_runnable()
        if self._functions is None:
            raise GraphError(
                f'{self.name}: {verb} needs an optimizer and a loss. Call compile(optimizer=..., loss=...) first.')
        return self._functions


def _phase(train_mode: bool) -> str:
    return 'train' if train_mode else 'test'
