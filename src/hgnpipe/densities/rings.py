"""Rings."""

import numpy as np

from hgnpipe.collection import require
from hgnpipe.densities.base import GaussianMixture, circle, num_beads, require_positive


def rings(
    *, num_rings: int = 2, radius: float = 2.5, std: float = 0.15
) -> GaussianMixture:
    """Circles around the origin with evenly spaced radii and equal line density.

    Args:
        num_rings: How many, 1 or more.
        radius: Of the largest.
        std: Half thickness of the line.

    Raises:
        ValueError: If an option is out of range.
    """
    require(num_rings >= 1, "num_rings", num_rings, "1 or more")
    require_positive(radius=radius, std=std)
    circles = []
    for r in radius * np.arange(1, num_rings + 1) / num_rings:
        beads = num_beads(2 * np.pi * r, std)
        circles.append(r * circle(2 * np.pi * np.arange(beads) / beads))
    return GaussianMixture(np.concatenate(circles), std)
