"""The thread that reads ahead: bounded, in order, and gone afterwards. And weights of classes."""
import threading
import time

import numpy as np
import pytest

from keraflow.data.array_spec import ArraySpec
from keraflow.data.arrays import MemmapSamples, read_arrays
from keraflow.data.class_weight import ClassWeight
from keraflow.data.prefetch import Prefetch
from keraflow.errors import ArgumentError, ArgumentTypeError, DataError, KeraFlowError


@pytest.fixture(autouse=True)
def no_thread_is_left():
    before = threading.active_count()
    yield
    assert threading.active_count() == before


def wait_until(holds):
    end = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.001)


def test_all_items_in_order_from_another_thread():
    with Prefetch((number, threading.current_thread().name) for number in range(100)) as items:
        assert list(items) == [(number, 'keraflow-prefetch') for number in range(100)]


@pytest.mark.parametrize('nb_ahead', [1, 2, 5])
def test_it_reads_so_far_ahead_and_no_farther(nb_ahead):
    made = []
    with Prefetch((made.append(number) for number in range(100)), nb_ahead) as items:
        wait_until(lambda: len(made) == nb_ahead + 1)
        time.sleep(0.02)
        assert len(made) == nb_ahead + 1
        next(items)
        wait_until(lambda: len(made) == nb_ahead + 2)
    assert len(made) in (nb_ahead + 2, nb_ahead + 3)


def test_items_have_sizes():
    made = []
    with Prefetch((made.append(number) or number for number in range(100)), room=10, size=lambda item: 4) as items:
        wait_until(lambda: len(made) == 4)      # three wait, and one is held
        time.sleep(0.02)
        assert (len(made), next(items)) == (4, 0)
        wait_until(lambda: len(made) == 5)


def test_all_that_wait_are_joined():
    made, taken = [], []
    with Prefetch((made.append(number) or number for number in range(10)), room=4, join=lambda some: [some]) as items:
        wait_until(lambda: len(made) == 5)
        taken.append(next(items))
        wait_until(lambda: len(made) == 9)
        taken += items
    assert taken[0] == [0, 1, 2, 3] and sum(taken, []) == list(range(10))


def test_an_error_comes_after_the_items_that_are_joined():
    def broken_data():
        yield 1
        yield 2
        raise ValueError('bad')

    taken = []
    with pytest.raises(ValueError, match='bad'):
        with Prefetch(broken_data(), join=lambda some: [sum(some)]) as items:
            for item in items:
                taken.append(item)
    assert sum(taken) == 3


@pytest.mark.parametrize('nb_taken', [0, 1, 3])
@pytest.mark.parametrize('error', [ValueError, KeyboardInterrupt])
def test_the_thread_ends_when_the_context_is_left_by_an_error(nb_taken, error):
    def endless():
        while True:
            yield 1

    with pytest.raises(error):
        with Prefetch(endless()) as items:
            for _ in range(nb_taken):
                next(items)
            raise error


@pytest.mark.parametrize('error', [ValueError('bad'), KeyboardInterrupt(), SystemExit(3), StopAsyncIteration()])
def test_an_error_of_the_data_comes_where_its_item_was_due_with_its_own_traceback(error):
    def broken_data():
        yield 1
        yield 2
        raise error

    taken = []
    with pytest.raises(type(error)) as caught:
        with Prefetch(broken_data()) as items:
            taken.extend(iter(lambda: next(items), None))
    if not isinstance(error, StopAsyncIteration):
        assert caught.value is error
    assert caught.traceback[-1].name == 'broken_data' and caught.traceback[0].path.name == 'test_prefetch.py'


def test_leaving_waits_for_the_item_that_is_being_read():
    began, ended = threading.Event(), []

    def slow():
        began.set()
        time.sleep(0.05)
        ended.append(True)
        yield 1

    with Prefetch(slow()):
        began.wait()
    assert ended == [True]


# -- arrays on the disk -------------------------------------------------------------------------------------------------

def on_disk(path, array):
    np.save(path, array)
    return np.load(path, mmap_mode='r')


def test_of_an_array_on_the_disk_only_the_asked_samples_are_read_and_cast(tmp_path):
    mapped = on_disk(tmp_path / 'x.npy', np.arange(12, dtype='uint8').reshape(6, 2))
    (array,) = read_arrays(mapped, [ArraySpec('x', (None, 2), 'float32')], 'm: x')
    assert isinstance(array, MemmapSamples) and array.array is mapped and len(array) == 6
    for part in (slice(1, 3), np.array([5, 0])):
        found = array[part]
        assert type(found) is np.ndarray and found.dtype == 'float32'
        assert found.tolist() == np.arange(12.).reshape(6, 2)[part].tolist()


