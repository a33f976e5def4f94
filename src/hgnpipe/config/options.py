"""All options that ``config.yaml`` may give, as a page of the documentation.

    python -m hgnpipe.config.options > docs/options.md

It is made from signatures and docstrings, and nothing in it is written twice.
"""

import inspect
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from hgnpipe.runtime.explained import Option, options_of

FILLED_IN = {
    "num_frames": "that of the data",
    "image_size": "that of the data",
    "latent_size": "twice the coordinates of the system",
    "num_dims": "that of the points",
}
"""What follows from the data, and is not asked for."""
HEAD = """# Options

What [systems and densities](configuration.md#systems-and-densities),
[rows](configuration.md#rows) and [trainings](configuration.md#what-a-model-gets) may
say in `config.yaml`. This page is made from the signatures and docstrings of the
classes that are configured; `python workflow/scripts/models/train.py --help` and
`workflow/scripts/flows/train_flow.py --help` say the same on the terminal.
"""
OF_SYSTEMS = """Entries of `systems`, by `kind`. Of those that are simulated, a constant
that is a number, or `disc_radius`, may also be a list of two, between which each
trajectory draws its own; so may `hue`, for the colour of each body, see
[Systems and densities](configuration.md#systems-and-densities)"""
TABLE = ("| option | legal | default | what it is |", "| --- | --- | --- | --- |")


def page() -> str:
    """The page, in Markdown."""
    from hgnpipe.data.points import TableOptions
    from hgnpipe.densities import DENSITIES
    from hgnpipe.flows import FLOWS
    from hgnpipe.models import MODELS
    from hgnpipe.systems import SYSTEMS
    from hgnpipe.training.options import TrainingOptions

    densities = DENSITIES.all() | {"table": TableOptions}
    parts = [
        *_chapter("Trainings", "`training`", {"": TrainingOptions}),
        *_chapter("Models", "`options` of rows, by `family`", MODELS.all()),
        *_chapter("Flows", "`options` of rows, by `family`", FLOWS.all()),
        *_chapter("Systems", OF_SYSTEMS, SYSTEMS.all()),
        *_chapter("Densities", "Entries of `densities`, by `kind`", densities),
    ]
    return "\n\n".join([HEAD.strip(), *parts]) + "\n"


def _chapter(
    title: str, place: str, owners: Mapping[str, Callable[..., Any]]
) -> Iterator[str]:
    yield f"## {title}\n\n{place}."
    for name, owner in owners.items():
        first = inspect.cleandoc(owner.__doc__ or "").partition("\n\n")[0]
        heading = f"### `{name}`\n\n" if name else ""
        rows = [_row(option) for option in options_of(owner)]
        first = " ".join(first.replace(":math:", "").split())
        yield heading + first + "\n\n" + "\n".join([*TABLE, *rows])


def _row(option: Option) -> str:
    default = f"`{option.default}`" if option.default else "must be given"
    if option.name in FILLED_IN:
        default = FILLED_IN[option.name]
    # Names of modules mean nothing to who writes a configuration.
    meaning = re.sub(r"`hgnpipe\.[\w.]*?(\w+)`", r"`\1`", option.meaning)
    cells = (f"`{option.name}`", option.legal, default, meaning.replace("``", "`"))
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


if __name__ == "__main__":
    print(page(), end="")
