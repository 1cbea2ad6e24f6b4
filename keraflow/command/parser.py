"""What may be written on the command line. Nothing but argparse is imported, so that help comes at once."""
import argparse
from typing import Any, Callable, List, NamedTuple, Optional

from keraflow import __version__

__all__ = ['COMMANDS', 'DIFFERS', 'FINE', 'TROUBLE', 'Command', 'make_parser']

#: Exit codes. A command that compares ends as `diff` does.
FINE, DIFFERS, TROUBLE = 0, 1, 2

_CODES = 'Exit code: 0 if all went well, 2 after an error, which is one line on standard error.'
_COMPARES = 'Exit code: 0 if nothing differs, 1 if something does, 2 after an error, as of diff.'
_FILE = 'an architecture (.yaml, .yml, .json), weights or a training (.safetensors), or a whole model (.keraflow)'
_MODEL = 'an architecture (.yaml, .yml, .json) or a whole model (.keraflow)'


class Command(NamedTuple):
    """A command: its name, where its code is, a line about it, its help, and a function that adds its arguments."""

    name: str
    module: str
    line: str
    text: str
    add: Callable[[Any], None]


def make_parser() -> argparse.ArgumentParser:
    """Return the parser of the whole command line."""
    parser = _Parser(prog='keraflow', description='Look into files of keraflow, compare, convert and verify them.',
                     formatter_class=_Text, epilog='keraflow COMMAND --help tells more. No file is ever run: what a '
                     'file may name is keraflow\'s own, and what modules that you name with --module register.')
    parser.add_argument('--version', action='version', version=f'keraflow {__version__}')
    commands = parser.add_subparsers(metavar='COMMAND', dest='command', required=True, parser_class=_Parser)
    for one in COMMANDS:
        added = commands.add_parser(one.name, help=one.line, description=f'{one.line[0].upper()}{one.line[1:]}.',
                                    epilog=one.text, formatter_class=_Text, allow_abbrev=False)
        one.add(added)
        added.add_argument('--traceback', action='store_true', help='after an error, show where it was raised')
        added.set_defaults(run=one)
    return parser


class _Parser(argparse.ArgumentParser):
    """Tells of a wrong argument in one line, like of any other error."""

    def error(self, message: str) -> Any:
        self.exit(TROUBLE, f'{self.prog}: {message.rstrip(".")}. Write {self.prog} --help.\n')


class _Text(argparse.RawDescriptionHelpFormatter):
    """Keeps the lines of the text below the arguments, and gives these more room."""

    def __init__(self, prog: str):
        super().__init__(prog, max_help_position=30, width=100)


# -- arguments that several commands have ------------------------------------------------------------------------------

def _file(to: Any, name: str = 'file', help: str = _FILE, nargs: Optional[str] = None) -> None:
    to.add_argument(name, metavar=name.upper(), help=help, nargs=nargs)


def _json(to: Any) -> None:
    to.add_argument('--json', action='store_true', help='print JSON, for programs')


def _module(to: Any) -> None:
    to.add_argument('--module', action='append', default=[], metavar='NAME', type=_name,
                    help='import this module first, which registers classes that the file names (may be repeated)')


def _building(to: Any) -> None:
    to.add_argument('--weights', metavar='FILE', help='the weights, if they are in a file of their own (.safetensors)')
    _module(to)


def _backend(to: Any) -> None:
    to.add_argument('--backend', metavar='NAME', help='the backend to build on; by default as for any program')


def _output(to: Any, help: str, required: bool = False) -> None:
    to.add_argument('-o', '--output', metavar='FILE', required=required, help=help)


def _overwrite(to: Any) -> None:
    to.add_argument('--overwrite', action='store_true', help='replace a file that exists')


# -- the commands ------------------------------------------------------------------------------------------------------

def _inspect(to: Any) -> None:
    _file(to)
    _building(to)
    _json(to)


def _summary(to: Any) -> None:
    _file(to, help=_MODEL)
    _building(to)
    _backend(to)


def _plot(to: Any) -> None:
    _file(to, help=_MODEL)
    _output(to, 'what to write: a picture (.svg), or a page in which layers open (.html)', required=True)
    to.add_argument('--depth', type=_count, metavar='N', help='how many levels of layers inside layers are open '
                    '(all in a picture, none in a page)')
    _overwrite(to)
    _module(to)


def _verify(to: Any) -> None:
    _file(to, help=_MODEL)
    to.add_argument('--backends', metavar='A,B', help='the backends to compare with the first of them; one, and by '
                    'default each that is installed, is compared with numpy')
    _building(to)
    to.add_argument('--steps', type=_count, default=3, metavar='N', help='steps of training to compare (3)')
    to.add_argument('--floatx', choices=['float64', 'float32'], default='float64',
                    help='the dtype of real numbers (float64, in which rounding hides the least)')
    to.add_argument('--tolerance', type=_share, metavar='X', help='how much may differ, as a share of the largest '
                    'value of an array (1e-8 in float64, 1e-4 in float32)')
    to.add_argument('--save', metavar='FILE', help='keep the results of one backend (.safetensors)')
    to.add_argument('--against', metavar='FILE', help='compare with results that another environment kept')
    _overwrite(to)
    to.add_argument('-v', '--verbose', action='store_true', help='print all layers with their differences')
    _json(to)


