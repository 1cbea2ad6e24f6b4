"""A builder that runs over many batches in one call."""
from typing import Any, Sequence

import numpy as np

from keraflow.backend.refusals import NotFinite

__all__ = ['BatchLoop']


class BatchLoop:
    """A builder over batches of samples, one after the other, as :meth:`Backend.batch_loop` makes it.

    How many batches a call has changes no bit of any result: a backend that runs several in one call of its library
    compiles one body for all, and their number is a number of the run. This class runs them one by one.

    Parameters
    ----------
    run : Compiled
        The builder as a function of one batch.

    Attributes
    ----------
    execution : str
        How it runs, one of :data:`~keraflow.schema.Execution` but ``'auto'``.
    reason : str
        Why, in a few words.
    is_settled : bool
        Whether it runs so from now on, whatever :meth:`prepare` is told.
    """

    execution = 'plain'
    reason = 'the backend has one way to run a function'
    is_settled = True

    def __init__(self, run: Any):
        self._run = run

    def build(self, batch_size: int) -> None:
        """Build what runs batches of as many samples, unless that was done."""
        self._run.build()

    def prepare(self, nb_step: int) -> bool:
        """Choose how to run, if it takes so many steps in all, as far as is known.

        Returns
        -------
        bool
            Whether that is another way from now on, which must be built.
        """
        return False

    def lengths(self) -> list:
        """Return as plain data for which lengths it has functions of their own, if others run in another way."""
        return []

    def begin_with(self, lengths: list) -> None:
        """Have functions of their own for the same lengths as another one, before any batch was run."""

    def load(self, arrays: Sequence[np.ndarray]) -> Any:
        """Place arrays, whose first axis is that of the samples, where :meth:`sum` reads them."""
        return [np.array(array) for array in arrays]    # later changes by the program reach no backend

    def sum(self, loaded: Any, indices: np.ndarray, total: np.ndarray) -> np.ndarray:
        """Run batches, and return a total with the builder's only output, a vector, of each batch added.

        Parameters
        ----------
        loaded
            What :meth:`load` returned.
        indices : array of int64, shape ``(batches, samples)``
            The numbers of the samples of each batch.
        total : array of float64
            The sum over earlier batches. Sums are taken in float64, from the first batch to the last.

        Raises
        ------
        DataError
            If a batch does not have what :meth:`Backend.require` requires. The batches before it have changed the
            variables, this one and later ones have not.
        NotFinite
            Likewise, for numbers that must be finite and are not.
        """
        for number, row in enumerate(indices):
            try:
                [vector] = self._run(*[array[row] for array in loaded])
            except NotFinite as stop:
                raise NotFinite(stop.name, stop.value, number, total) from None
            total = total + np.asarray(vector, 'float64')
        return total
