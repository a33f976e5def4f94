"""Sequence models: build one, save it, and load it again in two lines.

    from hgnpipe.models import load_model
    model = load_model("results/laptop/runs/pendulum/hgn_leapfrog/seed0/"
                       "model.safetensors")

A family is a class; the variants of a table are its constructor arguments. Families are
imported when they are asked for, so that a change in one does not touch the others.
"""

import importlib
import inspect
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from hgnpipe.files import written_whole
from hgnpipe.models.base import SequenceModel
from hgnpipe.registry import check_options, lookup

FAMILIES = {
    "hgn": "hgnpipe.models.hgn.HGN",
    "pixelhnn": "hgnpipe.models.pixelhnn.PixelHNN",
}
"""Family names, and where their classes are: in a module of the same name, which is
how a rule knows the code that a family depends on."""

FORMAT = "hgnpipe model 1"


def family_class(family: str) -> type:
    """Class of a family.

    Raises:
        ValueError: If there is no such family; the message lists the known ones.
    """
    module, _, name = lookup("model family", family, FAMILIES).rpartition(".")
    return getattr(importlib.import_module(module), name)


def complete_options(
    family: str, options: Mapping[str, Any], num_frames: int, image_size: int
) -> dict[str, Any]:
    """Options of a model for videos of this length and size.

    ``num_frames`` and ``image_size`` are filled in where the family asks for them and
    the options leave them open.
    """
    asked = inspect.signature(family_class(family)).parameters
    found = {"num_frames": num_frames, "image_size": image_size}
    return {k: v for k, v in found.items() if k in asked} | dict(options)


def build_model(family: str, *, seed: int = 0, **options: Any) -> SequenceModel:
    """New model of a family, its weights drawn with ``seed``.

    Raises:
        ValueError: If the family or an option is unknown, or a value out of range.
    """
    constructor = family_class(family)
    check_options(f"model family {family!r}", constructor, options)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return constructor(**options)


def save_model(
    model: SequenceModel,
    path: str | Path,
    *,
    family: str,
    options: Mapping[str, Any],
    provenance: Mapping[str, Any] | None = None,
) -> None:
    """Write the weights, and the options that rebuild the model around them."""
    tensors = {k: v.detach().cpu().contiguous() for k, v in model.state_dict().items()}
    metadata = {
        "format": FORMAT,
        "family": family,
        "options": json.dumps(options),
        "provenance": json.dumps(provenance or {}),
    }
    with written_whole(path) as temporary:
        save_file(tensors, temporary, metadata)


def load_model(path: str | Path, device: str | torch.device = "cpu") -> SequenceModel:
    """Model from a file that `save_model` wrote, ready to predict on ``device``.

    Nothing in the file is executed: it holds numbers and names.

    Raises:
        ValueError: If the file is missing, damaged, or not a model of this package.
    """
    if not Path(path).is_file():
        raise ValueError(f"{path} does not exist.")
    try:
        with safe_open(path, "pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (OSError, SafetensorError) as error:
        raise ValueError(f"{path} is damaged or not safetensors: {error}") from error
    if metadata.get("format") != FORMAT:
        found = metadata.get("format")
        raise ValueError(f"{path} has format {found!r}; expected {FORMAT!r}.")
    try:
        model = build_model(metadata["family"], **json.loads(metadata["options"]))
        model.load_state_dict(tensors)
    except (KeyError, ValueError, TypeError, RuntimeError) as error:
        family, why = metadata.get("family"), " ".join(str(error).split())[:200]
        raise ValueError(
            f"{path} does not fit model family {family!r} of this version of hgnpipe: "
            f"train the model again. ({why})"
        ) from error
    return model.to(device).eval()
