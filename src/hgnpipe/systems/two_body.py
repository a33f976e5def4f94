"""Two bodies in each other's gravity (paper, Sec. 4)."""

from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float

from hgnpipe.systems._gravity import Gravity
from hgnpipe.systems.base import COLORS, Color


@dataclass(frozen=True, kw_only=True)
class TwoBody(Gravity):
    """Two equal masses on nearly circular orbits around each other.

    Attributes:
        m: Mass of each body.
        g: Gravitational constant.
        orbit_noise: Relative standard deviation of the initial speed.
    """

    m: float = 1.0
    g: float = 1.0
    # CHOICE (Sec. 4): "sampling (q, p) uniformly on the circle" says little about four
    # coordinates; we follow Greydanus et al.: circular orbits, one speed factor each.
    orbit_noise: float = 0.05
    radius: tuple[float, float] = (0.5, 1.5)
    noise_std: float = 0.05
    # CHOICE (Sec. 4, silent): a revolution takes 4 pi r^1.5, 4 to 23 units; 30 steps
    # of 0.4 show between half and nearly three of them.
    frame_dt: float = 0.4
    view: float = 3.0
    num_coordinates: int = field(default=4, init=False)
    colors: tuple[Color, ...] = field(default=COLORS[:2], init=False)

    def sample_initial_states(
        self, rng: np.random.Generator, num: int
    ) -> tuple[Float[np.ndarray, "num 4"], Float[np.ndarray, "num 4"]]:
        """Opposite bodies, circular speeds times (1 + ``orbit_noise`` N(0, 1))."""
        q, p = self.polygon(rng, num, 2)
        p = p * (1 + self.orbit_noise * rng.standard_normal((num, 1, 1)))
        return q.reshape(num, 4), p.reshape(num, 4)
