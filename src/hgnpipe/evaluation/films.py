"""Files of the videos that a model makes, see `hgnpipe.evaluation.filming`."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import UInt8

from hgnpipe.files.hdf5 import created, opened

FILMS = "hgnpipe films 2"

Frames = UInt8[np.ndarray, "N T S S 3"]


class Film(NamedTuple):
    """One video, and what a model makes of it (Fig. 7); frames ``(T, S, S, 3)``, uint8.

    Attributes:
        observed: What the model sees.
        past: What happened before, without noise, going back from the first frame.
        forward: The model's rollout from the state that it infers for the first frame.
        backward: The same back in time.
        double: The same with twice the time step.
        half: The same with half the time step.
    """

    observed: np.ndarray
    past: np.ndarray
    forward: np.ndarray
    backward: np.ndarray
    double: np.ndarray
    half: np.ndarray


def save_films(path: str | Path, films: dict[str, Film], samples: Frames) -> None:
    """Write the film of each split, and videos from the prior (none: zero of them)."""
    with created(path, FILMS) as file:
        file.create_dataset("samples", data=samples)
        for split, frames in films.items():
            for name, values in frames._asdict().items():
                file.create_dataset(f"films/{split}/{name}", data=values)


def load_films(path: str | Path) -> tuple[dict[str, Film], Frames]:
    """Read what `save_films` wrote.

    Raises:
        ValueError: If the file is missing, damaged, or something else.
    """
    with opened(path, FILMS) as file:
        films = {
            split: Film(*(group[name][:] for name in Film._fields))
            for split, group in file["films"].items()
        }
        return films, file["samples"][:]
