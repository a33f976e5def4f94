"""A pendulum (paper, Sec. 4)."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from hgnpipe.systems._one_body import OneBody


@dataclass(frozen=True, kw_only=True)
class Pendulum(OneBody):
    r"""Ideal pendulum, :math:`H = 2 m g l (1 - \cos q) + p^2 / (2 m l^2)`.

    The factor 2 is the paper's: with it no trajectory goes over the top.

    Attributes:
        m: Mass.
        g: Gravitational acceleration.
        length: Length of the rod, l.
    """

    POSITIVE = (*OneBody.POSITIVE, "m", "length")
    m: float = 0.5
    g: float = 3.0
    length: float = 1.0
    radius: tuple[float, float] = (1.3, 2.3)
    noise_std: float = 0.1
    frame_dt: float = 0.1
    view: float = 2.0

    def hamiltonian(
        self, q: Float[Tensor, "*B 1"], p: Float[Tensor, "*B 1"]
    ) -> Float[Tensor, "*B"]:
        """Gravitational plus kinetic energy."""
        potential = 2 * self.m * self.g * self.length * (1 - torch.cos(q))
        return (potential + p.square() / (2 * self.m * self.length**2)).sum(-1)

    def bodies(self, q: Float[np.ndarray, "*b 1"]) -> Float[np.ndarray, "*b 1 2"]:
        """The bob, hanging at (l sin q, -l cos q)."""
        return self.length * np.stack([np.sin(q), -np.cos(q)], axis=-1)
