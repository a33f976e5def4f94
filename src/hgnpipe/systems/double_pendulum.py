"""A pendulum that hangs from another one: chaotic."""

from dataclasses import dataclass, field

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from hgnpipe.systems._sphere import OnSphere
from hgnpipe.systems.base import COLORS, Color


@dataclass(frozen=True, kw_only=True)
class DoublePendulum(OnSphere):
    r"""Two equal bobs on two equal rods, angles from the vertical.

    .. math::
        H = \frac{p_1^2 + 2 p_2^2 - 2 p_1 p_2 \cos(q_1 - q_2)}
                 {2 m l^2 (1 + \sin^2(q_1 - q_2))}
            + m g l (3 - 2 \cos q_1 - \cos q_2)

    It cannot be written as K(p) + V(q).

    Attributes:
        m: Mass of each bob.
        g: Gravitational acceleration.
        length: Length of each rod, l.
    """

    POSITIVE = (*OnSphere.POSITIVE, "m", "length")
    MAX_DRIFT = 1e-8  # what is lost grows fast where motion is chaotic
    m: float = 1.0
    g: float = 3.0
    length: float = 1.0
    radius: tuple[float, float] = (1.0, 2.5)
    noise_std: float = 0.05
    frame_dt: float = 0.15
    view: float = 2.6
    num_coordinates: int = field(default=2, init=False)
    colors: tuple[Color, ...] = field(default=COLORS[:2], init=False)

    def hamiltonian(
        self, q: Float[Tensor, "*B 2"], p: Float[Tensor, "*B 2"]
    ) -> Float[Tensor, "*B"]:
        """Kinetic plus gravitational energy, zero at rest below."""
        (q1, q2), (p1, p2) = q.unbind(-1), p.unbind(-1)
        between = q1 - q2
        moved = p1.square() + 2 * p2.square() - 2 * p1 * p2 * torch.cos(between)
        inertia = 2 * self.m * self.length**2 * (1 + torch.sin(between).square())
        height = self.length * (3 - 2 * torch.cos(q1) - torch.cos(q2))
        return moved / inertia + self.m * self.g * height

    def bodies(self, q: Float[np.ndarray, "*b 2"]) -> Float[np.ndarray, "*b 2 2"]:
        """The bobs, the first at (l sin q1, -l cos q1), the second below it."""
        rods = self.length * np.stack([np.sin(q), -np.cos(q)], axis=-1)
        return rods.cumsum(axis=-2)
