"""What is deprecated still works, warns at the program's line, and does not stay too long."""
import ast
import warnings
from pathlib import Path

import pytest

import keraflow
from keraflow.deprecation import deprecated, is_over
from keraflow.errors import ArgumentTypeError, KeraFlowDeprecationWarning, KeraFlowWarning
from keraflow.schema import PositiveInt
from keraflow.schema.checked import checked
from keraflow.serialization import unserialize
from keraflow.serialization.serializable import Serializable

ROOT = Path(keraflow.__file__).parent


@deprecated(since='0.2', removed_in='0.4', instead='double_all')
def double(x, times: int = 2):
    """Twice."""
    return x * times


class Text:
    @deprecated(since='0.2', removed_in='0.4', instead='text.upper')
    def shout(self):
        return 'A'

    @deprecated(since='0.2', removed_in='0.4', instead='times', argument='n')
    @deprecated(since='0.3', removed_in='0.5', instead='sign', argument='separator')
    @checked
    def repeat(self, text: str, times: PositiveInt = 2, sign: str = '') -> str:
        return sign.join([text] * times)


class Base(Serializable):
    kind = 'regularizer'

    @deprecated(since='0.2', removed_in='0.4', instead='factor', argument='scale')
    def __init__(self, factor: float = 1.):
        self.factor = factor


class Derived(Base):
    @deprecated(since='0.2', removed_in='0.4', instead='power', argument='exponent')
    def __init__(self, power: PositiveInt = 2, **kwargs):
        super().__init__(**kwargs)
        self.power = power


def test_a_function_works_and_says_what_to_write():
    with pytest.warns(KeraFlowDeprecationWarning) as told:
        assert double(3, times=4) == 12
    assert [str(one.message) for one in told] == [
        'double is deprecated since 0.2 and will be removed in 0.4. Use double_all.']
    assert told[0].filename == __file__
    assert issubclass(told[0].category, DeprecationWarning) and issubclass(told[0].category, KeraFlowWarning)
    assert (double.__name__, double.__doc__) == ('double', 'Twice.')


def test_a_method_says_its_class():
    with pytest.warns(KeraFlowDeprecationWarning, match='^Text.shout is deprecated since 0.2 and will be removed in 0.4. '
                                                        'Use text.upper.$'):
        assert Text().shout() == 'A'


def test_an_argument_is_handed_on_by_its_new_name():
    with pytest.warns(KeraFlowDeprecationWarning) as told:
        assert Text().repeat('a', n=3, separator='-') == 'a-a-a'
    assert [str(one.message) for one in told] == [
        "Text.repeat: the argument 'n' is deprecated since 0.2 and will be removed in 0.4. Use times.",
        "Text.repeat: the argument 'separator' is deprecated since 0.3 and will be removed in 0.5. Use sign."]
    assert Text().repeat('a', times=3, sign='-') == Text().repeat('a', 3, '-') == 'a-a-a'       # without a warning
    with pytest.raises(ArgumentTypeError) as caught:
        Text().repeat('a', n=3, times=3)
    assert str(caught.value) == "Text.repeat: the argument 'times' is given twice, once as 'n'."


def test_each_line_is_warned_once():
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter('default')
        for _ in range(3):
            double(1)
        double(1)
    assert len(told) == 2 and told[0].lineno + 1 == told[1].lineno


@pytest.mark.parametrize('make, old, new', [(Base, 'scale', 'factor'), (Derived, 'exponent', 'power'),
                                            (Derived, 'scale', 'factor')])
def test_an_argument_of_a_constructor(make, old, new):
    with pytest.warns(KeraFlowDeprecationWarning) as told:
        made = make(**{old: 3})
    owner = 'Derived' if old == 'exponent' else 'Base'
    assert [str(one.message) for one in told] == [
        f"{owner}: the argument '{old}' is deprecated since 0.2 and will be removed in 0.4. Use {new}."]
    assert getattr(made, new) == 3 and repr(made) == repr(make(**{new: 3}))
    for given in ({new: 3, old: 3}, {old: 3, new: 3}):
        with pytest.raises(ArgumentTypeError) as caught:
            make(**given)
        assert str(caught.value) == f"{make.__name__}: the argument '{new}' is given twice, once as '{old}'."


def test_a_file_with_an_old_name_is_read_without_a_warning():
    made = unserialize({'class': 'Derived', 'args': {'exponent': 3, 'scale': 2.}}, [Derived])
    assert (made.power, made.factor) == (3, 2.)


def test_from_the_version_that_removes_it_on_files_alone_have_the_old_name(monkeypatch):
    monkeypatch.setattr(keraflow, '__version__', '0.4.0')
    with pytest.raises(ArgumentTypeError) as caught:
        Base(scale=3.)
    assert str(caught.value) == "Base: there is no argument 'scale'. Choose one of factor."
    assert unserialize({'class': 'Derived', 'args': {'exponent': 3, 'scale': 2.}}, [Derived]).factor == 2.


def removals(text):
    """The versions that remove what is deprecated in a source, but for constructors."""
    return [keyword.value.value for function in ast.walk(ast.parse(text))
            if isinstance(function, ast.FunctionDef) and function.name != '__init__' for node in function.decorator_list
            if isinstance(node, ast.Call) and getattr(node.func, 'id', '') == 'deprecated'
            for keyword in node.keywords if keyword.arg == 'removed_in']


def test_nothing_stays_longer_than_was_said():
    assert sorted(removals(Path(__file__).read_text())) == ['0.4', '0.4', '0.4', '0.5']
    late = [f'{path.relative_to(ROOT)}: {version}' for path in ROOT.rglob('*.py') for version in removals(path.read_text())
            if is_over(version)]
    assert late == [], 'remove it'
