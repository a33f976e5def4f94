"""Sequence models: build one, save it, and load it again in two lines.

    from hgnpipe.models import load_model
    model = load_model("results/laptop/runs/pendulum/hgn_leapfrog/seed0/"
                       "model.safetensors")

A family is a class in a file of its name here, see `hgnpipe.models.base`; the variants
of a table are its constructor arguments.
"""

import inspect
from collections.abc import Mapping
from typing import Any

from hgnpipe.collection import Collection
from hgnpipe.nn.saving import Networks

MODELS = Collection("model family", "hgnpipe.models")
FORMAT = "hgnpipe model 2"

_networks = Networks(MODELS, FORMAT)
build_model, save_model, load_model = _networks.build, _networks.save, _networks.load


def complete_options(
    family: str,
    options: Mapping[str, Any],
    *,
    num_frames: int,
    image_size: int,
    latent_size: int,
) -> dict[str, Any]:
    """Options of a model for videos of this length and size, of such a system.

    ``num_frames``, ``image_size`` and ``latent_size``, twice the coordinates of the
    system, are filled in where the family asks for them and the options do not say.
    """
    found = {
        "num_frames": num_frames, "image_size": image_size, "latent_size": latent_size,
    }  # fmt: skip
    asked = inspect.signature(MODELS.find(family)).parameters
    return {k: v for k, v in found.items() if k in asked} | dict(options)
