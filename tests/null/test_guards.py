"""Guards: many threads read at a time or one changes, whoever waits is served in the order of coming."""
import signal
import threading
import time

import pytest
from threads import at_once, elsewhere, switching

from keraflow.graph.guards import Guard, held


def is_free(guard, changes, waiting=None):
    """Whether another thread gets a guard at once; if it does not, it is one of those that are `waiting`."""
    def take():
        with held([guard], changes):
            pass
    thread = threading.Thread(target=take, daemon=True)
    nb_before = len(guard._waiting)
    thread.start()
    while thread.is_alive() and len(guard._waiting) == nb_before:
        time.sleep(.001)
    if thread.is_alive() and waiting is not None:
        waiting.append(thread)
    return len(guard._waiting) == nb_before


@pytest.mark.parametrize('first, second, both', [(False, False, True), (False, True, False), (True, False, False), (True, True, False)])
def test_who_changes_is_alone(first, second, both):
    guard = Guard()
    with held([guard], first):
        assert is_free(guard, second) is both


def test_a_thread_may_hold_a_guard_again():
    guard, waiting = Guard(), []
    with held([guard], True), held([guard], False), held([guard], True):
        assert not is_free(guard, False, waiting)
    with held([guard], False):
        pass
    waiting[0].join()       # it has the guard now, and gives it back
    assert elsewhere(lambda: is_free(guard, True))


def test_who_waits_is_served_in_the_order_of_coming():
    guard, served, threads = Guard(), [], []

    def wait(name, changes):
        with held([guard], changes):
            served.append(name)
    with held([guard], False):
        for number, changes in enumerate([True, False, True, False, False]):
            threads.append(threading.Thread(target=wait, args=(number, changes), daemon=True))
            threads[-1].start()
            while len(guard._waiting) <= number:        # a reader waits behind one that changes, and does not overtake it
                threading.Event().wait(0.001)
    for thread in threads:
        thread.join(60)
    assert served[:3] == [0, 1, 2] and sorted(served[3:]) == [3, 4]


def test_who_changes_again_and_again_lets_others_in():
    guard, over, seen = Guard(), threading.Event(), []

    def change():
        while not over.is_set():
            with held([guard], True):
                sum(range(2000))

    def read():
        for _ in range(50):
            with held([guard], False):
                seen.append(True)
        over.set()
    at_once(change, read)
    assert len(seen) == 50


def test_a_thread_that_is_interrupted_leaves_the_queue():
    guard, entered, leave = Guard(), threading.Event(), threading.Event()

    def hold():
        with held([guard], True):
            entered.set()
            leave.wait(60)
    thread = threading.Thread(target=hold, daemon=True)
    thread.start()
    assert entered.wait(60)

    def press():
        while not guard._waiting:
            time.sleep(.01)
        time.sleep(.1)
        signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)
    threading.Thread(target=press, daemon=True).start()
    with pytest.raises(KeyboardInterrupt):
        guard.take(False)
    assert not guard._waiting
    leave.set()
    thread.join(60)
    assert is_free(guard, True)


def test_several_guards_are_taken_in_one_order_and_left_after_an_error():
    one, other, found = Guard(), Guard(), []

    def change(number):
        for _ in range(300):
            with held(sorted([one, other], key=lambda guard: guard.number), True):
                found.append(number)
                assert found[-1] == number
    with switching():
        at_once(lambda: change(0), lambda: change(1))
    with pytest.raises(ZeroDivisionError), held([one, other], True):
        raise ZeroDivisionError
    assert is_free(one, True) and is_free(other, True)
