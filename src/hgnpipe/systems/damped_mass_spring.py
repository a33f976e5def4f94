"""A mass on a spring that comes to rest: not a Hamiltonian system."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from torch import Tensor

from hgnpipe.systems._one_body import OneBody


@dataclass(frozen=True, kw_only=True)
class DampedMassSpring(OneBody):
    r"""Mass on a spring with friction, :math:`\dot p = -k q - \gamma p`.

    What conserves an energy cannot follow it: the case where a Hamiltonian model fails.

    Attributes:
        k: Spring constant.
        m: Mass.
        gamma: Rate at which friction takes the momentum away.
    """

    POSITIVE = (*OneBody.POSITIVE, "m")
    k: float = 2.0
    m: float = 0.5
    gamma: float = 0.6
    radius: tuple[float, float] = (0.5, 1.0)
    noise_std: float = 0.1
    frame_dt: float = 0.1
    view: float = 2.0

    def hamiltonian(
        self, q: Float[Tensor, "*B 1"], p: Float[Tensor, "*B 1"]
    ) -> Float[Tensor, "*B"]:
        """Elastic plus kinetic energy; friction takes it away."""
        return (self.k * q.square() / 2 + p.square() / (2 * self.m)).sum(-1)

    def friction(
        self, q: Float[Tensor, "*B 1"], p: Float[Tensor, "*B 1"]
    ) -> Float[Tensor, "*B 1"]:
        """Against the motion, -gamma p."""
        return -self.gamma * p

    def bodies(self, q: Float[np.ndarray, "*b 1"]) -> Float[np.ndarray, "*b 1 2"]:
        """The mass, moving up and down at (0, q)."""
        return np.stack([np.zeros_like(q), q], axis=-1)
