"""Bodies that attract each other."""

import numpy as np
from jaxtyping import Float
from torch import Tensor

from hgnpipe.systems.base import System


class Gravity(System):
    """Point masses in the plane that attract each other by Newton's law.

    ``q`` and ``p`` list x and y of the first body, then of the second, and so on.
    """

    POSITIVE = (*System.POSITIVE, "m", "g")

    def hamiltonian(
        self, q: Float[Tensor, "*B n"], p: Float[Tensor, "*B n"]
    ) -> Float[Tensor, "*B"]:
        """Kinetic energy of all bodies, minus g m m / r over all pairs."""
        energy = p.square().sum(-1) / (2 * self.m)
        bodies = q.unflatten(-1, (-1, 2))
        num = bodies.shape[-2]
        for i in range(num):
            for j in range(i + 1, num):
                r = (bodies[..., j, :] - bodies[..., i, :]).square().sum(-1).sqrt()
                energy = energy - self.g * self.m**2 / r
        return energy

    def bodies(self, q: Float[np.ndarray, "*b n"]) -> Float[np.ndarray, "*b bodies 2"]:
        """The point masses where they are."""
        return q.reshape(*q.shape[:-1], -1, 2)

    def _circular_speed(self, r: np.ndarray, num_bodies: int) -> np.ndarray:
        """Speed at which equal masses on a regular polygon of radius r circle."""
        k = np.arange(1, num_bodies)
        pull = (1 / (4 * np.sin(np.pi * k / num_bodies))).sum()
        return np.sqrt(self.g * self.m * pull / r)

    def polygon(
        self, rng: np.random.Generator, num: int, num_bodies: int
    ) -> tuple[Float[np.ndarray, "num bodies 2"], Float[np.ndarray, "num bodies 2"]]:
        """Positions and momenta of circular orbits, first body at a random angle."""
        r = rng.uniform(*self.radius, size=(num, 1, 1))
        first = rng.uniform(0, 2 * np.pi, size=(num, 1))
        angle = first + 2 * np.pi * np.arange(num_bodies) / num_bodies
        q = r * np.stack([np.cos(angle), np.sin(angle)], axis=-1)
        tangent = np.stack([-np.sin(angle), np.cos(angle)], axis=-1)
        return q, self.m * self._circular_speed(r, num_bodies) * tangent
