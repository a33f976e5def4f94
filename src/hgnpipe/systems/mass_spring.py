"""A mass on a spring (paper, Sec. 4)."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from torch import Tensor

from hgnpipe.systems._one_body import OneBody


@dataclass(frozen=True, kw_only=True)
class MassSpring(OneBody):
    r"""Frictionless mass on a spring, :math:`H = k q^2 / 2 + p^2 / (2m)`.

    Attributes:
        k: Spring constant.
        m: Mass.
    """

    POSITIVE = (*OneBody.POSITIVE, "m")
    k: float = 2.0
    m: float = 0.5
    radius: tuple[float, float] = (0.1, 1.0)
    # CHOICE (Sec. 4): the paper writes "standard deviation sigma^2 = 0.1"; we take 0.1
    # as the standard deviation, here and below.
    noise_std: float = 0.1
    # CHOICE (Sec. 4, silent): from the time span of Greydanus et al., 3 units.
    frame_dt: float = 0.1
    view: float = 2.0

    def hamiltonian(
        self, q: Float[Tensor, "*B 1"], p: Float[Tensor, "*B 1"]
    ) -> Float[Tensor, "*B"]:
        """Elastic plus kinetic energy."""
        return (self.k * q.square() / 2 + p.square() / (2 * self.m)).sum(-1)

    def bodies(self, q: Float[np.ndarray, "*b 1"]) -> Float[np.ndarray, "*b 1 2"]:
        """The mass, moving up and down at (0, q)."""
        return np.stack([np.zeros_like(q), q], axis=-1)
