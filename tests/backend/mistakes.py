"""Tables of mistakes: what makes one, the class of the error, its text."""
from keraflow.errors import KeraFlowError


def check(table):
    """Raise unless each mistake is answered with its text, and with no error of Python's or a library's own."""
    wrong = []
    for make, error, text in table:
        try:
            make()
            wrong.append(f'nothing was raised instead of: {text}')
        except KeraFlowError as caught:
            if type(caught) is not error or str(caught) != text:
                wrong.append(f'expected {error.__name__}: {text}\n   found {type(caught).__name__}: {caught}')
    assert not wrong, '\n'.join(wrong)
