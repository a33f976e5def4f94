"""A mass on a spring that comes to rest: not a Hamiltonian system."""

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from hgnpipe.systems._spring import LinearSpring


@dataclass(frozen=True, kw_only=True)
class DampedMassSpring(LinearSpring):
    r"""Mass on a spring with friction, :math:`\dot p = -k q - \gamma p`.

    What conserves an energy cannot follow it: the case where a Hamiltonian model fails.

    Attributes:
        k: Spring constant.
        m: Mass.
        gamma: Rate at which friction takes the momentum away.
    """

    gamma: float = 0.6
    radius: tuple[float, float] = (0.5, 1.0)
    noise_std: float = 0.1
    frame_dt: float = 0.1
    view: float = 2.0

    def friction(
        self, q: Float[Tensor, "*B 1"], p: Float[Tensor, "*B 1"]
    ) -> Float[Tensor, "*B 1"]:
        """Against the motion, -gamma p."""
        return -self.gamma * p
