"""Small untrained models of every kind, and videos for them."""

import numpy as np
import pytest
import torch

from hgnpipe.models import build_model

SIZE, NUM, SHOWN = 8, 5, 4
"""Height and width of a frame, number of videos, and their length."""

FAMILIES = {
    "hgn": {"num_frames": 4, "num_filters": 4, "latent_channels": 2},
    "deterministic": {
        "num_frames": 4, "num_filters": 4, "latent_channels": 2, "deterministic": True,
    },
    "pixelhnn": {"latent_size": 2, "hidden_size": 8},
    "latent_ode": {"num_frames": 4, "num_filters": 4, "latent_channels": 2},
    "latent_gru": {
        "num_frames": 4, "num_filters": 4, "num_pairs": 2, "hidden_size": 8,
        "inferred_frame": "middle",
    },
}  # fmt: skip
every_family = pytest.mark.parametrize("name", FAMILIES)


def family_of(name):
    return "hgn" if name == "deterministic" else name


def trained(name):
    torch.manual_seed(0)
    return build_model(family_of(name), image_size=SIZE, **FAMILIES[name])


def random_videos(seed=0):
    rng = np.random.default_rng(seed)
    return rng.integers(0, 256, (NUM, SHOWN, SIZE, SIZE, 3), np.uint8)
