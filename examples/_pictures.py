"""Pictures of digits as text."""
import numpy as np

SHADES = ' .:-=+*#%@'


def show(pictures):
    """Print pictures of 8 x 8 numbers from 0 to 1 side by side."""
    for row in (np.clip(pictures, 0, 0.999).reshape(-1, 8, 8).transpose(1, 0, 2) * len(SHADES)).astype(int):
        print('  '.join(''.join(SHADES[shade] * 2 for shade in picture) for picture in row))
