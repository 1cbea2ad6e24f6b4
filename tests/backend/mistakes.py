"""Tables of mistakes: what makes one, the class of the error, its text."""
import numpy as np

from keraflow.errors import KeraFlowError
from keraflow.layers import Dense, Input
from keraflow.models import Model

X, Y = np.ones((4, 3), 'float32'), np.ones((4, 2), 'float32')


def plain(output_dim=2, **kwargs):
    x = Input(3, name='x', **kwargs)
    return Model(x, Dense(output_dim, name='y')(x), name='m')


def check(table):
    """Raise unless each mistake is answered with its text, and with no error of Python's or a library's own."""
    wrong = []
    for make, error, text in table:
        try:
            make()
            wrong.append(f'nothing was raised instead of: {text}')
        except KeraFlowError as caught:
            if type(caught) is not error or str(caught) != text or not issubclass(error, (ValueError, TypeError)):
                wrong.append(f'expected {error.__name__}: {text}\n   found {type(caught).__name__}: {caught}')
    assert not wrong, '\n'.join(wrong)
