"""A program that trains and is killed with SIGKILL, and one that resumes its training and compares: see `resumed`.

``python killed.py BACKEND FOLDER JSON`` with the arguments of :func:`main`.
"""
import json
import os
import random
import signal
import sys
import threading
import time
import warnings
from pathlib import Path

__all__ = ['main']


def main(backend, folder, is_victim, data, optimizer, by_batch, execution, every, nb_step, seconds):
    """Train until the program is killed: after `nb_step` batches, or so many seconds after the first one; or go on, and
    tell whether the result is that of a training that was not killed."""
    from resumed import fit, made, result, uninterrupted

    import keraflow
    from keraflow import backend as B
    from keraflow.callbacks import ModelCheckpoint
    from keraflow.errors import KeraFlowWarning
    from keraflow.training.loop import Loop
    warnings.simplefilter('error', KeraFlowWarning)
    B.use(backend)
    path, kept = folder / 't.safetensors', ModelCheckpoint(folder / 't.safetensors', every=every, keep=2)
    if is_victim:
        pause = Loop._pause

        def killing(self, is_end=False):
            pause(self, is_end)
            if self.at.nb_step == nb_step:
                kill()
            if self.at.nb_step == 1 and seconds is not None:
                threading.Thread(target=lambda: (time.sleep(seconds), kill()), daemon=True).start()
        Loop._pause = killing
        keraflow.seed(1)
        fit(made(optimizer, execution=execution), data, folder, optimizer, by_batch, [kept])
        kill()      # it was too fast
    expected_in = folder / 'alone'
    expected_in.mkdir()
    expected = uninterrupted(data, expected_in, optimizer, by_batch, execution=execution)
    keraflow.seed(2 if path.exists() else 1)       # else it was killed before the first file, and begins again
    (folder / 'log.csv').touch() if path.exists() else (folder / 'log.csv').unlink(missing_ok=True)
    model = made(optimizer, execution=execution)
    found = result(model, *fit(model, data, folder, optimizer, by_batch, [kept], resume=path if path.exists() else None), folder)
    print(json.dumps([found == expected, {key: [found[key], expected[key]] for key in found if found[key] != expected[key]}]))


def kill():
    os.kill(os.getpid(), signal.SIGKILL)


def drawn(rng: random.Random, every: int):
    """When to kill: after a batch, or at any moment, in the middle of saving, too."""
    return {'every': every, **({'nb_step': rng.randint(1, 16), 'seconds': None} if rng.random() < 0.7 else
                               {'nb_step': 0, 'seconds': rng.random() * 0.3})}


if __name__ == '__main__':
    sys.path.insert(0, str(Path(__file__).parent))
    main(sys.argv[1], Path(sys.argv[2]), **json.loads(sys.argv[3]))
