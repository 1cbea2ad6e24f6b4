"""Functions run in threads at once, for tests."""
import contextlib
import sys
import threading


def at_once(*functions, timeout=120):
    """What the functions return, each run in a thread of its own; the first of their errors is raised."""
    found, errors, gate = [None] * len(functions), [], threading.Barrier(len(functions))

    def run(number, function):
        try:
            gate.wait(timeout)
            found[number] = function()
        except BaseException as error:      # also a failed assertion
            errors.append(error)
    threads = [threading.Thread(target=run, args=one, daemon=True) for one in enumerate(functions)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout)
    if errors:
        raise errors[0]
    assert not any(thread.is_alive() for thread in threads), 'a thread waits forever'
    return found


def elsewhere(function):
    """What a function returns in another thread."""
    return at_once(function)[0]


@contextlib.contextmanager
def switching(interval=1e-5):
    """Inside, Python changes threads as often as it can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(interval)
    try:
        yield
    finally:
        sys.setswitchinterval(before)
