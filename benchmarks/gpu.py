"""Time training steps on a GPU through ``fit``, against steps written by hand in JAX, and products in two precisions.

The networks are those of ``train_step.py``, ``cnn.py`` and ``lstm.py``, and what their loops by hand do: one function
that ``jax.jit`` compiles, which writes new weights in the memory of the old ones. All samples are on the device before,
for both, and a step takes the numbers of those in its batch. Both take turns, and the ratios within a round count. Goal:
at most 1.10 times the loop. ``--device cpu`` runs it where there is no GPU. It needs JAX, NumPy, PyYAML and tqdm.
"""
import argparse
import os
import time

os.environ['KERAFLOW_BACKEND'] = 'jax'

import cnn  # noqa: E402
import lstm  # noqa: E402
import numpy as np  # noqa: E402
import train_step  # noqa: E402
from _hand_written import LR, jax_step  # noqa: E402
from _taking_turns import take_turns, trainer  # noqa: E402

from keraflow.optimizers import Adam  # noqa: E402

NB_ROUND, NB_BATCH = 9, 50


def find(name):
    """Return the device of JAX by a name such as ``'gpu'``, for the first one, or ``'gpu:1'``; None if it is not there."""
    kind, _, number = name.partition(':')
    try:
        import jax
        return jax.devices(kind)[int(number or 0)]
    except (ImportError, RuntimeError, IndexError):
        return None


def compare(title, module):
    """Measure and print for one of the benchmarks of a step."""
    import jax.numpy as jnp
    model, x, y, (logits, weights, own_x) = module.contest(NB_BATCH)
    model.compile(Adam(LR), 'categorical_crossentropy')
    step = jax_step(logits, [np.ascontiguousarray(it) for it in weights], own_x.shape[1:], (jnp.array(own_x), jnp.array(y)))
    numbers = np.arange(len(y))
    take_turns(f'{title}, Adam', trainer(model, x, y, module.BATCH_SIZE, 1), lambda rows, _: step(rows), numbers, numbers,
               module.BATCH_SIZE, nb_round=NB_ROUND)


def show_products(size, nb_call=20):
    """Print what a product of float32 takes, and how far off it is, in JAX's default precision and in that of float32."""
    import jax
    x, y = (np.random.default_rng(seed).normal(size=(size, size)).astype('float32') for seed in range(2))
    exact, largest = x.astype('float64') @ y, np.abs(x) @ np.abs(y)
    a, b = map(jax.numpy.array, (x, y))
    print(f'A product of matrices of {size} x {size} in float32, by jax_default_matmul_precision')
    for name in None, 'float32':
        with jax.default_matmul_precision(name):
            run = jax.jit(jax.numpy.dot)
            error = np.max(np.abs(np.asarray(run(a, b)) - exact) / largest)
            start = time.perf_counter()
            made = [run(a, b) for _ in range(nb_call)]
            made[-1].block_until_ready()
            print(f'{name or "default":8} {1000 * (time.perf_counter() - start) / nb_call:8.3f} ms, off by up to {error:.1e} of the magnitudes')


def main():
    """Measure and print, or say why not."""
    parser = argparse.ArgumentParser(description=__doc__.partition('\n')[0])
    parser.add_argument('--device', default='gpu', help="a device of JAX, such as 'gpu:1' or 'cpu' (default: the first GPU)")
    device = find(parser.parse_args().device)
    if device is None:
        print('Not measured: there is no GPU that JAX can use.')
        return
    import jax
    print(f'On {device.device_kind}, with JAX {jax.__version__}')
    with jax.default_device(device):
        show_products(4096 if device.platform == 'gpu' else 512)
        for title, module in (('an MLP', train_step), ('a CNN', cnn), ('an LSTM', lstm)):
            compare(title, module)


if __name__ == '__main__':
    main()