@pytest.mark.parametrize('part, sample', [(slice(2, 6), 4), (slice(0, 3), 4), (np.array([3, 2, 0]), 4), (slice(2, 3), 4)])
def test_a_nan_on_the_disk_is_reported_with_its_place_in_the_file(part, sample, tmp_path):
    mapped = on_disk(tmp_path / 'x.npy', np.where(np.arange(6) == sample, np.nan, 1.)[:, None])
    (array,) = read_arrays(mapped, [ArraySpec('x', (None, 1), 'float32')], 'm: x')
    view = array.view(slice(2, None))
    with pytest.raises(DataError) as caught:
        view[part]
    assert str(caught.value) == 'm: x: there is a NaN in sample 4. Replace missing values first.'
    assert array[0:4].tolist() == [[1.]] * 4


@pytest.mark.parametrize('array, text', [
    (np.ones((3, 4)), 'm: x: expected an array of shape (None, 2), received (3, 4).'),
    (np.ones((3, 2), 'complex64'), 'm: x: expected numbers, received an array of dtype complex64. Turn it into numbers first.')])
def test_a_wrong_array_on_the_disk_is_reported_before_it_is_read(array, text, tmp_path):
    with pytest.raises(DataError) as caught:
        read_arrays(on_disk(tmp_path / 'x.npy', array), [ArraySpec('x', (None, 2), 'float32')], 'm: x')
    assert str(caught.value) == text


# -- weights of classes -------------------------------------------------------------------------------------------------

ONE_HOT, BINARY, SPARSE = ArraySpec('y', (None, 3), 'float32'), ArraySpec('y', (None, 1), 'float32'), ArraySpec('y', (None, 1), 'int32', 3)


@pytest.mark.parametrize('port, targets', [(ONE_HOT, np.eye(3)[[2, 0, 1, 2]]), (SPARSE, np.array([[2], [0], [1], [2]]))])
def test_the_weight_of_a_sample_is_that_of_its_class(port, targets):
    weigh = ClassWeight({2: 4., 0: 0.5}, [port], 'float32', 'w')
    assert weigh(targets, None, 'm').tolist() == [4., 0.5, 1., 4.] and weigh(targets, None, 'm').dtype == 'float32'
    assert weigh(targets, np.array([1., 2., 3., 0.]), 'm').tolist() == [4., 1., 3., 0.]


def test_binary_targets_have_two_classes():
    assert ClassWeight({1: 3}, [BINARY], 'float32', 'w')(np.array([[0.], [1.], [1.]]), None, 'm').tolist() == [1., 3., 3.]


@pytest.mark.parametrize('make, error, text', [
    (lambda: ClassWeight([1, 2], [ONE_HOT], 'float32', 'w'), ArgumentTypeError, 'w: expected a dict from numbers of classes to '
     'weights, received [1, 2].'),
    (lambda: ClassWeight({0: np.inf}, [ONE_HOT], 'float32', 'w'), ArgumentTypeError, 'w: expected a dict from numbers of classes to '
     'weights, received {0: inf}.'),
    (lambda: ClassWeight({3: 1.}, [ONE_HOT], 'float32', 'w'), ArgumentError, 'w: expected classes from 0 to 2, received 3.'),
    (lambda: ClassWeight({2: 1.}, [BINARY], 'float32', 'w'), ArgumentError, 'w: expected classes from 0 to 1, received 2.'),
    (lambda: ClassWeight({0: 1.}, [ONE_HOT, BINARY], 'float32', 'w'), ArgumentError, 'w: expected a model with one output and one class for '
     'each sample, received y (None, 3), y (None, 1). Pass sample_weights instead.'),
    (lambda: ClassWeight({0: 1.}, [ArraySpec('y', (None, 5, 3), 'float32')], 'float32', 'w'), ArgumentError, 'w: expected a model with one output '
     'and one class for each sample, received y (None, 5, 3). Pass sample_weights instead.'),
    (lambda: ClassWeight({0: 1.}, [ONE_HOT], 'float32', 'w')(np.array([[1., 0, 0], [1, 1, 0]]), None, 'm: fit'), DataError,
     'm: fit: class_weight: expected a 1 for one class and else 0 in each target, received [1.0, 1.0, 0.0] in sample 1. Pass '
     'sample_weights instead.'),
    (lambda: ClassWeight({0: 1.}, [BINARY], 'float32', 'w')(np.array([[1.], [0.5]]), None, 'm: fit'), DataError,
     'm: fit: class_weight: expected 0 or 1 in each target, received [0.5] in sample 1. Pass sample_weights instead.')])
def test_a_mistake_in_weights_of_classes_is_answered_with_this_text(make, error, text):
    with pytest.raises(KeraFlowError) as caught:
        make()
    assert (type(caught.value), str(caught.value)) == (error, text)
