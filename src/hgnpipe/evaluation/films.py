"""Videos that a model makes, and their files: at other speeds, from its prior.

What Figs. 7 and 8 show.
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from hgnpipe.data.videos import Frames
from hgnpipe.files.hdf5 import created, opened, read_arrays, write_arrays
from hgnpipe.models.base import SequenceModel
from hgnpipe.training.batches import to_pixels

FILMS = "hgnpipe films 2"
SPEEDS = {"forward": 1.0, "backward": -1.0, "double": 2.0, "half": 0.5}


class Film(NamedTuple):
    """One video, and what a model makes of it (Fig. 7); frames ``(T, S, S, 3)``, uint8.

    Attributes:
        observed: What the model sees.
        past: What happened before, without noise, going back from the first frame.
        forward: The model's rollout from the state that it infers for the first frame.
        backward: The same back in time.
        double: The same with twice the time step.
        half: The same with half the time step; no frames if the model cannot do that.
    """

    observed: np.ndarray
    past: np.ndarray
    forward: np.ndarray
    backward: np.ndarray
    double: np.ndarray
    half: np.ndarray


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


def save_films(path: str | Path, films: dict[str, Film], samples: Frames) -> None:
    """Write the film of each split, and videos from the prior (none: zero of them)."""
    with created(path, FILMS) as file:
        file.create_dataset("samples", data=samples)
        for split, film in films.items():
            write_arrays(file, film, f"films/{split}")


def load_films(path: str | Path) -> tuple[dict[str, Film], Frames]:
    """Read what `save_films` wrote.

    Raises:
        ValueError: If the file is missing, damaged, or something else.
    """
    with opened(path, FILMS) as file:
        films = {s: read_arrays(file, Film, f"films/{s}") for s in file["films"]}
        return films, file["samples"][:]
