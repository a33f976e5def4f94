"""Minima of a learned potential energy, and how they fit the modes of a density."""

from collections.abc import Callable

import numpy as np
import torch
from jaxtyping import Float
from scipy.optimize import minimize
from torch import Tensor

from hgnpipe.hamiltonian import gradient

NUM_STARTS = 200
"""Test points from which descents into the minima of a potential start."""

Energy = Callable[[Tensor], Tensor]


def local_minima(
    energy: Energy,
    starts: Float[np.ndarray, "N d"],
    tolerance: float = 0.05,
    margin: float = 0.25,
) -> Float[np.ndarray, "M d"]:
    """Local minima of an energy, reached by descent from many starts.

    Args:
        energy: Maps ``(B, d)`` to ``(B,)``; it may know its ``gradient``.
        starts: Where the descents begin, ``(N, d)``.
        tolerance: Minima closer than this share of the box around the starts are one.
        margin: The region that counts is that box, wider by this share of its size on
            every side. What runs out of it has no minimum.

    Returns:
        Distinct minima, those that most starts lead to first.
    """
    low, high = starts.min(0), starts.max(0)
    size = high - low
    bounds = np.stack([low - margin * size, high + margin * size], axis=1)

    minima: list[np.ndarray] = []
    counts: list[int] = []
    for start in starts:
        end = _descend(energy, _descend(energy, start, bounds), bounds)
        at_edge = (np.abs(end[:, None] - bounds) < 1e-6 * size[:, None]).any()
        if at_edge or not _is_minimum(energy, end):
            continue
        near = [(np.abs(end - known) < tolerance * size).all() for known in minima]
        if any(near):
            counts[near.index(True)] += 1
        else:
            minima.append(end)
            counts.append(1)
    order = np.argsort(counts, kind="stable")[::-1]
    return np.array(minima).reshape(-1, starts.shape[1])[order]


def _descend(energy: Energy, start: np.ndarray, bounds: np.ndarray) -> np.ndarray:
    """End of a descent; it may stop early, so go on from there."""

    def value_and_slope(x: np.ndarray) -> tuple[float, np.ndarray]:
        point = torch.from_numpy(x)[None]
        with torch.no_grad():
            return energy(point).item(), gradient(energy, point)[0].numpy()

    options = {"ftol": 1e-14, "gtol": 1e-9, "maxiter": 1000}
    how = {"jac": True, "bounds": bounds, "options": options, "method": "L-BFGS-B"}
    return minimize(value_and_slope, start, **how).x


def _is_minimum(energy: Energy, point: np.ndarray) -> bool:
    """Whether the slope is nothing beside what the curvature makes nearby."""
    x = torch.from_numpy(point)

    def slope(x: Tensor) -> Tensor:
        return gradient(energy, x[None])[0]

    with torch.no_grad():
        curvature = torch.linalg.eigvalsh(torch.func.jacfwd(slope)(x)).min()
        return bool(curvature > 1e-9 and slope(x).abs().max() < 1e-3 * curvature)


def matched(minima: Float[np.ndarray, "M d"], modes: Float[np.ndarray, "K d"]) -> float:
    """Share of modes that have a minimum nearer to them than to any other mode.

    Only minima count that are nearer to their mode than half of the distance between
    that mode and the next.
    """
    if not len(minima) or not len(modes):
        return 0.0
    distance = np.linalg.norm(minima[:, None] - modes, axis=-1)
    between = np.linalg.norm(modes[:, None] - modes, axis=-1)
    np.fill_diagonal(between, np.inf)
    reach = between.min(1) / 2
    nearest = distance.argmin(1)
    close = distance.min(1) < reach[nearest]
    return len(set(nearest[close].tolist())) / len(modes)
