"""A few modes on a circle."""

import numpy as np

from hgnpipe.collection import require
from hgnpipe.densities.base import GaussianMixture, circle, require_positive


def modes(
    *, num_modes: int = 8, radius: float = 2.0, std: float = 0.25
) -> GaussianMixture:
    """Gaussians evenly spaced on a circle.

    Args:
        num_modes: How many, 1 or more.
        radius: Of the circle.
        std: Standard deviation of each Gaussian.

    Raises:
        ValueError: If an option is out of range.
    """
    require(num_modes >= 1, "num_modes", num_modes, "1 or more")
    require_positive(radius=radius, std=std)
    centres = radius * circle(2 * np.pi * np.arange(num_modes) / num_modes)
    return GaussianMixture(centres, std, modes=centres)
