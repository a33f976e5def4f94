"""Command lines of the scripts, for the tests that run them."""

import importlib.util
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


def find(name):
    """Path of a script; no two of them share a name."""
    (path,) = FOLDER.rglob(f"{name}.py")
    return path


def load(name):
    """Module of a script."""
    spec = importlib.util.spec_from_file_location(name, find(name))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def script(name):
    """Function ``main`` of a script."""
    return load(name).main


def command_line(name, options):
    return [str(find(name)), *as_typed(options)]
