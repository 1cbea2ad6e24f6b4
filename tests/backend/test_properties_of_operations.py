"""What the definitions of operations say is true, and is what Kensors go by; the laws themselves run in ``tests/conformance``."""
import dataclasses
import warnings

import pytest

from keraflow import backend as B
from keraflow.backend.contract import METHODS, OPERATIONS, Backend
from keraflow.errors import KeraFlowWarning
from keraflow.layers import Input
from keraflow.testing import property_laws
from keraflow.testing.cases import CASES
from keraflow.testing.operands import Reshaped, operands_of
from keraflow.testing.property_laws import PROPERTY_LAWS, direct_cases

MOVES, REALS, MASKS, LAYOUTS = PROPERTY_LAWS
#: Public methods of the families of operations that compute no tensors, or not by themselves.
OTHERS = {'draw_hits', 'draw_normals', 'draw_reals', 'dtype', 'floatx', 'is_tensor', 'loop', 'ndim', 'next_draw', 'scan',
          'static_shape', 'without_layouts'}


def test_every_operation_has_a_record():
    families = [cls for cls in Backend.__mro__ if '.operations.' in cls.__module__ or cls.__module__.endswith('layouts')]
    assert len(families) > 8
    assert {name for cls in families for name in vars(cls) if name[0] != '_' and callable(vars(cls)[name])} - set(METHODS) == OTHERS
    assert OPERATIONS <= {name for name in METHODS if hasattr(Backend, name)}
    for name, method in METHODS.items():
        assert method.name == name and (not method.opposite or METHODS[method.opposite].opposite == name)


@pytest.mark.parametrize('law, name, said, text', [
    (MOVES, 'square', {'moves_values': True}, 'expected values of its operands from square(x), received ['),
    (REALS, 'abs', {'is_real': True}, 'expected a real result from abs(x), received int64.'),
    (REALS, 'sqrt', {'is_real': False}, 'expected integers or bools from sqrt(positive), received float'),
    (MASKS, 'flip', {'keeps_mask': True}, 'expected each time step at its place from flip(x, 0), received another one at [(1, 0)].'),
    (MASKS, 'transpose', {'keeps_mask': True}, None),
    (MASKS, 'sum', {'keeps_mask': True}, None),
    (LAYOUTS, 'tanh', {'keeps_layout': False}, 'expected none that tanh remembers, received one.'),
    (LAYOUTS, 'tile', {'keeps_layout': True}, 'expected one that tile remembers, received none.'),
])
def test_a_law_tells_what_is_said_wrongly(law, name, said, text, monkeypatch):
    monkeypatch.setattr(property_laws, 'CASES', [case for case in CASES if case.operation == name])
    law(B.current())
    monkeypatch.setitem(METHODS, name, dataclasses.replace(METHODS[name], **said))
    if text is None:        # of another shape, or along an axis that is named
        law(B.current())
    else:
        with pytest.raises(AssertionError) as caught:
            law(B.current())
        assert str(caught.value).startswith(text)


def test_a_kensor_has_the_mask_that_the_definition_says():
    cases = [case for case in direct_cases('f') if set(operands_of(case.args)) == {'x'} and not any(isinstance(it, Reshaped) for it in case.args)]
    assert len(cases) > 80
    x, kept = Input((3, 4), mask_value=0., batch_size=2), 0
    for case in cases:
        args = [x if it == 'x' else [x for _ in it] if operands_of(it) else it for it in case.args]
        method = METHODS[case.operation]
        if case.operation == 'histogram':
            continue        # which takes tensors and lists
        with warnings.catch_warnings():
            warnings.simplefilter('ignore', KeraFlowWarning)        # where a mask is lost
            y = getattr(B, case.operation)(*args, **case.kwargs)
        for one in y if isinstance(y, list) else [y]:
            keeps = method.leaves_steps(method.arguments(args, case.kwargs), 3) and one.shape[:2] == (2, 3)
            assert (one.mask_shape is not None) == keeps, case.label
            kept += keeps
    assert 40 < kept < len(cases)
