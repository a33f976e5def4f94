"""Two moons."""

import numpy as np

from hgnpipe.densities.base import GaussianMixture, circle, num_beads, require_positive


def two_moons(*, radius: float = 1.5, std: float = 0.15) -> GaussianMixture:
    """Two half circles that reach into each other.

    Args:
        radius: Of both half circles.
        std: Half thickness of the line.

    Raises:
        ValueError: If an option is not positive.
    """
    require_positive(radius=radius, std=std)
    arc = radius * circle(np.linspace(0, np.pi, num_beads(np.pi * radius, std)))
    shift = radius * np.array([0.5, -0.25])
    return GaussianMixture(np.concatenate([arc - shift, shift - arc]), std)
