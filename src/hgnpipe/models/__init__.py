"""Sequence models: build one, save it, and load it again in two lines.

    from hgnpipe.models import load_model
    model = load_model("results/laptop/runs/pendulum/hgn_leapfrog/seed0/"
                       "model.safetensors")

A family is a class; the variants of a table are its constructor arguments.
"""

import inspect
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from hgnpipe.models.base import SequenceModel
from hgnpipe.nn.saving import Families

FAMILIES = {
    "hgn": "hgnpipe.models.hgn.HGN",
    "pixelhnn": "hgnpipe.models.pixelhnn.PixelHNN",
}
"""Family names, and where their classes are: in a module of the same name, which is
how a rule knows the code that a family depends on."""

FORMAT = "hgnpipe model 2"
MODELS = Families("model", FORMAT, FAMILIES)


def family_class(family: str) -> type:
    """Class of a family.

    Raises:
        ValueError: If there is no such family; the message lists the known ones.
    """
    return MODELS.find(family)


def complete_options(
    family: str,
    options: Mapping[str, Any],
    num_frames: int,
    image_size: int,
    latent_size: int | None = None,
) -> dict[str, Any]:
    """Options of a model for videos of this length and size.

    ``num_frames`` and ``image_size`` are filled in where the family asks for them and
    the options leave them open.
    """
    asked = inspect.signature(family_class(family)).parameters
    found = {"num_frames": num_frames, "image_size": image_size}
    if latent_size is not None:
        found["latent_size"] = latent_size
    return {k: v for k, v in found.items() if k in asked} | dict(options)


def check_model(family: str, options: Mapping[str, Any]) -> None:
    """Check names and types of the options of a model, as a user wrote them.

    Raises:
        ValueError: If the family or an option is unknown, missing or of a wrong type.
    """
    MODELS.check(family, options)


def build_model(family: str, *, seed: int = 0, **options: Any) -> SequenceModel:
    """New model of a family, its weights drawn with ``seed``.

    Raises:
        ValueError: If the family or an option is unknown, or a value out of range.
    """
    return MODELS.build(family, seed, options)


def save_model(
    model: SequenceModel,
    path: str | Path,
    *,
    family: str,
    options: Mapping[str, Any],
    provenance: Mapping[str, Any] | None = None,
) -> None:
    """Write the weights, and the options that rebuild the model around them."""
    MODELS.save(model, path, family=family, options=options, provenance=provenance)


def load_model(path: str | Path, device: str | torch.device = "cpu") -> SequenceModel:
    """Model from a file that `save_model` wrote, ready to predict on ``device``.

    Raises:
        ValueError: If the file is missing, damaged, or not a model of this package.
    """
    return MODELS.load(path, device)
