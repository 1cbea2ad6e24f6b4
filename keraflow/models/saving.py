"""Models to files and back: the architecture as YAML or JSON."""
import os
from typing import Any, Dict, List, Optional, Tuple, Union

from keraflow.errors import ArgumentTypeError, nearest
from keraflow.files.limits import Limits
from keraflow.files.plaindata import dump_options, dump_plain
from keraflow.files.refusal import refusal
from keraflow.files.tensor_writer import PackedTensors
from keraflow.layers.network import Network
from keraflow.models.graph_data import check_case
from keraflow.models.plans import VERSION, plan
from keraflow.models.weight_files import FORMAT, ONE_FILE, packed_weights
from keraflow.schema import Path
from keraflow.serialization import serialize
from keraflow.serialization.locations import Location
from keraflow.serialization.values import version_of

__all__ = ['VERSION', 'arch_text', 'check_options', 'files_of', 'load_model']


def files_of(model: Network, where: str, arch: Optional[Path], weights: Optional[Path],
             dump_args: Dict[str, Any]) -> List[Tuple[Path, Union[bytes, PackedTensors]]]:
    """Return the given paths for architecture and weights, with what to write there.

    Raises
    ------
    ArgumentTypeError
        If neither path is given.
    """
    if arch is None and weights is None:
        raise ArgumentTypeError(f'{model.name}: {where}: expected a path for arch, for weights, or for both, '
                                f"received neither. Write {where}('model.yaml', 'model.safetensors').")
    return [*([(arch, arch_text(model, arch, dump_args).encode())] if arch is not None else []),
            *([(weights, packed_weights(model, weights))] if weights is not None else [])]


def check_options(model: Network, where: str, names: List[str], arch: Optional[Path],
                  dump_args: Dict[str, Any]) -> None:
    """Raise for a keyword that is neither an argument nor an option of the writer of this file."""
    options = [] if arch is None else dump_options(arch)
    for word in dump_args:
        if word not in options:
            raise ArgumentTypeError(f"{model.name}: {where}: there is no argument '{word}'. "
                                    f'{nearest(word, [*names, *options])}')


def load_model(arch: Path, weights: Optional[Path], custom_objects: Any, limits: Optional[Limits]) -> Any:
    """Build a model with the architecture in a file, and give it the weights in another.

    Raises
    ------
    ModelFileError
        If a file is of another kind, or damaged.
    """
    if os.fspath(arch).endswith(ONE_FILE):
        raise refusal(os.fspath(arch), 'a whole model is in this file. Write keraflow.load(path).')
    return plan(arch, weights, custom_objects, limits).build()


def arch_text(model: Network, path: Path, dump_args: Dict[str, Any]) -> str:
    """Return the architecture as the text of a file with this name."""
    _check_case(model)
    data = serialize(model)
    return dump_plain({'format': FORMAT, 'version': version_of(data), 'model': data}, path, **dump_args)


def _check_case(model: Network) -> None:
    """Raise for names that files may not have, because they differ in nothing but upper and lower case."""
    check_case(list(model.names.layers), Location())
    for layer in model.layers:
        if isinstance(layer, Network):
            _check_case(layer)
