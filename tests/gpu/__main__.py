"""Run the tests of this folder where pytest is not installed: ``python tests/gpu``, or ``python tests/gpu --device cpu``."""
import argparse
import importlib
import sys
import time
import traceback
from pathlib import Path

from on_device import NO_DEVICE, find, running_on


def tests():
    """Return the tests by name."""
    modules = [importlib.import_module(file.stem) for file in sorted(Path(__file__).parent.glob('test_*.py'))]
    return {f'{module.__name__}::{name}': test for module in modules for name, test in vars(module).items() if name.startswith('test_')}


def failed(name, test, device):
    """Run a test, and tell of it; return whether it failed."""
    start, verdict = time.perf_counter(), 'passed'
    try:
        with running_on(device):
            test(device)
    except Exception:
        verdict = 'FAILED'
        traceback.print_exc()
    print(f'{verdict} {name} ({time.perf_counter() - start:.1f} s)', flush=True)
    return verdict == 'FAILED'


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--device', default='gpu', help="a device of JAX, such as 'gpu:1' or 'cpu' (default: the first GPU)")
    device = find(parser.parse_args().device)
    if device is None:
        print(f'skipped: {NO_DEVICE}')
        return 0
    print(f'on {device.device_kind}')
    verdicts = [failed(name, test, device) for name, test in tests().items()]
    print(f'{verdicts.count(False)} passed, {verdicts.count(True)} failed')
    return int(any(verdicts))


if __name__ == '__main__':
    sys.exit(main())
