"""What Figs. 9 and 10 show of a trained flow in two dimensions, and its file.

Figures draw it without the flow: a change of their looks trains and samples nothing.
"""

import copy
from collections.abc import Callable

import numpy as np
import torch
from jaxtyping import Float, Float32
from torch import Tensor, nn

from hgnpipe.collection import require
from hgnpipe.evaluation.kept import Portrait, Step, grid_of
from hgnpipe.evaluation.likelihood import held_out_log_density
from hgnpipe.evaluation.minima import NUM_STARTS, local_minima
from hgnpipe.flows.base import Flow
from hgnpipe.hamiltonian import State


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
