"""Schedules against NumPy, inside compiled steps and outside, and the learning rate that is read and set."""
import math

import numpy as np
import pytest

from keraflow import backend as B
from keraflow import schedules, utils
from keraflow.errors import ArgumentError
from keraflow.optimizers import SGD, Adam

NB_STEP = 12


def half_wave(share):
    return (1 + math.cos(math.pi * min(share, 1))) / 2


#: A schedule, and the rate of step 0, 1, ... as a formula.
CASES = [
    (schedules.ExponentialDecay(0.1, 0.5), lambda k: 0.1 / 2 ** k),
    (schedules.ExponentialDecay(0.1, 0.9, nb_step=4), lambda k: 0.1 * 0.9 ** (k / 4)),
    (schedules.ExponentialDecay(0.1, 0.9, nb_step=4, staircase=True), lambda k: 0.1 * 0.9 ** (k // 4)),
    (schedules.InverseTimeDecay(0.1, 0.5), lambda k: 0.1 / (1 + 0.5 * k)),
    (schedules.InverseTimeDecay(0.1, 2, nb_step=5, staircase=True), lambda k: 0.1 / (1 + 2 * (k // 5))),
    (schedules.PolynomialDecay(0.1, 8), lambda k: 0.1 * max(8 - k, 0) / 8),
    (schedules.PolynomialDecay(0.1, 8, final_lr=0.02, power=2.), lambda k: 0.02 + 0.08 * (max(8 - k, 0) / 8) ** 2),
    (schedules.CosineDecay(0.1, 8), lambda k: 0.1 * half_wave(k / 8)),
    (schedules.CosineDecay(0.1, 6, final_lr=0.03, nb_warmup=4),
     lambda k: 0.1 * (k + 1) / 4 if k < 4 else 0.03 + 0.07 * half_wave((k - 4) / 6)),
    (schedules.PiecewiseConstant([2, 5], [0.1, 0.2, 0.05]), lambda k: [0.1, 0.2, 0.05][(k >= 2) + (k >= 5)]),
    (schedules.PiecewiseConstant([], [0.3]), lambda k: 0.3),
    (lambda step: B.divide(0.1, B.sqrt(B.add(step, 1))), lambda k: 0.1 / math.sqrt(k + 1)),
    (lambda step: 0.25, lambda k: 0.25),
]


@pytest.mark.parametrize('floatx', ['float32', 'float64'])
def test_rates_of_steps(floatx):
    """Each step of a gradient of 1 is as long as the rate, and the rate is that of the formula in float64."""
    B.set_floatx(floatx)
    several = [SGD(lr=schedule) for schedule, _ in CASES]
    parameters = [B.variable(np.zeros(1)) for _ in CASES]
    for optimizer, parameter in zip(several, parameters):
        optimizer.build([parameter])
    step = B.compile(lambda: ([], [pair for one, parameter in zip(several, parameters)
                                   for pair in one.updates([parameter], [B.ones_like(parameter)])]), [])
    for k in range(NB_STEP):
        for parameter in parameters:
            B.set_value(parameter, [0.])
        step()
        for (schedule, rate), parameter in zip(CASES, parameters):
            expected = np.asarray(rate(k)).astype(floatx)
            np.testing.assert_allclose(-B.get_value(parameter)[0], expected, rtol=1e-7 if floatx == 'float32' else 1e-14,
                                       atol=1e-17, err_msg=f'{schedule} {k}')


def test_rate_of_the_next_step():
    schedule, rate = CASES[8]
    optimizer, parameter = Adam(lr=schedule), B.variable([0.])
    assert optimizer.current_lr == pytest.approx(rate(0), rel=1e-14)
    optimizer.build([parameter])
    step = B.compile(lambda: ([], optimizer.updates([parameter], [B.ones_like(parameter)])), [])
    step()
    step()
    assert optimizer.current_lr == pytest.approx(rate(2), rel=1e-14) and optimizer.lr is schedule
    B.set_value(optimizer.state()['iterations'], 4)
    assert optimizer.current_lr == pytest.approx(rate(4), rel=1e-14)


def test_current_rate_of_a_number():
    optimizer = SGD(lr=0.5, decay=1.)
    optimizer.build([])
    optimizer.lr = 0.25
    assert optimizer.current_lr == optimizer.lr == 0.25


@pytest.mark.parametrize('old, new', [(schedules.CosineDecay(0.1, 8), 0.1), (0.1, schedules.CosineDecay(0.1, 8))])
def test_a_schedule_stays(old, new):
    optimizer = Adam(lr=old)
    optimizer.lr = new
    assert optimizer.lr == new
    optimizer.lr = old
    optimizer.build([])
    with pytest.raises(ArgumentError) as caught:
        optimizer.lr = new
    assert str(caught.value) == ('Adam: lr: a schedule is part of the compiled step and cannot change. '
                                 'Compile again, with a new optimizer.')
    assert optimizer.lr == old


class Halves(schedules.Schedule):
    def __init__(self, lr=0.5):
        self.lr = lr

    def __call__(self, step):
        return self.lr


@pytest.mark.parametrize('lr', ['Halves', Halves, Halves()], ids=['name', 'class', 'object'])
def test_a_schedule_may_be_a_name_or_a_class(lr):
    utils.register(Halves)
    optimizer, parameter = SGD(lr=lr), B.variable([1.])
    optimizer.build([parameter])
    B.compile(lambda: ([], optimizer.updates([parameter], [B.ones_like(parameter)])), [])()
    assert B.get_value(parameter) == [0.5] and optimizer.current_lr == 0.5
    again = utils.unserialize(utils.serialize(optimizer))
    assert isinstance(again.lr, Halves) and again.lr.lr == 0.5
