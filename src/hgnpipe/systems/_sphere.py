"""Systems of several coordinates that start anywhere."""

import numpy as np
from jaxtyping import Float

from hgnpipe.systems.base import System


class OnSphere(System):
    """A system that starts on a sphere in phase space, in any direction."""

    def sample_initial_states(
        self, rng: np.random.Generator, num: int
    ) -> tuple[Float[np.ndarray, "num n"], Float[np.ndarray, "num n"]]:
        """States uniform on the sphere of radius r, r uniform in ``radius``."""
        direction = rng.standard_normal((num, 2 * self.num_coordinates))
        direction /= np.linalg.norm(direction, axis=1, keepdims=True)
        states = rng.uniform(*self.radius, size=(num, 1)) * direction
        return tuple(np.split(states, 2, axis=1))
