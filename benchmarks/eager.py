"""What a function of the backend costs compared with its library's, on small tensors, outside any compiled function.

On Theano, which computes nothing before it compiles, and on NumPy and JAX, it is the cost of a node of a graph. Goal: it
does not grow. Times are those of the processor, so that other programs hardly count.
"""
import importlib
import time

import numpy as np

from keraflow import backend as B

#: Calls of B, and of the libraries by the same name unless another is given.
CALLS = {'add': lambda f, x: f(x, x), 'tanh': lambda f, x: f(x), 'sum': lambda f, x: f(x, -1),
         'dot': lambda f, x: f(x, x), 'reshape': lambda f, x: f(x, (2, 8))}
LIBRARIES = {'tensorflow': ('tensorflow', {'sum': 'reduce_sum', 'dot': 'matmul'}), 'theano': ('theano.tensor', {}), 'jax': ('jax.numpy', {}),
             'numpy': ('numpy', {})}


def microseconds(call, nb_call=500, nb_round=25):
    """The shortest of several rounds."""
    call()
    times = []
    for _ in range(nb_round):
        start = time.process_time()
        for _ in range(nb_call):
            call()
        times.append(1e6 * (time.process_time() - start) / nb_call)
    return min(times)


def main():
    """Measure and print."""
    x = B.constant(np.ones((4, 4)), 'float32')
    module, names = LIBRARIES[B.name()]
    library = importlib.import_module(module)
    takes_nodes = B.name() in ('tensorflow', 'theano')
    own_x = x if takes_nodes else library.array(np.ones((4, 4), 'float32'))
    print(f'Microseconds for each call, on {B.name()}')
    for name, call in CALLS.items():
        own_name = names.get(name, name)
        functions = getattr(B, name), getattr(library, own_name)
        ours, own = (microseconds(lambda: call(function, it)) for function, it in zip(functions, (x, own_x)))
        print(f'B.{name:8} {ours:7.1f}  {own_name:12} {own:7.1f}  {ours / own:5.2f} times')


if __name__ == '__main__':
    main()
