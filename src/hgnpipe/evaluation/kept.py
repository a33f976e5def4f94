"""What evaluations leave for tables and figures, and its files.

No torch and no model is imported here: figures start in one second instead of three,
and edits of the code that evaluates draw nothing again by themselves.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Float32, UInt8

from hgnpipe.files.hdf5 import created, opened, read_arrays, write_arrays

ERRORS = "hgnpipe errors 3"
FILMS = "hgnpipe films 2"
PORTRAIT = "hgnpipe portrait 2"
FILMED = "hgnpipe check of pixels 1"
FOLLOWED = "hgnpipe followed states 1"


class Errors(NamedTuple):
    """What is measured along the rollouts of one split.

    Attributes:
        mse: Error against the observed frames, ``(N, T)``.
        mse_clean: Error against the frames without noise, ``(N, T)``.
        energy: Learned Hamiltonian, ``(N, T)``; NaN where there is none.
        kl: KL divergence of the posterior from the prior in nats, ``(N,)``.
        moved: How much the predicted frames move, ``(N,)``, see
            `hgnpipe.evaluation.errors.displacement`; NaN where there is no model.
        moved_true: The same of the frames without noise, ``(N,)``.
    """

    mse: np.ndarray
    mse_clean: np.ndarray
    energy: np.ndarray
    kl: np.ndarray
    moved: np.ndarray
    moved_true: np.ndarray


def save_errors(path: str | Path, errors: Mapping[str, Errors]) -> None:
    """Write errors by split, a group each, in single precision to ``path``."""
    with created(path, ERRORS) as file:
        for split, arrays in errors.items():
            write_arrays(file, arrays, split, np.float32)


def load_errors(path: str | Path) -> dict[str, Errors]:
    """Read what `save_errors` wrote, by split.

    Raises:
        ValueError: If the file is missing, damaged, or something else.
    """
    with opened(path, ERRORS) as file:
        return {split: read_arrays(file, Errors, split) for split in file}


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


def save_films(
    path: str | Path,
    films: dict[str, Film],
    samples: UInt8[np.ndarray, "N T S S 3"],
) -> None:
    """Write the film of each split, and videos from the prior (none: zero of them)."""
    with created(path, FILMS) as file:
        file.create_dataset("samples", data=samples)
        for split, film in films.items():
            write_arrays(file, film, f"films/{split}")


def load_films(
    path: str | Path,
) -> tuple[dict[str, Film], UInt8[np.ndarray, "N T S S 3"]]:
    """Read what `save_films` wrote.

    Raises:
        ValueError: If the file is missing, damaged, or something else.
    """
    with opened(path, FILMS) as file:
        films = {s: read_arrays(file, Film, f"films/{s}") for s in file["films"]}
        return films, file["samples"][:]


class Step(NamedTuple):
    """One flow step of NHF.

    Attributes:
        kinetic: K on a grid of momenta, ``(G, G)``, y first.
        potential: V on the grid of positions.
        momentum_range: Half width of the grid of momenta.
        minima: Local minima of V, ``(M, 2)``.
    """

    kinetic: Float32[np.ndarray, "G G"]
    potential: Float32[np.ndarray, "G G"]
    momentum_range: float
    minima: Float[np.ndarray, "M 2"]


class Portrait(NamedTuple):
    """A flow in pictures.

    Attributes:
        position_range: Half width of the grid of positions.
        density: p on that grid, ``(G, G)``, y first; importance-weighted for NHF.
        samples: Draws from the flow, ``(N, 2)``.
        paths: Positions of these draws before the first and after every step of NHF,
            ``(N, T + 1, 2)``; no steps for RNVP.
        steps: Steps of NHF.
    """

    position_range: float
    density: Float32[np.ndarray, "G G"]
    samples: Float32[np.ndarray, "N 2"]
    paths: Float32[np.ndarray, "N T 2"]
    steps: tuple[Step, ...]


def grid_of(half_width: float, num: int) -> Float[np.ndarray, "GG 2"]:
    """Points of a square grid around the origin, row by row."""
    line = np.linspace(-half_width, half_width, num)
    x, y = np.meshgrid(line, line)
    return np.stack([x.ravel(), y.ravel()], axis=1)


def save_portrait(path: str | Path, portrait: Portrait) -> None:
    """Write a portrait to ``path``, HDF5."""
    size = {"position_range": portrait.position_range, "num_steps": len(portrait.steps)}
    with created(path, PORTRAIT, size) as file:
        for name in ("density", "samples", "paths"):
            file.create_dataset(name, data=getattr(portrait, name))
        for number, step in enumerate(portrait.steps):
            write_arrays(file, step, f"step{number}")


def load_portrait(path: str | Path) -> Portrait:
    """Read what `save_portrait` wrote.

    Raises:
        ValueError: If the file is missing, damaged, or something else.
    """
    with opened(path, PORTRAIT) as file:
        numbers = range(file.attrs["num_steps"])
        steps = [read_arrays(file, Step, f"step{number}") for number in numbers]
        arrays = (file[name][:] for name in ("density", "samples", "paths"))
        return Portrait(float(file.attrs["position_range"]), *arrays, tuple(steps))


class Filmed(NamedTuple):
    """A video and a rollout of it, and the error of its frames.

    Attributes:
        observed: Frames, ``(T, S, S, 3)``, uint8.
        predicted: The same of the model.
        mse: Error of each frame, mean over the test videos, ``(T,)``.
        mean_image: The same of the mean image.
    """

    observed: np.ndarray
    predicted: np.ndarray
    mse: np.ndarray
    mean_image: np.ndarray


def save_filmed(path: str | Path, film: Filmed) -> None:
    """Write a film to ``path``."""
    with created(path, FILMED) as file:
        write_arrays(file, film)


def load_filmed(path: str | Path) -> Filmed:
    """Read what `save_filmed` wrote.

    Raises:
        ValueError: If the file is missing, damaged, or something else.
    """
    with opened(path, FILMED) as file:
        return read_arrays(file, Filmed)


class Followed(NamedTuple):
    """Motions from the same first states.

    Attributes:
        states: q and p side by side, ``(N, T, 2n)``.
        energy: Their true energy, ``(N, T)``.
    """

    states: np.ndarray
    energy: np.ndarray


def save_followed(
    path: str | Path, motions: Mapping[str, Followed], t: np.ndarray
) -> None:
    """Write motions by name, and their times, to ``path``."""
    with created(path, FOLLOWED) as file:
        file.create_dataset("t", data=t)
        for name, motion in motions.items():
            write_arrays(file, motion, f"motions/{name}")


def load_followed(path: str | Path) -> tuple[dict[str, Followed], np.ndarray]:
    """Read what `save_followed` wrote.

    Raises:
        ValueError: If the file is missing, damaged, or something else.
    """
    with opened(path, FOLLOWED) as file:
        names = file["motions"]
        motions = {n: read_arrays(file, Followed, f"motions/{n}") for n in names}
        return motions, file["t"][:]
