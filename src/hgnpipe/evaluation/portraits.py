"""Files of what Figs. 9 and 10 show of a flow, see `hgnpipe.evaluation.portraying`.

Figures draw it without the flow: a change of their looks trains and samples nothing.
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Float32

from hgnpipe.files.hdf5 import created, opened

PORTRAIT = "hgnpipe portrait 2"


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
            for name, value in step._asdict().items():
                file.create_dataset(f"step{number}/{name}", data=value)


def load_portrait(path: str | Path) -> Portrait:
    """Read what `save_portrait` wrote.

    Raises:
        ValueError: If the file is missing, damaged, or something else.
    """
    with opened(path, PORTRAIT) as file:
        steps = [
            Step(
                file[f"step{number}/kinetic"][:],
                file[f"step{number}/potential"][:],
                float(file[f"step{number}/momentum_range"][()]),
                file[f"step{number}/minima"][:],
            )
            for number in range(file.attrs["num_steps"])
        ]
        arrays = (file[name][:] for name in ("density", "samples", "paths"))
        return Portrait(float(file.attrs["position_range"]), *arrays, tuple(steps))
