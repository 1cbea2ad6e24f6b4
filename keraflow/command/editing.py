"""``keraflow schema``: what an editor needs to check and complete architectures while they are written."""
import json
from typing import Any

from keraflow import layers, metrics, models, preprocessing, schedules  # noqa: F401 (these fill the registry)
from keraflow.command.architecture import architecture_schema
from keraflow.command.parser import FINE
from keraflow.files.atomic import write_file

__all__ = ['schema', 'schema_text']


def schema(arguments: Any) -> int:
    """Print the JSON Schema of architectures, or write it to a file."""
    if arguments.output is None:
        print(schema_text(), end='')
    else:
        write_file(arguments.output, schema_text().encode(), arguments.overwrite)
    return FINE


def schema_text() -> str:
    """Return the JSON Schema of architectures as the text of a file."""
    return json.dumps(architecture_schema(), indent=1) + '\n'
