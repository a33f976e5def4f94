"""Systems with one coordinate."""

import numpy as np
from jaxtyping import Float

from hgnpipe.systems.base import System


class OneBody(System):
    """A system with one coordinate that starts on a circle in phase space."""

    def sample_initial_states(
        self, rng: np.random.Generator, num: int
    ) -> tuple[Float[np.ndarray, "num 1"], Float[np.ndarray, "num 1"]]:
        """States uniform on the circle of radius r, r uniform in ``radius``."""
        r = rng.uniform(*self.radius, size=(num, 1))
        angle = rng.uniform(0, 2 * np.pi, size=(num, 1))
        return r * np.cos(angle), r * np.sin(angle)
