"""What all densities have in common, and what most are made of."""

import abc
import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy.special import logsumexp

from hgnpipe.collection import require

Points = Float[np.ndarray, "N d"]
BEADS_PER_STD = 2.0
"""Centres of a necklace per standard deviation: its density is smooth to 1e-8."""


class Density(abc.ABC):
    """A density of points.

    Attributes:
        num_dims: Dimension d of the points.
        modes: Where its modes are, ``(num_modes, d)``; None where that has no meaning.
    """

    num_dims: int
    modes: Points | None = None

    @abc.abstractmethod
    def sample(self, rng: np.random.Generator, num: int) -> Points:
        """Independent draws."""

    @abc.abstractmethod
    def log_density(self, points: Points) -> Float[np.ndarray, " N"]:
        """Logarithm of the density, in nats; minus infinity where it vanishes."""


@dataclass(frozen=True)
class GaussianMixture(Density):
    """Isotropic Gaussians of equal weight and width.

    Attributes:
        centres: Their means, ``(M, d)``.
        std: Standard deviation of each, in every direction.
        modes: See `Density`.
    """

    centres: Points
    std: float
    modes: Points | None = None

    @property
    def num_dims(self) -> int:
        """Dimension of the points."""
        return self.centres.shape[1]

    def sample(self, rng: np.random.Generator, num: int) -> Points:
        """Independent draws."""
        which = rng.integers(len(self.centres), size=num)
        noise = rng.standard_normal((num, self.num_dims))
        return self.centres[which] + self.std * noise

    def log_density(self, points: Points) -> Float[np.ndarray, " N"]:
        """Logarithm of the density, in nats."""
        parts = [points[i : i + 1000] for i in range(0, len(points), 1000)]
        return np.concatenate([self._log_density(part) for part in parts])

    def _log_density(self, points: Points) -> Float[np.ndarray, " N"]:
        squares = ((points[:, None] - self.centres) ** 2).sum(-1)
        normaliser = self.num_dims * math.log(self.std * math.sqrt(2 * math.pi))
        exponents = -squares / (2 * self.std**2)
        return logsumexp(exponents, axis=1) - math.log(len(self.centres)) - normaliser


def require_positive(**values: float) -> None:
    """Check that values, by name, are positive.

    Raises:
        ValueError: If one is not; the message names it.
    """
    for name, value in values.items():
        require(value > 0, name, value, "positive")


def circle(angles: np.ndarray) -> Points:
    """Points of the unit circle at these angles, ``(N, 2)``."""
    return np.stack([np.cos(angles), np.sin(angles)], axis=-1)


def num_beads(length: float, std: float) -> int:
    """Gaussians of width ``std`` along a line of this length, two or more."""
    return max(2, math.ceil(BEADS_PER_STD * length / std))
