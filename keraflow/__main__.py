"""``python -m keraflow`` is the command ``keraflow``."""
import sys

from keraflow.command import main

if __name__ == '__main__':
    sys.exit(main())
