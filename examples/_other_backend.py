"""What the examples have in common: they save what was learned, load it in other processes, under each
backend that is installed, and compare."""
import argparse
import inspect
import math
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from keraflow import backend as B
from keraflow.errors import DownloadError
from keraflow.models import Model

SMALL_DIFFERENCE = 1e-5


def run(train, nb_epoch, at_least=-math.inf, argv=None, file=None):
    """Run an example, and return its exit status: 0 if all went well.

    Parameters
    ----------
    train : function
        Takes the number of epochs, and the path of the data if there is a `file`. It returns the model, the samples to
        compare predictions on, and the score of the model.
    nb_epoch : int
        How often to go through the training samples, unless the command line says otherwise.
    at_least : float, optional
        The lowest acceptable score; any will do by default.
    argv : list of str, optional
        The command line.
    file : str, optional
        The name of the file of downloaded data, for which the command line may give another path.
    """
    parser = argparse.ArgumentParser(description=train.__globals__['__doc__'].splitlines()[0])
    parser.add_argument('--nb-epoch', type=int, default=nb_epoch, help=f'times to go through the training samples (default: {nb_epoch})')
    parser.add_argument('--folder', type=Path, help='where to put the files (default: a temporary folder)')
    parser.add_argument('--alone', action='store_true', help='do not load the model in other processes')
    parser.add_argument('--load-only', action='store_true', help='only load the model in FOLDER and save its predictions there')
    if file is not None:
        parser.add_argument('--path', help=f'a file {file} that is there already (default: it is downloaded once)')
    args = parser.parse_args(argv)
    program = Path(inspect.getfile(train))
    if args.load_only:
        load(program, args.folder)
        return 0

    B.seed(1)       # the same initial weights and order of samples in each run
    try:
        model, samples, score = train(args.nb_epoch) if file is None else train(args.nb_epoch, args.path)
    except (DownloadError, FileNotFoundError) as error:
        print(f'The data are not there. {error}\nRun it with --path FILE, where FILE is a {file} that you have.')
        return 1
    good = score >= at_least
    if not good:
        print(f'{score:.3f} is not enough: expected at least {at_least}.')
    with tempfile.TemporaryDirectory() as temporary:
        folder = args.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        save(model, samples, program, folder)
        return 0 if (args.alone or compare(program, folder)) and good else 1


def paths(program, folder):
    """Return the paths of the model: its architecture, a readable text, and its weights, in a layout that other tools read."""
    return folder / f'{program.stem}.yaml', folder / f'{program.stem}.safetensors'


def save(model, samples, program, folder):
    """Write the model, the samples, and its predictions for them."""
    model.save_to_file(*paths(program, folder), overwrite=True)
    np.save(folder / 'samples.npy', samples)
    np.save(folder / 'predictions.npy', model.predict(samples))


def load(program, folder):
    """Rebuild the model from its two files alone, and write its predictions for the samples to a file named after the backend."""
    model = Model.load_from_file(*paths(program, folder))
    np.save(folder / f'{B.name()}.npy', model.predict(np.load(folder / 'samples.npy')))


def compare(program, folder):
    """Load the model in other processes, one for each backend; return whether the predictions are the same."""
    expected = np.load(folder / 'predictions.npy')
    differences = []
    for name in [B.name(), *(other for other in B.available() if other != B.name())]:
        print(f'Loading {" and ".join(path.name for path in paths(program, folder))} in another process, on {name} ...', flush=True)
        # Run the program itself, because it registers the layers that it defines.
        subprocess.run([sys.executable, program, '--load-only', '--folder', folder],
                       env={**os.environ, 'KERAFLOW_BACKEND': name}, check=True)
        differences.append(float(np.max(np.abs(expected - np.load(folder / f'{name}.npy')))))
        print(f'Largest difference between the predictions on {B.name()} and there: {differences[-1]:.1e}')
        if not differences[-1] < SMALL_DIFFERENCE:
            print(f'The difference is not below {SMALL_DIFFERENCE}.')
    return all(difference < SMALL_DIFFERENCE for difference in differences)
