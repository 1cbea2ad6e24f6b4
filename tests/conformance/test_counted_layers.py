"""What each layer computes can be counted: no operation of it has a length that is unknown when the lengths of its inputs are known."""
import pytest
from catalogue import LAYERS

from keraflow import backend as B
from keraflow.arguments import to_list
from keraflow.backend.contract import TensorSpec
from keraflow.backend.watching import watching
from keraflow.layers import Input
from keraflow.training.profiling.counting import Counter


@pytest.mark.filterwarnings('ignore:.*mask of its input is lost')
@pytest.mark.parametrize('sample', [pytest.param(one, id=f'{name}-{number}') for name, some in LAYERS.items() for number, one in enumerate(some)])
def test_all_operations_are_counted(sample):
    shapes = sample.input_shapes if isinstance(sample.input_shapes, list) else [sample.input_shapes]
    dtypes = to_list(sample.options.get('dtype'))
    fed = [Input(shape, dtype=dtype) for shape, dtype in zip(shapes, dtypes * (len(shapes) // len(dtypes)))]
    layer = sample.make()
    layer(fed if layer.multi_input else fed[0])

    def run(*tensors):
        counter = Counter(tensors, layer.trainable_variables)
        with B.phase('train'), watching(counter):
            layer.run(list(tensors))
        return counter.whole
    whole = B.trace(run, [TensorSpec((4, *(length or 5 for length in one.shape[1:])), one.dtype) for one in fed])
    assert whole.cost.nb_uncounted == 0 and whole.cost.flop >= 0
    assert [one.layer for one in whole.inner] == [layer]
    if layer.trainable_variables and whole.cost.flop:
        assert whole.cost.flop_backward > 0
