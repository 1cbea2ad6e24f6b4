"""Pins: each file names every package that setup.cfg asks for, in a release within its range."""
import configparser
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
FILES = sorted((ROOT / 'pins').glob('*.txt'))


def test_the_pairs_that_are_tested_have_files():
    assert {'3.11-all', '3.13-tensorflow'} <= {file.stem for file in FILES}


@pytest.mark.parametrize('file', FILES, ids=[file.stem for file in FILES])
def test_what_setup_cfg_asks_for_is_pinned_within_its_range(file):
    version, extra = file.stem.split('-')
    settings = configparser.ConfigParser()
    settings.read(ROOT / 'setup.cfg')
    extras = settings['options.extras_require']
    lines = '\n'.join([settings['options']['install_requires'], *(extras[name] for name in (extra, 'examples', 'test'))])
    asked = [Requirement(line) for line in lines.splitlines() if line.strip() and not line.startswith('#')]
    pinned = dict(line.split('==') for line in file.read_text().splitlines())
    pinned = {canonicalize_name(name): release for name, release in pinned.items()}

    def holds(one):
        return canonicalize_name(one.name) in pinned and pinned[canonicalize_name(one.name)] in one.specifier

    wrong = [str(one) for one in asked
             if (one.marker is None or one.marker.evaluate({'python_version': version})) and not holds(one)]
    assert not wrong, f'renew {file.name}: make newest pins'
    assert 'setuptools' in pinned                               # which builds keraflow
