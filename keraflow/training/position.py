"""How far one call of ``fit`` is."""
from typing import Any, Dict, Optional, Tuple

from keraflow.data.windows import Portion
from keraflow.training.functions import CompiledFunctions

__all__ = ['Position']


class Position:
    """Where training is, and what the epoch in work has added up.

    Attributes
    ----------
    epoch : int
        The number of the epoch.
    part : {'begin', 'train', 'validate', 'end'}
        What comes next: that the epoch begins; a batch; one of the validation; the hook after the epoch.
    nb_batch, nb_val_batch : int
        How many batches of the epoch, and of its validation, are done.
    nb_left_out : int
        How many batches of the epoch were left out because they are not finite.
    nb_step : int
        How many batches are done in all epochs.
    nb_in_epoch : int
        How many batches the epoch before had; 0 if there was none.
    has_taken : bool
        Whether batches of the epoch were taken from the data.
    order : dict, optional
        From what the order of samples was drawn, once it is.
    meter, val_meter : Meter
        What batches have added up.
    portion, val_portion : Portion, optional
        The one that was taken last, by any epoch.
    nb_of_portion, nb_of_val_portion : int
        How many batches of them are done.
    is_stopped : bool
        Whether training ends before the next batch.
    is_known : bool
        Whether training could be resumed here: no hook was interrupted.
    states : dict
        The states of callbacks, by number, until they are restored.
    hook : (str, int, args), optional
        The hook in which training was saved, until the callbacks that come after have had it.
    is_batch_announced : bool
        Whether ``on_batch_begin`` of the next batch was called.
    """

    def __init__(self, functions: CompiledFunctions):
        self._functions = functions
        self.epoch = self.nb_step = self.nb_in_epoch = self.nb_of_portion = self.nb_of_val_portion = 0
        self.portion: Optional[Portion] = None
        self.val_portion: Optional[Portion] = None
        self.is_stopped = False
        self.is_known = True
        self.states: Dict[int, Any] = {}
        self.hook: Optional[Tuple[str, int, tuple]] = None
        self.is_batch_announced = False
        self.part = 'begin'
        self.nb_batch = self.nb_val_batch = self.nb_left_out = 0
        self.has_taken = False
        self.order: Optional[Dict[str, Any]] = None
        self.meter: Any = None
        self.val_meter: Any = None

    def begin(self) -> None:
        """Begin an epoch."""
        self.part, self.has_taken, self.order = 'train', False, None
        self.nb_batch = self.nb_val_batch = self.nb_left_out = 0
        self.meter, self.val_meter = self._functions.meter(), self._functions.meter()

    def take(self, portion: Portion) -> None:
        """Go on with other batches."""
        self.portion, self.nb_of_portion, self.has_taken = portion, 0, True

    def take_val(self, portion: Portion) -> None:
        """Go on with other batches of the validation."""
        self.val_portion, self.nb_of_val_portion = portion, 0

    def advance_val(self, nb_batch: int) -> None:
        """Count batches of the validation that are done."""
        self.nb_val_batch += nb_batch
        self.nb_of_val_portion += nb_batch

    def advance(self, nb_batch: int) -> None:
        """Count batches that are done."""
        self.nb_batch += nb_batch
        self.nb_step += nb_batch
        self.nb_of_portion += nb_batch

    def end(self) -> None:
        """End an epoch."""
        self.epoch, self.part = self.epoch + 1, 'begin'
