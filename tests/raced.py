"""The three goldens that no formula of an optimizer gives, explained in NumPy.

In the first steps of a run, the first Keraflow's TensorFlow backend wrote the new weights of the output layers while the
gradients of the hidden layers were still being computed from them: they came from the new weights. :func:`simulate` says
for each step whether this happened. The models have a hidden layer for each input, a concatenation of these, and output
layers; they are trained with SGD on the mean square error.
"""
import json
from pathlib import Path

import numpy as np

FOLDER = Path(__file__).parent / 'data' / 'goldens'
CASES = {case['name']: case for case in json.loads((FOLDER / 'index.json').read_text())['cases']}
#: The number of steps, from the first one on, in which the gradients came too late.
RACED = {'opt_sgd_nesterov': 2, 'opt_sgd_clipvalue': 2, 'multi_io': 1}

#: An activation, and its derivative from its value.
ACTIVATIONS = {'linear': (lambda z: z, np.ones_like), 'tanh': (np.tanh, lambda y: 1 - y * y),
               'sigmoid': (lambda z: 1 / (1 + np.exp(-z)), lambda y: y * (1 - y))}


def arrays_of(case, prefix):
    """The arrays of a golden whose names begin with a word, by the rest of their names."""
    with np.load(FOLDER / CASES[case]['arrays']) as arrays:
        return {key[len(prefix) + 1:]: arrays[key] for key in arrays if key.startswith(prefix + '/')}


def simulate(case, raced, nb_step):
    """Losses, weights and last moves of the weights after some steps, in float64; `raced` are the numbers of those in
    which the gradients of the hidden layers came from the new weights of the output layers."""
    config = json.loads((FOLDER / CASES[case]['config']).read_text())['params']
    activations = {layer['params']['name']: layer['params']['activation']['name']
                   for layer in config['layers'] if layer['class_name'] == 'Dense'}
    x, targets = arrays_of(case, 'input'), arrays_of(case, 'target')
    hidden = {layer: x[fed[0]] for fed, layer, _ in config['path'] if fed[0] in x}
    weights = {name: array.astype('float64') for name, array in arrays_of(case, 'weight').items()}
    last = {name: np.zeros_like(array) for name, array in weights.items()}
    losses = []
    for step in range(nb_step):
        old = dict(weights)

        def run(layer, fed):
            return ACTIVATIONS[activations[layer]][0](fed @ old[f'{layer}/W'] + old[f'{layer}/b'])

        def move(layer, fed, output, gradient):
            gradient = gradient * ACTIVATIONS[activations[layer]][1](output)
            for name, one in ((f'{layer}/W', fed.T @ gradient), (f'{layer}/b', gradient.sum(axis=0))):
                weights[name], last[name] = sgd(old[name], one, last[name], **CASES[case]['train']['optimizer']['args'])
            return gradient

        parts = {layer: run(layer, fed) for layer, fed in hidden.items()}
        joined, loss, behind = np.concatenate(list(parts.values()), axis=1), 0., 0.
        for layer, target in targets.items():
            output = run(layer, joined)
            loss += np.mean((output - target) ** 2)
            gradient = move(layer, joined, output, 2 * (output - target) / output.size)
            behind = behind + gradient @ (weights if step in raced else old)[f'{layer}/W'].T
        losses.append(loss)
        ends = np.cumsum([part.shape[1] for part in parts.values()])[:-1]
        for (layer, fed), gradient in zip(hidden.items(), np.split(behind, ends, axis=1)):
            move(layer, fed, parts[layer], gradient)
    return losses, weights, last


def sgd(p, g, v, lr, momentum=0., nesterov=False, clipvalue=np.inf):
    """The new value and move of a parameter."""
    g = np.clip(g, -clipvalue, clipvalue)
    v = momentum * v - lr * g
    return p + (momentum * v - lr * g if nesterov else v), v
