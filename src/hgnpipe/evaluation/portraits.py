"""What Figs. 9 and 10 show of a trained flow in two dimensions, and its file.

Figures draw it without the flow: a change of their looks trains and samples nothing.
"""

import copy
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Float32
from torch import Tensor, nn

from hgnpipe.collection import require
from hgnpipe.evaluation.likelihood import held_out_log_density
from hgnpipe.evaluation.minima import NUM_STARTS, local_minima
from hgnpipe.files.hdf5 import created, opened, read_arrays, write_arrays
from hgnpipe.flows.base import Flow
from hgnpipe.hamiltonian import State

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


def make_portrait(
    flow: Flow,
    points: Float[np.ndarray, "N d"],
    *,
    num_samples: int,
    grid_size: int,
    num_importance_samples: int,
    seed: int,
) -> Portrait:
    """Sample a flow and evaluate what there is to see of it.

    Args:
        flow: The flow.
        points: Points of the target: the grid of positions covers them.
        num_samples: Draws from the flow.
        grid_size: Points along one side of a grid.
        num_importance_samples: Samples per point of the density.
        seed: Seed of all randomness.

    Raises:
        ValueError: If the points are not in two dimensions.
    """
    require(points.shape[1] == 2, "dimension of the points", points.shape[1], "2")
    for name, value in {"num_samples": num_samples, "grid_size": grid_size}.items():
        require(value >= 1, name, value, "1 or more")
    reach = 1.15 * float(np.abs(points).max())
    _, log_density = held_out_log_density(
        flow, grid_of(reach, grid_size), num_importance_samples, seed
    )
    density = np.exp(log_density).reshape(grid_size, grid_size).astype(np.float32)
    like = next(flow.parameters())
    generator = torch.Generator(like.device).manual_seed(seed)
    if not hasattr(flow, "hamiltonians"):
        samples = flow.sample(num_samples, generator).cpu().numpy()
        return Portrait(reach, density, samples, samples[:, None], ())
    path = _path(flow, flow.sample_prior(num_samples, generator))
    exact = copy.deepcopy(flow).to("cpu").double()
    steps = []
    for number, hamiltonian in enumerate(exact.hamiltonians):
        momenta = path.p[:, number : number + 2].abs().cpu().numpy()
        width = 1.15 * float(np.quantile(momenta, 0.99))
        kinetic = _on_grid(hamiltonian.kinetic, width, grid_size)
        potential = _on_grid(hamiltonian.potential, reach, grid_size)
        minima = local_minima(hamiltonian.potential, points[:NUM_STARTS])
        steps.append(Step(kinetic, potential, width, minima))
    paths = path.q.cpu().numpy()
    return Portrait(reach, density, paths[:, -1], paths, tuple(steps))


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


def _path(flow: nn.Module, initial: State) -> State:
    """States before the first and after every step, ``(B, T + 1, d)`` each."""
    states = [initial]
    with torch.no_grad():
        for hamiltonian in flow.hamiltonians:
            states.append(flow.step(hamiltonian, states[-1], flow.dt))
    q, p = zip(*states, strict=True)
    return State(torch.stack(q, dim=1), torch.stack(p, dim=1))


def _on_grid(
    energy: Callable[[Tensor], Tensor], half_width: float, num: int
) -> Float32[np.ndarray, "G G"]:
    with torch.no_grad():
        values = energy(torch.from_numpy(grid_of(half_width, num)))
    return values.reshape(num, num).float().numpy()
