"""What a run of a layer tells beside its output: new values of states, losses."""
from typing import Any, List

from keraflow import backend as B
from keraflow import registry
from keraflow.arguments import to_list
from keraflow.errors import ArgumentTypeError, GraphError
from keraflow.facts import facts_of
from keraflow.layers.masks import beside
from keraflow.layers.slots import Run, run_of, running_host
from keraflow.records import AddedLoss, Update, record_loss, record_update, recorded_value, runs_frozen
from keraflow.tensor_checks import check_scalar, check_shape

__all__ = ['Reporting']


class Reporting:
    """The part of :class:`~keraflow.layers.Layer` that reports to :mod:`keraflow.records`."""

    name: Any
    activity_regularizer: Any

    def add_update(self, variable: Any, value: Any, inputs: Any = None) -> None:
        """Say, inside of :meth:`output`, that this run gives a state variable a new value; ``fit`` then sets it.

        A layer that is called several times in a run computes the value from :meth:`latest`, so that no call is lost.
        `inputs` are the inputs that the value depends on, if it does, by which ``get_updates_for`` finds it.
        """
        self._check_running('add_update')
        if not B.is_variable(variable):
            raise ArgumentTypeError(f'{self.name}: add_update: expected a variable, such as set_state_params makes.')
        check_shape(value, B.static_shape(variable), f'{self.name}: add_update')
        record_update(Update(variable, value, inputs is not None))

    def add_loss(self, losses: Any, inputs: Any = None) -> None:
        """Add to what is minimized and evaluated, inside of :meth:`output`.

        Parameters
        ----------
        losses : tensor or list of tensor
            Scalars.
        inputs : tensor or list of tensor, optional
            The inputs that they depend on: they then count for each call of the layer. Without, they are taken to
            depend on the parameters alone, and count once however often the layer is called.
        """
        run = self._check_running('add_loss')
        for loss in to_list(losses):
            check_scalar(loss, f'{self.name}: add_loss')
            key = (id(self), run.nb_loss) if inputs is None else object()
            record_loss(key, AddedLoss(self, 'loss', run.nb_loss, loss, False, inputs is not None))
            run.nb_loss += 1

    def latest(self, variable: Any) -> Any:
        """The value that the calls before this one in the same run give a state variable, else the variable."""
        return recorded_value(variable)

    @property
    def is_frozen(self) -> bool:
        """Inside of :meth:`output`: whether the layer is not trainable, or is run by one that is not."""
        return runs_frozen()

    def _check_running(self, method: str) -> Run:
        """The run of this layer in which `method` is called."""
        run = run_of(self)
        if run is None or running_host() is not self:
            raise GraphError(f'{self.name}: {method}: expected a call inside of output(), received one outside of it. '
                             'Write it in output() of a layer that is fed with what it needs.')
        return run

    def penalize(self, outputs: List[Any]) -> None:
        """Add what the activity regularizer gives for the outputs of a run, in which masked steps are 0."""
        if self.activity_regularizer is not None:
            regularizer = registry.resolve('regularizer', self.activity_regularizer, f'{self.name}: ')
            for tensor in outputs:
                penalty = regularizer(_without_masked_steps(tensor))
                check_scalar(penalty, f'{self.name}: activity_regularizer')
                penalty = penalty / B.cast(B.shape(tensor)[0], B.dtype(penalty))
                record_loss(object(), AddedLoss(self, 'activity', 0, penalty, True, True))


def _without_masked_steps(tensor: Any) -> Any:
    mask = facts_of(tensor).mask
    return tensor if mask is None else B.switch(beside(mask, tensor), tensor, 0.)
