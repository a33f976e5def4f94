"""Videos that a model makes, and their files: at other speeds, from its prior.

What Figs. 7 and 8 show.
"""

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from hgnpipe.data.videos import Frames
from hgnpipe.evaluation.kept import Film
from hgnpipe.models.base import SequenceModel
from hgnpipe.training.batches import to_pixels

SPEEDS = {"forward": 1.0, "backward": -1.0, "double": 2.0, "half": 0.5}


def make_film(
    model: SequenceModel,
    observed: UInt8[np.ndarray, "T S S 3"],
    past: UInt8[np.ndarray, "T S S 3"],
) -> Film:
    """Let a model play one video at every speed."""
    device = next(model.parameters()).device
    pixels = to_pixels(observed[None], device)
    whole = getattr(model, "whole_steps", False)
    played = {
        name: to_stored(model.predict(pixels, speed=speed).frames)[0]
        if speed == round(speed) or not whole
        else observed[:0]
        for name, speed in SPEEDS.items()
    }
    return Film(observed, past, **played)


def sample_videos(
    model: SequenceModel, num: int, num_steps: int, generator: torch.Generator
) -> Frames:
    """Videos sampled from the model's prior (Fig. 8); none if it has no prior."""
    if not hasattr(model, "sample") or getattr(model, "deterministic", False):
        size = model.image_size
        return np.zeros((0, num_steps + 1, size, size, 3), np.uint8)
    return to_stored(model.sample(num, num_steps, generator=generator).frames)


def to_stored(frames: Float[Tensor, "B T 3 S S"]) -> UInt8[np.ndarray, "B T S S 3"]:
    """Pixel values in [0, 1] as they are stored: the reverse of `to_pixels`."""
    stored = (frames * 255).round().clamp(0, 255).to(torch.uint8)
    return stored.permute(0, 1, 3, 4, 2).cpu().numpy()
