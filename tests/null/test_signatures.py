"""What ``inspect.signature`` and ``help`` show of classes whose objects are rebuilt from their arguments."""
import inspect
import pydoc
import re
from typing import Annotated, Optional

import pytest

from keraflow import layers, optimizers, regularizers, schedules, schema
from keraflow.layers import Dense, Input, Layer
from keraflow.serialization.serializable import Serializable

CLASSES = [value for module in (layers, optimizers, regularizers, schedules) for value in vars(module).values()
           if inspect.isclass(value) and issubclass(value, Serializable)]

COMMON = ('name: Optional[Name] = None, trainable: bool = True, initial_weights: Any = None, '
          'regularizers: Regularizers = None, constraints: Constraints = None, '
          'activity_regularizer: Optional[Regularizer] = None, dtype: Optional[DType] = None, '
          'embedded_arguments: Optional[Dict[str, Dict[str, Any]]] = None')


def test_a_signature_has_the_arguments_of_base_classes():
    assert str(inspect.signature(Dense)) == (
        "(output_dim: PositiveInt, init: Initialization = 'glorot_uniform', activation: Activation = 'linear', "
        f'bias: bool = True, *, {COMMON})')
    assert str(inspect.signature(layers.Pooling2D)).startswith(
        "(mode: Literal['max', 'avg'], pool_size: Union[PositiveInt, Sequence[PositiveInt]] = (2, 2), "
        "strides: Union[PositiveInt, Sequence[PositiveInt], None] = None, ")
    assert str(inspect.signature(Input)) == (
        '(shape: Union[PositiveInt, Sequence[Optional[PositiveInt]]], *, batch_size: Optional[PositiveInt] = None, '
        'dtype: Optional[DType] = None, mask_value: Optional[float] = None, name: Optional[Name] = None)')


def test_help_shows_it():
    text = re.sub(r'[\s|]+', ' ', pydoc.plain(pydoc.render_doc(Dense)))      # Python 3.13 breaks its lines
    assert re.search(r'Dense\( ?output_dim: PositiveInt, init: Initialization', text)


@pytest.mark.parametrize('cls', CLASSES, ids=[cls.__name__ for cls in CLASSES])
def test_every_signature_is_short_and_lists_what_the_constructor_takes(cls):
    signature = inspect.signature(cls)
    assert list(signature.parameters) == list(schema.arguments_of(cls))
    assert not any(word in str(signature) for word in ('Annotated', 'object at', 'keraflow.', 'typing.', 'lambda'))


def test_a_class_of_the_program_has_one_too():
    class Grow(Layer):
        def __init__(self, factor: float, table: Optional[Annotated[int, 'of its own']] = None, **kwargs):
            super().__init__(**kwargs)

    assert str(inspect.signature(Grow)) == f'(factor: float, table: Optional[int] = None, *, {COMMON})'
    with pytest.raises(TypeError):
        inspect.signature(Grow).bind()
    assert inspect.signature(Grow).bind(2., name='grow').arguments == {'factor': 2., 'name': 'grow'}


def test_a_condition_shows_its_words():
    assert repr(schema.PositiveInt) == 'typing.Annotated[int, an integer of at least 1]'
