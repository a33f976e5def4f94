"""A checkerboard."""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from hgnpipe.collection import require
from hgnpipe.densities.base import Density, Points


@dataclass(frozen=True)
class Checkerboard(Density):
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
