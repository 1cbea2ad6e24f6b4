"""Pins: each file names every package that setup.cfg asks for, in a release within its range."""
import configparser
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
FILES = sorted((ROOT / 'pins').glob('*.txt'))


def test_the_pairs_that_are_tested_have_files():
    assert {'3.11-all', '3.13-tensorflow-jax', '3.13-none'} <= {file.stem for file in FILES}


@pytest.mark.parametrize('file', FILES, ids=[file.stem for file in FILES])
def test_what_setup_cfg_asks_for_is_pinned_within_its_range(file):
    version, *backends = file.stem.split('-')
    settings = configparser.ConfigParser()
    settings.read(ROOT / 'setup.cfg')
    extras = settings['options.extras_require']
    names = [*backends, 'examples', 'test', *(['test_jax'] if 'jax' in backends else [])]
    lines = '\n'.join([settings['options']['install_requires'], *(extras[name] for name in names if name != 'none')])
    asked = [Requirement(line) for line in lines.splitlines() if line.strip() and not line.startswith('#')]
    pinned = dict(line.split('==') for line in file.read_text().splitlines())
    pinned = {canonicalize_name(name): release for name, release in pinned.items()}

    def holds(one):
        return canonicalize_name(one.name) in pinned and pinned[canonicalize_name(one.name)] in one.specifier

    wrong = [str(one) for one in asked
             if (one.marker is None or one.marker.evaluate({'python_version': version})) and not holds(one)]
    assert not wrong, f'renew {file.name}: make newest pins'
    assert 'setuptools' in pinned                               # which builds keraflow


def test_the_checks_at_each_commit_are_those_of_make_lint_in_the_pinned_releases():
    hooks = [hook for repo in yaml.safe_load((ROOT / '.pre-commit-config.yaml').read_text())['repos'] for hook in repo['hooks']]
    recipe = (ROOT / 'Makefile').read_text().partition('\nlint:')[2].partition('\n\n')[0]
    assert [hook['id'] for hook in hooks] == [name for name in ('flake8', 'isort', 'mypy') if f'-m {name}' in recipe]
    pinned = (ROOT / 'pins' / '3.11-all.txt').read_text().splitlines()
    asked = [one for hook in hooks for one in hook['additional_dependencies']]
    assert len(asked) >= 3 and [one for one in asked if one not in pinned] == []
