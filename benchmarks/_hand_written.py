"""Hand-written training for each backend, for the benchmarks to compare with.

``make_step[backend](logits, weights, shape)`` returns a function from a batch to its loss that also updates the weights
by one step of Adam. ``logits(params, x)`` is the network in the backend's own functions, such as ``mlp[backend]``:
`params` are variables of the backend with the arrays `weights`, `shape` is that of one sample. A softmax and a
cross-entropy follow. NumPy has no gradients: there ``logits`` returns a function beside its output, from the gradient of
that to the gradients of `params`. ``train`` is the loop around such a step.
"""
import numpy as np

# A rate so small that no unit dies. The moments of a dead unit decay to denormal numbers, with which a processor
# computes ten times slower unless it flushes them to 0, as TensorFlow makes it do and Theano does not.
LR, BETA_1, BETA_2, EPSILON = 1e-5, 0.9, 0.999, 1e-8


def tensorflow_step(logits, weights, shape):
    import tensorflow as tf
    params = [tf.Variable(it) for it in weights]
    means = [tf.Variable(tf.zeros_like(it)) for it in params]
    squares = [tf.Variable(tf.zeros_like(it)) for it in params]
    t = tf.Variable(0.)

    @tf.function(autograph=False, input_signature=[tf.TensorSpec((None, *shape)), tf.TensorSpec((None, len(weights[-1])))])
    def step(x, y):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(y, logits(params, x)))
        gradients = tape.gradient(loss, params)
        t.assign_add(1.)
        lr = LR * tf.sqrt(1 - BETA_2 ** t) / (1 - BETA_1 ** t)
        for p, g, m, v in zip(params, gradients, means, squares):
            m.assign(BETA_1 * m + (1 - BETA_1) * g)
            v.assign(BETA_2 * v + (1 - BETA_2) * tf.square(g))
            p.assign_sub(lr * m / (tf.sqrt(v) + EPSILON))
        return loss

    return lambda x, y: step(tf.constant(x), tf.constant(y))


def theano_step(logits, weights, shape):
    import theano
    import theano.tensor as T
    params = [theano.shared(it) for it in weights]
    means = [theano.shared(np.zeros_like(it)) for it in weights]
    squares = [theano.shared(np.zeros_like(it)) for it in weights]
    t = theano.shared(np.float32(0))
    x, y = T.TensorType('float32', (False,) * (len(shape) + 1))(), T.fmatrix()
    loss = T.nnet.categorical_crossentropy(T.nnet.softmax(logits(params, x)), y).mean()
    lr = LR * T.sqrt(1 - BETA_2 ** (t + 1)) / (1 - BETA_1 ** (t + 1))
    updates = [(t, t + 1)]
    for p, g, m, v in zip(params, T.grad(loss, params), means, squares):
        new_m, new_v = BETA_1 * m + (1 - BETA_1) * g, BETA_2 * v + (1 - BETA_2) * T.sqr(g)
        updates += [(m, new_m), (v, new_v), (p, p - lr * new_m / (T.sqrt(new_v) + EPSILON))]
    return theano.function([x, y], loss, updates=[(old, T.cast(new, 'float32')) for old, new in updates])


