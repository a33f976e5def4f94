"""Duffing oscillator: a mass on a spring that is not linear."""

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from hgnpipe.systems._spring import OnSpring


@dataclass(frozen=True, kw_only=True)
class Duffing(OnSpring):
    r"""Mass on a stiffening spring, :math:`H = k q^2/2 + c q^4/4 + p^2/(2m)`.

    Its period depends on how far it swings. With a negative k it has two wells, and the
    energy of a state may be zero.

    Attributes:
        k: Spring constant of small displacements.
        c: How fast the spring stiffens.
        m: Mass.
    """

    POSITIVE = (*OnSpring.POSITIVE, "c", "m")
    k: float = 1.0
    c: float = 3.0
    m: float = 1.0
    radius: tuple[float, float] = (0.3, 1.0)
    noise_std: float = 0.05
    frame_dt: float = 0.2
    view: float = 2.0

    def hamiltonian(
        self, q: Float[Tensor, "*B 1"], p: Float[Tensor, "*B 1"]
    ) -> Float[Tensor, "*B"]:
        """Elastic plus kinetic energy."""
        elastic = self.k * q.square() / 2 + self.c * q**4 / 4
        return (elastic + p.square() / (2 * self.m)).sum(-1)
