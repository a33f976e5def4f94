"""Three bodies in each other's gravity (paper, Sec. 4)."""

from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float

from hgnpipe.systems._gravity import Gravity
from hgnpipe.systems.base import COLORS, Color


@dataclass(frozen=True, kw_only=True)
class ThreeBody(Gravity):
    """Three equal masses that start on a triangle and soon move chaotically.

    Attributes:
        m: Mass of each body.
        g: Gravitational constant.
        orbit_noise: Largest relative change of each component of the velocities.
    """

    m: float = 1.0
    g: float = 1.0
    # CHOICE (Sec. 4): as for two bodies, from Greydanus et al.
    orbit_noise: float = 0.2
    radius: tuple[float, float] = (0.9, 1.2)
    noise_std: float = 0.2
    frame_dt: float = 0.25
    view: float = 3.0
    disc_radius: float = 0.3
    num_coordinates: int = field(default=6, init=False)
    colors: tuple[Color, ...] = field(default=COLORS, init=False)

    def sample_initial_states(
        self, rng: np.random.Generator, num: int
    ) -> tuple[Float[np.ndarray, "num 6"], Float[np.ndarray, "num 6"]]:
        """Triangle, each velocity component perturbed, total momentum removed."""
        q, p = self.polygon(rng, num, 3)
        p = p * (1 + self.orbit_noise * rng.uniform(-1, 1, size=p.shape))
        p = p - p.mean(axis=1, keepdims=True)
        return q.reshape(num, 6), p.reshape(num, 6)