def jax_step(logits, weights, shape, samples=None):
    """Return a step of a function that ``jax.jit`` compiles, and to which it gives the memory of what it changes.

    If `samples` are given, all of `x` and `y` as arrays of JAX, a step takes the numbers of those in a batch.
    """
    import jax
    import jax.numpy as jnp

    def loss_of(params, x, y):
        return -jnp.mean(jnp.sum(y * jax.nn.log_softmax(logits(params, x)), -1))

    def new_state(state, x, y):
        params, means, squares, t = state
        loss, gradients = jax.value_and_grad(loss_of)(params, x, y)
        t = t + 1
        lr = LR * jnp.sqrt(1 - BETA_2 ** t) / (1 - BETA_1 ** t)
        means = [BETA_1 * m + (1 - BETA_1) * g for m, g in zip(means, gradients)]
        squares = [BETA_2 * v + (1 - BETA_2) * jnp.square(g) for v, g in zip(squares, gradients)]
        params = [p - lr * m / (jnp.sqrt(v) + EPSILON) for p, m, v in zip(params, means, squares)]
        return (params, means, squares, t), loss

    one = jax.jit(new_state, donate_argnums=0)
    of_rows = jax.jit(lambda state, x, y, rows: new_state(state, x[rows], y[rows]), donate_argnums=0)
    state = [jnp.array(it) for it in weights], *([jnp.zeros_like(it) for it in weights] for _ in range(2)), jnp.zeros(())

    def step(x, y):
        nonlocal state
        state, loss = one(state, x, y)
        return loss

    def step_of_rows(rows):
        nonlocal state
        state, loss = of_rows(state, *samples, rows)
        return loss
    return step if samples is None else step_of_rows


def numpy_step(logits, weights, shape):
    params = [it.copy() for it in weights]
    means, squares = ([np.zeros_like(it) for it in weights] for _ in range(2))
    t = 0

    def step(x, y):
        nonlocal t
        made, backward = logits(params, x)
        made = made - made.max(-1, keepdims=True)
        powers = np.exp(made)
        sums = powers.sum(-1, keepdims=True)
        loss = -np.sum(y * (made - np.log(sums))) / len(y)
        t += 1
        lr = LR * (1 - BETA_2 ** t) ** 0.5 / (1 - BETA_1 ** t)
        for p, g, m, v in zip(params, backward((powers / sums - y) / len(y)), means, squares):
            m *= BETA_1
            m += (1 - BETA_1) * g
            v *= BETA_2
            v += (1 - BETA_2) * np.square(g)
            p -= lr * m / (np.sqrt(v) + EPSILON)
        return loss
    return step


make_step = {'tensorflow': tensorflow_step, 'theano': theano_step, 'jax': jax_step, 'numpy': numpy_step}


def tensorflow_mlp(params, x, drop=lambda x: x):
    import tensorflow as tf
    for W, b in zip(params[:-2:2], params[1:-2:2]):
        x = drop(tf.nn.relu(x @ W + b))
    return x @ params[-2] + params[-1]


def theano_mlp(params, x):
    import theano.tensor as T
    for W, b in zip(params[:-2:2], params[1:-2:2]):
        x = T.nnet.relu(T.dot(x, W) + b)
    return T.dot(x, params[-2]) + params[-1]


def jax_mlp(params, x):
    import jax
    for W, b in zip(params[:-2:2], params[1:-2:2]):
        x = jax.nn.relu(x @ W + b)
    return x @ params[-2] + params[-1]


def numpy_mlp(params, x):
    inputs = [x]
    for W, b in zip(params[:-2:2], params[1:-2:2]):
        inputs.append(np.maximum(inputs[-1] @ W + b, 0))

    def backward(gradient):
        gradients = []
        for number, one in reversed(list(enumerate(inputs))):
            gradients[:0] = [one.T @ gradient, gradient.sum(0)]
            if number:
                gradient = (gradient @ params[2 * number].T) * (one > 0)
        return gradients
    return inputs[-1] @ params[-2] + params[-1], backward


mlp = {'tensorflow': tensorflow_mlp, 'theano': theano_mlp, 'jax': jax_mlp, 'numpy': numpy_mlp}


def train(step, x, y, batch_size, nb_epoch, seed):
    """Train `nb_epoch` epochs of shuffled batches, and return the mean loss of the last one."""
    generator = np.random.default_rng(seed)
    for _ in range(nb_epoch):
        order = generator.permutation(len(y))
        parts = [order[start:start + batch_size] for start in range(0, len(y), batch_size)]
        losses = [step(x[part], y[part]) for part in parts]
    # Read only at the end of an epoch, which is cheapest.
    return float(np.mean([np.asarray(loss) for loss in losses]))
