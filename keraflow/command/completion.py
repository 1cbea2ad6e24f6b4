"""``keraflow completion``: scripts by which shells complete commands, options and names of files."""
import argparse
from typing import Any, Dict, List

from keraflow.command.parser import COMMANDS, FINE, make_parser

__all__ = ['completion']

_BASH = '''_keraflow() {{
    local word="${{COMP_WORDS[COMP_CWORD]}}" options="" words=""
    if [ "$COMP_CWORD" -eq 1 ]; then
        words="{commands}"
    else
        case "${{COMP_WORDS[1]}}" in
{cases}
        esac
    fi
    case "$word" in -*) words="$options" ;; esac
    COMPREPLY=($(compgen -W "$words" -- "$word"))
}}
complete -o default -F _keraflow keraflow
'''

_ZSH = '''#compdef keraflow
_keraflow() {{
    local -a commands words
    if (( CURRENT == 2 )); then
        commands=({commands})
        _describe command commands
        return
    fi
    case "$words[2]" in
{cases}
    esac
}}
compdef _keraflow keraflow
'''


def completion(arguments: Any) -> int:
    """Print the script of a shell."""
    print({'bash': _bash, 'zsh': _zsh, 'fish': _fish}[arguments.shell](_options()), end='')
    return FINE


class _Option:
    """An option or an argument with choices, as scripts need it."""

    def __init__(self, action: argparse.Action):
        self.names = list(action.option_strings)
        self.help = (action.help or '').replace("'", '').replace(':', ',').replace('[', '(').replace(']', ')')
        self.takes_value = action.nargs != 0
        self.choices = list(action.choices or ())


def _options() -> Dict[str, List[_Option]]:
    [commands] = [one for one in make_parser()._actions if isinstance(one, argparse._SubParsersAction)]
    return {name: [_Option(action) for action in parser._actions if action.option_strings or action.choices]
            for name, parser in commands.choices.items()}


def _bash(options: Dict[str, List[_Option]]) -> str:
    cases = []
    for name, its in options.items():
        words = ' '.join(word for one in its for word in one.names)
        choices = ' '.join(word for one in its if not one.names for word in one.choices)
        cases.append(f'            {name}) options="{words}" words="{choices}" ;;')
    return _BASH.format(commands=' '.join(options), cases='\n'.join(cases))


def _zsh(options: Dict[str, List[_Option]]) -> str:
    commands = ' '.join(f"'{one.name}:{one.line}'" for one in COMMANDS)
    cases = []
    for name, its in options.items():
        specs = [f"'{word}[{one.help}]{':value:_files' if one.takes_value else ''}'" for one in its
                 for word in one.names]
        choices = [choice for one in its if not one.names for choice in one.choices]
        rest = f"'*:word:({' '.join(choices)})'" if choices else "'*:file:_files'"
        cases.append(f'        {name}) _arguments {" ".join([*specs, rest])} ;;')
    return _ZSH.format(commands=commands, cases='\n'.join(cases))


def _fish(options: Dict[str, List[_Option]]) -> str:
    lines = [f"complete -c keraflow -n __fish_use_subcommand -f -a {one.name} -d '{one.line}'" for one in COMMANDS]
    for name, its in options.items():
        for one in its:
            words = ' '.join(f"-l {word[2:]}" if word.startswith('--') else f'-s {word[1:]}' for word in one.names)
            if not words:
                words = f"-f -a '{' '.join(one.choices)}'"
            value = ' -r' if one.takes_value and one.names else ''
            lines.append(f"complete -c keraflow -n '__fish_seen_subcommand_from {name}' {words}{value} "
                         f"-d '{one.help}'")
    return '\n'.join(lines) + '\n'
