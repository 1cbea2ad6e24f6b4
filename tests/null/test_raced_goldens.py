"""Which steps of the three goldens went wrong in the first Keraflow: of all choices of steps, one gives its numbers."""
import numpy as np
import pytest
from raced import CASES, RACED, arrays_of, simulate


def distance(case, raced):
    """How far losses and trained weights are from the golden, relative to the largest."""
    train, trained = CASES[case]['train'], arrays_of(case, 'trained')
    losses, weights, _ = simulate(case, raced, train['epochs'])
    pairs = [(losses, train['history']), *((weights[name], array) for name, array in trained.items())]
    return max(np.max(np.abs(np.asarray(found) - expected)) / np.max(np.abs(expected)) for found, expected in pairs)


@pytest.mark.parametrize('case', RACED)
def test_one_choice_of_steps_gives_the_numbers_and_no_other_does(case):
    nb_step = CASES[case]['train']['epochs']
    choices = [{step for step in range(nb_step) if number >> step & 1} for number in range(2 ** min(nb_step, 6))]
    near = [choice for choice in choices if distance(case, choice) < 1e-6]
    assert near == [set(range(RACED[case]))]
    assert distance(case, set()) > 1e-3     # the published formula


def test_a_golden_without_a_race_is_given_by_the_published_formula():
    assert distance('opt_sgd_momentum', set()) < 1e-6 < 1e-3 < distance('opt_sgd_momentum', {0})
