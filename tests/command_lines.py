"""Command lines of the scripts, for the tests that run them."""

import json
from pathlib import Path

FOLDER = Path(__file__).parents[1] / "workflow" / "scripts"


def as_typed(options):
    """Words of a command line; an option that is None is left out."""
    words = []
    for key, value in options.items():
        if value is not None:
            values = value if isinstance(value, list) else [value]
            texts = [json.dumps(v) if isinstance(v, dict) else str(v) for v in values]
            words += [f"--{key}", *texts]
    return words


def command_line(name, options):
    return [str(FOLDER / f"{name}.py"), *as_typed(options)]
