"""Values and gradients of many functions in one compiled function, against NumPy and its central differences."""
import numpy as np

from keraflow import backend as B


def values_and_gradients(functions, arrays, weights):
    """For each name ``(f(x), gradient of sum(f(x) * weight))``, computed by the backend in one function."""
    names = list(functions)
    variables = [B.variable(arrays[name]) for name in names]

    def loss_fn():
        outputs = [functions[name](variable) for name, variable in zip(names, variables)]
        terms = [B.sum(output * B.constant(weights[name])) for name, output in zip(names, outputs)]
        return sum(terms[1:], terms[0]), outputs

    def builder():
        _, outputs, gradients = B.value_and_gradients(loss_fn, variables)
        return [*outputs, *gradients], []

    results = [np.asarray(result) for result in B.compile(builder, [])()]
    return dict(zip(names, zip(results[:len(names)], results[len(names):])))


def central_differences(function, x, weight, step=1e-6):
    """The gradient of ``sum(function(x) * weight)`` of a NumPy function."""
    gradient = np.zeros_like(x)
    for index in np.ndindex(x.shape):
        high, low = x.copy(), x.copy()
        high[index] += step
        low[index] -= step
        gradient[index] = np.sum((function(high) - function(low)) * weight) / (2 * step)
    return gradient


def check(functions, references, arrays):
    """Compare functions of the backend with NumPy's: values to 1e-9, gradients to 1e-6, both in float64."""
    expected = {name: references[name](arrays[name]) for name in functions}
    weights = {name: np.random.default_rng(7).normal(size=value.shape) for name, value in expected.items()}
    found = values_and_gradients(functions, arrays, weights)
    for name, (value, gradient) in found.items():
        assert value.dtype == gradient.dtype == 'float64' and value.shape == expected[name].shape, name
        np.testing.assert_allclose(value, expected[name], rtol=1e-9, atol=1e-12, err_msg=name)
        np.testing.assert_allclose(gradient, central_differences(references[name], arrays[name], weights[name]),
                                   rtol=1e-6, atol=1e-7, err_msg=name)
