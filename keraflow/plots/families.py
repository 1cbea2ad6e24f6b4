"""The families of layers, and their colours in a light and in a dark surrounding."""
from typing import Dict, NamedTuple, Tuple

__all__ = ['DARK', 'FAMILIES', 'Family', 'LIGHT', 'Page', 'family_of']


class Page(NamedTuple):
    """The colours of a picture that are those of no family.

    Attributes
    ----------
    page, text, quiet, line, pill : str
        Of the background, the text, less important text, lines, and the background of remarks.
    """

    page: str
    text: str
    quiet: str
    line: str
    pill: str


LIGHT = Page('#ffffff', '#1c2430', '#56606e', '#76808d', '#e3e7ec')
DARK = Page('#14181d', '#e8ecf1', '#a6b0bc', '#8b95a2', '#3a424c')


class Family(NamedTuple):
    """What a family is called in a legend, and its colours: of the box, of its edge, and of the name of the class.

    All have the same lightness and, but for quiet families, the same chroma in the colour space OKLCH, so that no
    family is more important than another, and all text has a contrast of at least 4.5 to 1.
    """

    label: str
    light: Tuple[str, str, str]
    dark: Tuple[str, str, str]


#: In the order of a legend.
FAMILIES: Dict[str, Family] = {
    'input': Family('input', ('#f1f5f9', '#818fa1', '#4b5665'), ('#272a2f', '#758191', '#bec8d5')),
    'embedding': Family('embedding', ('#fcf4e0', '#ab8919', '#695200'), ('#322910', '#9a7d22', '#ddc587')),
    'dense': Family('dense', ('#eef5fe', '#5690d8', '#255691'), ('#1c2b3f', '#5182c1', '#a2cafe')),
    'convolution': Family('convolution', ('#e6faf0', '#3ba37c', '#056548'), ('#163025', '#3c9371', '#98d8bb')),
    'pooling': Family('pooling', ('#e4f9fe', '#0a9eb8', '#026071'), ('#112f36', '#1e8fa5', '#8cd5e6')),
    'recurrent': Family('recurrent', ('#fff2e9', '#c7773b', '#824103'), ('#3a2415', '#b26d3a', '#f3b992')),
    'attention': Family('attention', ('#fff0f6', '#c56c98', '#81385e'), ('#3a212d', '#b16389', '#f3b1cf')),
    'normalization': Family('normalization', ('#eef9e5', '#749c45', '#406113'), ('#232e18', '#6a8d43', '#b5d398')),
    'activation': Family('activation', ('#fef1f0', '#cf6d66', '#883835'), ('#3d221f', '#b9645e', '#fab2ac')),
    'noise': Family('dropout, noise', ('#f5f3fa', '#9188a5', '#585168'), ('#2b2930', '#837b94', '#cac3d8')),
    'merging': Family('merging', ('#faf0ff', '#aa75c2', '#6c407f'), ('#322438', '#996bad', '#dcb7ee')),
    'shaping': Family('shape', ('#eef6fa', '#7492a5', '#405968'), ('#232b30', '#6a8494', '#b6cbd8')),
    'operation': Family('operation', ('#f3f5f7', '#878f97', '#50565d'), ('#282a2d', '#7a8188', '#c2c8ce')),
    'group': Family('layers of layers', ('#f2f4fe', '#7f84d8', '#4a4c90'), ('#26283f', '#7478c1', '#bcc2fe')),
    'other': Family('other', ('#f9f3ee', '#9f8971', '#63523e'), ('#2f2922', '#8f7d68', '#d4c4b3'))}

#: The families by module of ``keraflow.layers`` or ``keraflow.models``.
_OF_MODULES = {
    'input': 'input', 'embedding': 'embedding', 'convolutional': 'convolution', 'convolution_variants': 'convolution',
    'spatial': 'convolution', 'pooling': 'pooling', 'unsampling': 'pooling', 'recurrent': 'recurrent',
    'attention': 'attention', 'normalization': 'normalization', 'learned_activations': 'activation', 'noise': 'noise',
    'merging': 'merging', 'shaping': 'shaping', 'padding': 'shaping', 'masking': 'shaping', 'operation': 'operation',
    'wrappers': 'group', 'models': 'group', 'sequential': 'group', 'network': 'group', 'registered': 'group'}
#: The classes of the module ``core``, which has several families.
_OF_CLASSES = {'Activation': 'activation', 'Dense': 'dense', 'Dropout': 'noise', 'Highway': 'dense',
               'Lambda': 'operation'}


def family_of(cls: type) -> str:
    """Return the family of a class of layers; one of the program has that of keraflow's class that it extends.

    Examples
    --------
    >>> from keraflow.layers import LSTM
    >>> family_of(type('Mine', (LSTM,), {}))
    'recurrent'
    """
    for one in cls.__mro__:
        room, _, module = one.__module__.rpartition('.')
        if room in ('keraflow.layers', 'keraflow.models'):
            family = _OF_CLASSES.get(one.__name__) if module == 'core' else _OF_MODULES.get(module)
            if family:
                return family
    return 'other'
