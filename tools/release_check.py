"""Build the distributions of a release from this folder, and test their content: ``make release-check``.

The source distribution has every file that git tracks. The wheel built from it has every module of the two packages,
with what type checkers and pages need, and nothing else. The tests of the former pass with the latter installed, in an
environment that has the packages of this one but not this folder.
"""
import argparse
import os
import subprocess
import sys
import tarfile
import tempfile
import venv
import zipfile
from pathlib import Path
from typing import Iterable, List, Optional, Set

ROOT = Path(__file__).parents[1]
#: Which part of setuptools makes which file in a folder, and prints its name.
BUILD = 'import sys; from setuptools import build_meta; print(build_meta.build_{kind}(sys.argv[1]))'
#: What git tracks but no distribution needs.
OF_GIT = {'.gitignore'}


def main() -> None:
    parser = argparse.ArgumentParser(usage='release_check.py [--out FOLDER] [arguments of pytest ...]')
    parser.add_argument('--out', type=Path, help='keep the two files in this folder')
    given, arguments = parser.parse_known_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        out = (given.out or folder / 'dist').resolve()
        out.mkdir(parents=True, exist_ok=True)
        source = build('sdist', ROOT, out)
        with tarfile.open(source) as archive:
            archive.extractall(folder, filter='data')
        unpacked = folder / source.name.removesuffix('.tar.gz')
        expected = tracked()
        if expected is None:
            print('git does not know this folder: whether the source distribution has all files is not checked.')
        else:
            compare('the source distribution', files_of(unpacked), expected - OF_GIT)
        wheel = build('wheel', unpacked, out)
        with zipfile.ZipFile(wheel) as archive:
            found = {name for name in archive.namelist() if '.dist-info/' not in name}
        compare('the wheel', found, modules_of(unpacked))
        python = environment(folder / 'environment', wheel)
        print(f'{source.name} and {wheel.name} are complete.', flush=True)
        done = subprocess.run([python, '-m', 'pytest', '-p', 'no:cacheprovider', *arguments], cwd=unpacked)
    sys.exit(done.returncode)


def build(kind: str, folder: Path, out: Path) -> Path:
    """Build the ``'sdist'`` or the ``'wheel'`` of a folder."""
    done = subprocess.run([sys.executable, '-c', BUILD.format(kind=kind), str(out)], cwd=folder, capture_output=True,
                          text=True)
    if done.returncode:
        sys.exit(done.stderr)
    return out / done.stdout.split()[-1]


def tracked() -> Optional[Set[str]]:
    """Return the files of the repository; ``None`` if there is none, as in an unpacked source distribution."""
    # Works even if the folder belongs to another user, as in a container.
    command = ['git', '-c', f'safe.directory={ROOT}', 'ls-files', '-z']
    try:
        done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    except OSError:         # no git
        return None
    if done.returncode:
        return None
    return {name for name in done.stdout.split('\0') if name and (ROOT / name).exists()}


def files_of(folder: Path) -> Set[str]:
    """Return the files that were packed, without what setuptools adds."""
    names = {path.relative_to(folder).as_posix() for path in folder.rglob('*') if path.is_file()}
    return {name for name in names if name != 'PKG-INFO' and not name.startswith('keraflow.egg-info/')}


def modules_of(folder: Path) -> Set[str]:
    """Return the files of the two packages, by the names under which they are installed."""
    packages = {'keraflow': Path('keraflow'), 'backends': Path('keraflow_backends')}
    return {(package / path.relative_to(folder / source)).as_posix() for source, package in packages.items()
            for path in (folder / source).rglob('*')
            if path.suffix in ('.py', '.pyi', '.css', '.js', '.npz') or path.name == 'py.typed'}


def compare(what: str, found: Set[str], expected: Set[str]) -> None:
    """Exit unless everything is there, and nothing else."""
    wrong = [*listing('lacks', expected - found), *listing('should not have', found - expected)]
    if wrong:
        sys.exit('\n'.join(f'{what} {line}' for line in wrong))


def listing(verb: str, names: Iterable[str]) -> List[str]:
    return [f'{verb} {name}' for name in sorted(names)]


def environment(folder: Path, wheel: Path) -> str:
    """Return the interpreter of an environment with the wheel, and with the packages of this one behind it."""
    venv.create(folder, symlinks=os.name != 'nt')
    [packages] = folder.glob('lib/python*/site-packages')
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(packages)
    # Path files in these folders are not read, so that the edited keraflow is not found.
    (packages / 'others.pth').write_text('\n'.join(path for path in sys.path if path.endswith('site-packages')))
    return str(folder / 'bin' / 'python')


if __name__ == '__main__':
    main()