def _count(text: str) -> int:
    if not text.isdecimal() or len(text) > 4:
        raise argparse.ArgumentTypeError(f'expected a number from 0 to 9999, received {text!r}')
    return int(text)


def _name(text: str) -> str:
    if not all(map(str.isidentifier, text.split('.'))):
        raise argparse.ArgumentTypeError(f'expected the name of a module, such as own.layers, received {text!r}')
    return text


def _share(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.
    if not 0 < value < 1:
        raise argparse.ArgumentTypeError(f'expected a number between 0 and 1, received {text!r}')
    return value


def _diff(to: Any) -> None:
    _file(to, 'a')
    _file(to, 'b', 'the other file, of any of these kinds')
    to.add_argument('--only', metavar='PARTS', help='compare these alone: model, settings, training, weights, with '
                    'commas between')
    _json(to)
    _module(to)


def _migrate(to: Any) -> None:
    _file(to, 'old', 'an architecture of an earlier format (.yaml, .yml, .json)')
    _file(to, 'new', 'where to write it in the format of today (.yaml, .yml, .json)')
    _module(to)


def _convert(to: Any) -> None:
    _file(to, 'old', _MODEL)
    _file(to, 'new', 'what to write: .yaml, .yml, .json, .keraflow, or .safetensors for the weights alone')
    _building(to)
    _overwrite(to)


def _schema(to: Any) -> None:
    _output(to, 'write it to a file instead of standard output')
    _overwrite(to)
    _module(to)


def _completion(to: Any) -> None:
    to.add_argument('shell', choices=['bash', 'zsh', 'fish'])


COMMANDS: List[Command] = [
    Command('inspect', 'inspecting', 'check a file, and print what it holds',
            'Everything is checked that reading the file would check before it builds anything: no backend is\n'
            'opened. Whether weights and the state of a training fit the model is found out when they are loaded.\n\n' +
            _CODES, _inspect),
    Command('summary', 'building', 'build a model, and print its layers, shapes, parameters and connections', _CODES,
            _summary),
    Command('plot', 'building', 'draw the graph of a model', _CODES, _plot),
    Command('verify', 'verifying', 'compare what a model computes on other backends with NumPy, layer by layer',
            'Forward, gradients and some steps of training are computed on data that are drawn, the same in each\n'
            'run, on each backend in a process of its own. A whole model is trained as it was compiled, and an\n'
            'architecture by SGD on the mean square error; without --weights its initial values are moved a little,\n'
            'so that no bias is 0. The first layer that differs is named: what it was computed from agrees. Backends\n'
            'that are in different environments are compared by way of a file:\n\n'
            '  keraflow verify model.keraflow --backends theano --save theano.safetensors\n'
            '  keraflow verify model.keraflow --backends tensorflow --against theano.safetensors\n\n' + _COMPARES,
            _verify),
    Command('diff', 'differing', 'print how two files differ, an edit a line',
            'A line begins with - for what only A has, with + for what only B has, and with ~ for what changed. An\n'
            'argument that is left out counts as its default. Weights are the same if all their bits are.\n\n'
            + _COMPARES, _diff),
    Command('migrate', 'rewriting', 'write an architecture of an earlier format in that of today',
            'The first Keraflow\'s files and those with renamed arguments can be migrated. They can also be read as\n'
            'they are. A file that exists is never replaced. Nothing is built.\n\n' + _CODES, _migrate),
    Command('convert', 'rewriting', 'write a model as another kind of file',
            'From and to .yaml, .json and .keraflow. To make a whole model of an architecture without --weights, '
            'initial\nvalues are drawn. An architecture made of a whole model has no weights: convert these, too.\n\n'
            '  keraflow convert model.keraflow model.yaml\n'
            '  keraflow convert model.keraflow model.safetensors\n'
            '  keraflow convert model.yaml model.keraflow --weights model.safetensors\n\n' + _CODES, _convert),
    Command('schema', 'editing', 'print the JSON Schema of architectures, by which editors check and complete them',
            'With --module it has the classes of the module, too.\n\n' + _CODES, _schema),
    Command('completion', 'completion', 'print a script that completes words in a shell',
            '  bash:  eval "$(keraflow completion bash)"             in ~/.bashrc\n'
            '  zsh:   eval "$(keraflow completion zsh)"              in ~/.zshrc, after compinit\n'
            '  fish:  keraflow completion fish > ~/.config/fish/completions/keraflow.fish\n\n' + _CODES, _completion)]
