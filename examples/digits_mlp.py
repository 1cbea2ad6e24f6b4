"""Learn to read handwritten digits, save what was learned, and use it under the other backend.

Run it with ``python examples/digits_mlp.py``; ``KERAFLOW_BACKEND=theano`` or ``KERAFLOW_BACKEND=tensorflow`` before it says
which backend learns. The digits are those of scikit-learn: 1,797 images of 8 x 8 pixels.
"""
import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits

from keraflow import backend as B
from keraflow.layers import Dense, Dropout, Input
from keraflow.models import Model

ARCHITECTURE, WEIGHTS = 'digits.yaml', 'digits.safetensors'
GOOD_ACCURACY = 0.95
SMALL_DIFFERENCE = 1e-5


def read_data():
    """Images as rows of 64 numbers from 0 to 1, and digits as rows with a 1 for the right one, for training and for testing."""
    digits = load_digits()
    images, answers = digits.data / 16, np.eye(10)[digits.target]
    order = np.random.default_rng(0).permutation(len(images))
    train, test = order[:1437], order[1437:]
    return images[train], answers[train], images[test], answers[test]


def make_model():
    """A network of three layers with parameters. Each layer takes a Kensor and returns a Kensor."""
    image = Input(64, name='image')
    hidden = Dense(128, activation='relu')(image)
    hidden = Dropout(0.2)(hidden)
    hidden = Dense(64, activation='relu')(hidden)
    digit = Dense(10, activation='softmax', name='digit')(hidden)
    return Model(inputs=image, outputs=digit)


def train(folder, nb_epoch):
    """Train a model, save it in the folder, and return its accuracy on images that it has not seen."""
    B.seed(1)       # the same initial weights and the same order of the images in each run
    x_train, y_train, x_test, y_test = read_data()
    model = make_model()
    model.summary()
    model.compile(optimizer='adam', loss='categorical_crossentropy', metrics=['acc'])
    model.fit(x_train, y_train, batch_size=32, nb_epoch=nb_epoch)
    accuracy = model.evaluate(x_test, y_test)['acc']
    print(f'Test accuracy on {B.name()}: {accuracy:.3f}')

    # The architecture is text that you can read; the weights are in a layout that other tools read too.
    model.save_to_file(folder / ARCHITECTURE, folder / WEIGHTS, overwrite=True)
    save_predictions(model, folder)
    return accuracy


def load(folder):
    """Make the model again from its two files alone."""
    save_predictions(Model.load_from_file(folder / ARCHITECTURE, folder / WEIGHTS), folder)


def save_predictions(model, folder):
    """Write what the model says of the test images into a file named after the backend."""
    x_test = read_data()[2]
    np.savez(folder / f'{B.name()}.npz', predictions=model.predict(x_test))


def compare(folder, other):
    """Load the model under the other backend, in a process of its own, and return the largest difference of the predictions."""
    print(f'Loading {ARCHITECTURE} and {WEIGHTS} on {other} ...', flush=True)
    subprocess.run([sys.executable, __file__, '--load-only', '--folder', folder],
                   env={**os.environ, 'KERAFLOW_BACKEND': other}, check=True)
    mine, theirs = (np.load(folder / f'{name}.npz')['predictions'] for name in (B.name(), other))
    difference = float(np.max(np.abs(mine - theirs)))
    print(f'Largest difference between the predictions on {B.name()} and on {other}: {difference:.1e}')
    return difference


def run(folder, nb_epoch, alone):
    """The whole example; whether all went well."""
    good = train(folder, nb_epoch) >= GOOD_ACCURACY
    if not good:
        print(f'The accuracy is below {GOOD_ACCURACY}.')
    others = [name for name in B.available() if name != B.name()]
    if not others:
        print(f'The predictions are not compared: no other backend than {B.name()} is installed.')
    for other in [] if alone else others:
        if not compare(folder, other) < SMALL_DIFFERENCE:
            print(f'The difference is not below {SMALL_DIFFERENCE}.')
            good = False
    return good


def main(argv=None):
    """Read the arguments and run; the exit status is 0 if all went well."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--nb-epoch', type=int, default=30, help='times to go through the training images (default: 30)')
    parser.add_argument('--folder', type=Path, help='where to put the files (default: a temporary folder)')
    parser.add_argument('--alone', action='store_true', help='do not load the model under the other backend')
    parser.add_argument('--load-only', action='store_true', help='only load the model in FOLDER and save its predictions there')
    args = parser.parse_args(argv)
    if args.load_only:
        load(args.folder)
        return 0
    with tempfile.TemporaryDirectory() as temporary:
        folder = args.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        return 0 if run(folder, args.nb_epoch, args.alone) else 1


if __name__ == '__main__':
    sys.exit(main())
