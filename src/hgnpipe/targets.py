"""Densities that flows learn, with exact samples and exact log-densities.

All but one are mixtures of isotropic Gaussians: a few modes on a circle, or a curve
(moons, rings, spirals) as a necklace of so many that nobody can tell it from a smooth
one. Quantities are dimensionless. To add a target: write a function that returns a
`Target`, list it in `TARGETS`, and name it in ``config.yaml``.
"""

import abc
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float
from scipy.special import logsumexp

from hgnpipe.collection import check_options, lookup, require

Points = Float[np.ndarray, "N d"]
BEADS_PER_STD = 2.0
"""Centres of a necklace per standard deviation: its density is smooth to 1e-8."""


class Target(abc.ABC):
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
class GaussianMixture(Target):
    """Isotropic Gaussians of equal weight and width.

    Attributes:
        centres: Their means, ``(M, d)``.
        std: Standard deviation of each, in every direction.
        modes: See `Target`.
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


@dataclass(frozen=True)
class Checkerboard(Target):
    """Uniform density on the dark squares of a board around the origin.

    Attributes:
        num_squares: Squares along one side, dark and light.
        half_width: Half of the length of one side.
    """

    num_squares: int = 4
    half_width: float = 3.0
    num_dims = 2

    def __post_init__(self) -> None:
        even = self.num_squares >= 2 and self.num_squares % 2 == 0
        require(even, "num_squares", self.num_squares, "an even number, 2 or more")
        require(self.half_width > 0, "half_width", self.half_width, "positive")

    def sample(self, rng: np.random.Generator, num: int) -> Points:
        """Independent draws."""
        column = rng.integers(self.num_squares, size=num)
        row = 2 * rng.integers(self.num_squares // 2, size=num) + column % 2
        inside = rng.random((num, 2))
        side = 2 * self.half_width / self.num_squares
        return (np.stack([column, row], 1) + inside) * side - self.half_width

    def log_density(self, points: Points) -> Float[np.ndarray, " N"]:
        """Logarithm of the density, in nats; minus infinity on light squares."""
        side = 2 * self.half_width / self.num_squares
        square = np.floor((points + self.half_width) / side)
        on_board = ((square >= 0) & (square < self.num_squares)).all(1)
        dark = on_board & (square.sum(1) % 2 == 0)
        return np.where(dark, -math.log(2 * self.half_width**2), -np.inf)


def modes_on_circle(
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
    _positive(radius=radius, std=std)
    centres = radius * _circle(2 * np.pi * np.arange(num_modes) / num_modes)
    return GaussianMixture(centres, std, modes=centres)


def two_moons(*, radius: float = 1.5, std: float = 0.15) -> GaussianMixture:
    """Two half circles that reach into each other.

    Args:
        radius: Of both half circles.
        std: Half thickness of the line.

    Raises:
        ValueError: If an option is not positive.
    """
    _positive(radius=radius, std=std)
    arc = radius * _circle(np.linspace(0, np.pi, _beads(np.pi * radius, std)))
    shift = radius * np.array([0.5, -0.25])
    return GaussianMixture(np.concatenate([arc - shift, shift - arc]), std)


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
    _positive(radius=radius, std=std)
    circles = []
    for r in radius * np.arange(1, num_rings + 1) / num_rings:
        beads = _beads(2 * np.pi * r, std)
        circles.append(r * _circle(2 * np.pi * np.arange(beads) / beads))
    return GaussianMixture(np.concatenate(circles), std)


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
    _positive(num_turns=num_turns, radius=radius, std=std)
    # Evenly spaced along the arm: its length grows as the square of the radius.
    fine = np.linspace(0.1, 1, 10_000)
    angles = 2 * np.pi * num_turns * fine
    curve = radius * fine[:, None] * _circle(angles)
    steps = np.linalg.norm(np.diff(curve, axis=0), axis=1)
    length = np.concatenate([[0], np.cumsum(steps)])
    at = np.interp(np.linspace(0, length[-1], _beads(length[-1], std)), length, fine)
    arms = [
        radius * at[:, None] * _circle(2 * np.pi * (num_turns * at + arm / num_arms))
        for arm in range(num_arms)
    ]
    return GaussianMixture(np.concatenate(arms), std)


TARGETS: dict[str, Callable[..., Target]] = {
    "checkerboard": Checkerboard,
    "modes": modes_on_circle,
    "rings": rings,
    "spirals": spirals,
    "two_moons": two_moons,
}


def build_target(kind: str, **options: Any) -> Target:
    """Target registered under ``kind``.

    Raises:
        ValueError: If the kind or an option is unknown, or a value out of range.
    """
    constructor = lookup("target", kind, TARGETS)
    check_options(f"target {kind!r}", constructor, options)
    return constructor(**options)


TABLE = "table"
"""Not a density but points of a file; see `TableOptions`."""


@dataclass(frozen=True, kw_only=True)
class TableOptions:
    """A table of points of one's own.

    Attributes:
        file: CSV with a header, or ``.npy`` of shape (N, d).
        columns: Columns of the CSV to take; by default all.
        held_out: Share of the rows to judge by, and again to watch the training with.
    """

    file: str
    columns: list[str] | None = None
    held_out: float = 0.2

    def __post_init__(self) -> None:
        legal = "above 0 and below 0.5"
        require(0 < self.held_out < 0.5, "held_out", self.held_out, legal)


def read_table_options(options: Mapping[str, Any]) -> TableOptions:
    """Options of a table, as a user wrote them.

    Raises:
        ValueError: If an option is unknown, missing, of a wrong type or out of range.
    """
    check_options(f"target {TABLE!r}", TableOptions, options)
    return TableOptions(**options)


def check_target(kind: str, options: Mapping[str, Any]) -> None:
    """Check what a configuration says of a target; no file is opened.

    Raises:
        ValueError: If the kind or an option is unknown, or a value out of range.
    """
    if kind == TABLE:
        read_table_options(options)
    else:
        lookup("target", kind, {**TARGETS, TABLE: None})
        build_target(kind, **options)


def _positive(**values: float) -> None:
    for name, value in values.items():
        require(value > 0, name, value, "positive")


def _circle(angles: np.ndarray) -> Points:
    return np.stack([np.cos(angles), np.sin(angles)], axis=-1)


def _beads(length: float, std: float) -> int:
    """Gaussians along a line of this length."""
    return max(2, math.ceil(BEADS_PER_STD * length / std))
