"""Two masses on springs of their own, with a third spring between them."""

from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float
from torch import Tensor

from hgnpipe.systems._sphere import OnSphere
from hgnpipe.systems.base import COLORS, Color


@dataclass(frozen=True, kw_only=True)
class CoupledSprings(OnSphere):
    r"""Two equal masses, :math:`H = (k |q|^2 + c (q_1 - q_2)^2)/2 + |p|^2/(2m)`.

    Energy goes to and fro between them, slowly if c is small.

    Attributes:
        k: Constant of the spring that holds each mass.
        c: Constant of the spring between them.
        m: Mass of each.
    """

    POSITIVE = (*OnSphere.POSITIVE, "m")
    k: float = 2.0
    c: float = 0.5
    m: float = 0.5
    radius: tuple[float, float] = (0.5, 1.2)
    noise_std: float = 0.05
    frame_dt: float = 0.1
    view: float = 2.0
    num_coordinates: int = field(default=2, init=False)
    colors: tuple[Color, ...] = field(default=COLORS[:2], init=False)

    def hamiltonian(
        self, q: Float[Tensor, "*B 2"], p: Float[Tensor, "*B 2"]
    ) -> Float[Tensor, "*B"]:
        """Elastic energy of three springs plus kinetic energy."""
        springs = self.k * q.square().sum(-1) + self.c * q.diff(dim=-1).square().sum(-1)
        return springs / 2 + p.square().sum(-1) / (2 * self.m)

    def bodies(self, q: Float[np.ndarray, "*b 2"]) -> Float[np.ndarray, "*b 2 2"]:
        """Side by side, each moving up and down."""
        side = np.broadcast_to([-0.8, 0.8], q.shape)
        return np.stack([side, q], axis=-1)
