"""The program that ``to_python`` writes for each layer of the catalogue makes the same model."""
import pytest
from catalogue import COMPOSED, LAYERS

import keraflow
from keraflow.layers import Input
from keraflow.models import Model
from keraflow.shapes import unlist


@pytest.mark.filterwarnings('ignore:.*mask of its input is lost')
@pytest.mark.parametrize('name', [*LAYERS, *COMPOSED])
def test_a_program_for_each_layer(name):
    for sample in {**LAYERS, **COMPOSED}[name]:
        shapes = sample.input_shapes if isinstance(sample.input_shapes, list) else [sample.input_shapes]
        dtypes = sample.options.get('dtype')
        dtypes = dtypes if isinstance(dtypes, (list, tuple)) else [dtypes] * len(shapes)
        inputs = [Input(shape, dtype=dtype) for shape, dtype in zip(shapes, dtypes)]
        layer = sample.make()
        model = Model(inputs, layer(inputs if layer.multi_input else unlist(inputs)))
        program = model.to_python()
        made = {}
        exec(program, made)
        assert keraflow.serialize(made['model']) == keraflow.serialize(model)
        assert made['model'].to_python() == program
