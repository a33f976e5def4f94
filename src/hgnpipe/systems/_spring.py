"""Masses on springs."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from torch import Tensor

from hgnpipe.systems._one_body import OneBody


class OnSpring(OneBody):
    """One mass that a spring moves up and down."""

    def bodies(self, q: Float[np.ndarray, "*b 1"]) -> Float[np.ndarray, "*b 1 2"]:
        """The mass, moving up and down at (0, q)."""
        return np.stack([np.zeros_like(q), q], axis=-1)


@dataclass(frozen=True, kw_only=True)
class LinearSpring(OnSpring):
    """A mass whose spring pulls in proportion to its length.

    Attributes:
        k: Spring constant.
        m: Mass.
    """

    POSITIVE = (*OnSpring.POSITIVE, "m")
    k: float = 2.0
    m: float = 0.5

    def hamiltonian(
        self, q: Float[Tensor, "*B 1"], p: Float[Tensor, "*B 1"]
    ) -> Float[Tensor, "*B"]:
        """Elastic plus kinetic energy."""
        return (self.k * q.square() / 2 + p.square() / (2 * self.m)).sum(-1)
