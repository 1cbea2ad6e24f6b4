"""Show the progress of ``fit``, and react to Ctrl-C between calls."""
import contextlib
import importlib
import signal
import sys
import threading
from typing import Any, Dict, Iterator, Optional

__all__ = ['Progress', 'interruptible']


class Progress:
    """Show a bar on a terminal, a line for each epoch, or nothing.

    Parameters
    ----------
    verbose : int
        0 for nothing.
    nb_epoch : int
        The total number of epochs.
    """

    def __init__(self, verbose: int, nb_epoch: int):
        self.verbose = bool(verbose)
        self.nb_epoch = nb_epoch
        self._bar: Any = None

    def start(self, epoch: int, nb_batch: Optional[int]) -> None:
        """Show a bar on a terminal for the batches of an epoch, whose number may be unknown."""
        if self.verbose and sys.stderr.isatty():
            bar = importlib.import_module('tqdm').tqdm      # not before: a program that only predicts needs none
            self._bar = bar(None, f'Epoch {epoch + 1}/{self.nb_epoch}', nb_batch, unit='batch', leave=False)

    def advance(self, nb_batch: int) -> None:
        """Show that further batches are done."""
        if self._bar is not None:
            self._bar.update(nb_batch)

    def epoch(self, epoch: int, logs: Dict[str, float], data_wait: Optional[float] = None,
              nb_skipped: int = 0) -> None:
        """Show the results of an epoch, the share of its time that was spent waiting for data, and batches left out."""
        self.close()
        if self.verbose:
            values = [f'{name} {value:.4f}' for name, value in logs.items()]
            values += [] if data_wait is None else [f'data_wait {data_wait:.0%}']
            values += [f'skipped {nb_skipped}'] if nb_skipped else []
            print(f'Epoch {epoch + 1}/{self.nb_epoch}: {"  ".join(values)}', flush=True)

    def interrupted(self, nb_complete: int, how: str = 'Interrupted') -> None:
        """Report that the user, or the system, stopped training."""
        self.close()
        if self.verbose:
            print(f'{how} after {nb_complete} complete epoch(s).', flush=True)

    def close(self) -> None:
        """Remove the bar."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None


@contextlib.contextmanager
def interruptible() -> Iterator[None]:
    """Delay the KeyboardInterrupt of Ctrl-C until the end of the block, so that it never interrupts a batch."""
    in_main_thread = threading.current_thread() is threading.main_thread()
    # Only the main thread may set handlers; one that the program has set stays.
    if not in_main_thread or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield
        return
    pressed = []
    signal.signal(signal.SIGINT, lambda *_: pressed.append(True))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if pressed:
        raise KeyboardInterrupt
