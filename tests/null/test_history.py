"""What fit returns: a list that is also a table and a picture. No backend is opened."""
import sys
import xml.etree.ElementTree

import pytest

from keraflow.callbacks import (Callback, CSVLogger, EarlyStopping, History, LearningRateScheduler, ModelCheckpoint,
                                ReduceLROnPlateau, TensorBoard)
from keraflow.errors import ArgumentError, ArgumentTypeError, KeraFlowError, MissingPackageError


def made():
    history = History()
    history.extend([{'loss': 3., 'acc': 0.5, 'val_loss': 4., 'val_acc': 0.25}, {'loss': 2., 'acc': 0.75, 'val_loss': 3.5, 'val_acc': 0.5}])
    return history


def test_it_is_a_list_of_dicts_with_columns():
    history = made()
    assert isinstance(history, list) and history == [dict(logs) for logs in history]
    assert history.names == ['loss', 'acc', 'val_loss', 'val_acc']
    assert history.column('val_loss') == [4., 3.5]
    assert History() == [] and History().column('loss') == [] and History().names == []


def test_a_curve_for_each_name_beside_that_of_the_validation():
    figure = made().plot()
    assert [axes.get_title() for axes in figure.axes] == ['loss', 'acc']
    for axes, lines in zip(figure.axes, ([('training', [3, 2]), ('validation', [4, 3.5])], [('training', [.5, .75]), ('validation', [.25, .5])])):
        assert [(line.get_label(), list(line.get_ydata())) for line in axes.lines] == lines
        assert all(list(line.get_xdata()) == [1, 2] for line in axes.lines)
        assert axes.get_xlabel() == 'epoch'
    history = History()
    history.append({'loss': 1.})
    (axes,) = history.plot().axes
    assert [line.get_label() for line in axes.lines] == ['training']


def test_a_picture_is_written_whole_and_the_svg_is_the_same_each_time(tmp_path):
    svg, png = tmp_path / 'h.svg', tmp_path / 'h.png'
    made().plot(svg)
    made().plot(png)
    assert png.read_bytes().startswith(b'\x89PNG\r\n\x1a\n')
    assert xml.etree.ElementTree.fromstring(svg.read_bytes()).tag == '{http://www.w3.org/2000/svg}svg'
    made().plot(tmp_path / 'again.svg')
    assert svg.read_bytes() == (tmp_path / 'again.svg').read_bytes()
    with pytest.raises(FileExistsError):
        made().plot(svg)
    made().plot(svg, overwrite=True)
    assert 'matplotlib.pyplot' not in sys.modules or not sys.modules['matplotlib.pyplot'].get_fignums()


MISTAKES = [
    (lambda: made().column('los'), ArgumentError, "History: there is no 'los'. Did you mean 'loss'?"),
    (lambda: made().plot('h.pdf'), ArgumentError, "History.plot: path: expected a name that ends with .png or .svg, received 'h.pdf'."),
    (lambda: History().plot(), ArgumentError, 'History.plot: there is no complete epoch to draw.'),
    (lambda: EarlyStopping(patience=-1), ArgumentError, 'EarlyStopping: patience: expected an integer of at least 0, received -1.'),
    (lambda: EarlyStopping(mode='up'), ArgumentTypeError, "EarlyStopping: mode: expected one of 'auto', 'min', 'max', received 'up'."),
    (lambda: EarlyStopping(min_delta=float('nan')), ArgumentError,
     'EarlyStopping: min_delta: expected a number of at least 0, received nan.'),
    (lambda: EarlyStopping(patients=3), ArgumentTypeError, "EarlyStopping: there is no argument 'patients'. Did you mean 'patience'?"),
    (lambda: ReduceLROnPlateau(factor=1.), ArgumentError,
     'ReduceLROnPlateau: factor: expected a number above 0 and below 1, received 1.0.'),
    (lambda: LearningRateScheduler(0.1), ArgumentTypeError, 'LearningRateScheduler: schedule: expected a function from the '
     'epoch alone to a rate, received 0.1.'),
    (ModelCheckpoint, ArgumentTypeError, 'ModelCheckpoint: expected a path for weights, arch or both, received none.'),
    (lambda: ModelCheckpoint(3), ArgumentTypeError, 'ModelCheckpoint: path: expected a path or None, received 3.'),
    (lambda: CSVLogger(), ArgumentTypeError, "CSVLogger: the argument 'path' is missing: a path."),
    (lambda: CSVLogger('log.csv', separator=', '), ArgumentError, "CSVLogger: separator: expected one character, neither a quote nor the "
     "end of a line, received ', '."),
    (lambda: CSVLogger('log.csv', separator='"'), ArgumentError, "CSVLogger: separator: expected one character, neither a quote nor the end of "
     "a line, received '\"'."),
]


@pytest.mark.parametrize('make, error, text', MISTAKES, ids=[str(number) for number in range(len(MISTAKES))])
def test_a_mistake_is_answered_with_this_text(make, error, text):
    with pytest.raises(KeraFlowError) as caught:
        make()
    assert (type(caught.value), str(caught.value)) == (error, text)


@pytest.mark.parametrize('module, make, text', [
    ('tensorboard.compat.proto.event_pb2', lambda: TensorBoard('logs'), 'TensorBoard needs tensorboard ({}). Run: pip install '
     '"keraflow[tensorboard]".'),
    ('matplotlib.figure', lambda: made().plot(), 'History.plot needs matplotlib ({}). Run: pip install "keraflow[plot]".')])
def test_a_package_that_is_missing_is_reported_with_what_brings_it(module, make, text, monkeypatch):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(MissingPackageError) as caught:
        make()
    assert str(caught.value) == text.format(caught.value.__cause__) and isinstance(caught.value, ImportError)


def test_a_callback_of_ones_own_takes_any_arguments():
    class Own(Callback):
        def __init__(self, *args, **kwargs):
            self.args = args, kwargs

    assert Own(1, 2, three=3).args == ((1, 2), {'three': 3})


def test_no_file_can_name_a_callback():
    import keraflow
    for name in ('EarlyStopping', 'ModelCheckpoint', 'keraflow.callbacks.CSVLogger'):
        with pytest.raises(KeraFlowError):
            keraflow.unserialize({'class': name, 'args': {}})
