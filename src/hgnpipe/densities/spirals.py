"""Spirals."""

import numpy as np

from hgnpipe.collection import require
from hgnpipe.densities.base import GaussianMixture, circle, num_beads, require_positive


def spirals(
    *,
    num_arms: int = 2,
    num_turns: float = 1.5,
    radius: float = 3.0,
    std: float = 0.12,
) -> GaussianMixture:
    """Archimedean spirals from the middle outwards, of equal line density.

    Args:
        num_arms: How many, 1 or more.
        num_turns: Turns of each.
        radius: Where they end; they start at a tenth of it.
        std: Half thickness of the line.

    Raises:
        ValueError: If an option is out of range.
    """
    require(num_arms >= 1, "num_arms", num_arms, "1 or more")
    require_positive(num_turns=num_turns, radius=radius, std=std)
    # Evenly spaced along the arm: its length grows as the square of the radius.
    fine = np.linspace(0.1, 1, 10_000)
    angles = 2 * np.pi * num_turns * fine
    curve = radius * fine[:, None] * circle(angles)
    steps = np.linalg.norm(np.diff(curve, axis=0), axis=1)
    length = np.concatenate([[0], np.cumsum(steps)])
    at = np.interp(np.linspace(0, length[-1], num_beads(length[-1], std)), length, fine)
    arms = [
        radius * at[:, None] * circle(2 * np.pi * (num_turns * at + arm / num_arms))
        for arm in range(num_arms)
    ]
    return GaussianMixture(np.concatenate(arms), std)
