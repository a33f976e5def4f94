"""Hamilton's equations: turn any scalar energy H(q, p) into motion.

This is the only place where an energy is differentiated with respect to the state.
The ground-truth systems, HGN, PixelHNN and the Neural Hamiltonian Flow all move by
the two functions below; they differ only in the energy that they pass in.

Shapes: ``B`` is the batch; ``*n`` is the shape of one coordinate, for example ``(2,)``
for a planar body or ``(16, 4, 4)`` for the latent state of HGN.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn

Hamiltonian = Callable[[Tensor, Tensor], Tensor]
"""Energy function: positions and momenta, each ``(B, *n)``, to energies ``(B,)``."""


class State(NamedTuple):
    """A batch of points ``(q, p)`` in phase space.

    Attributes:
        q: Generalised positions, ``(B, *n)``.
        p: Conjugate momenta, same shape as ``q``.
    """

    q: Tensor
    p: Tensor


def velocity(
    hamiltonian: Hamiltonian, q: Float[Tensor, "B *n"], p: Float[Tensor, "B *n"]
) -> Float[Tensor, "B *n"]:
    r"""Rate of change of the position, :math:`\dot q = \partial H / \partial p`.

    First half of Hamilton's equations (paper, Eq. 3). Differentiable with respect to
    the state and to the parameters of ``hamiltonian``.

    The derivative is that of the function H at the point (q, p), whatever graph ``q``
    and ``p`` are part of: in a rollout p depends on q, and differentiating the tensor
    ``hamiltonian(q, p)`` would follow that path too.
    """
    if isinstance(hamiltonian, SeparableHamiltonian):
        return gradient(hamiltonian.kinetic, p)
    return gradient(lambda momentum: hamiltonian(q, momentum), p)


def force(
    hamiltonian: Hamiltonian, q: Float[Tensor, "B *n"], p: Float[Tensor, "B *n"]
) -> Float[Tensor, "B *n"]:
    r"""Rate of change of the momentum, :math:`\dot p = -\partial H / \partial q`.

    Second half of Hamilton's equations (paper, Eq. 3); see `velocity`.
    """
    if isinstance(hamiltonian, SeparableHamiltonian):
        return -gradient(hamiltonian.potential, q)
    return -gradient(lambda position: hamiltonian(position, p), q)


def motion(
    hamiltonian: Hamiltonian, q: Float[Tensor, "B *n"], p: Float[Tensor, "B *n"]
) -> State:
    """Both rates of change of a state, `velocity` and `force`, from one evaluation."""

    def energy(position: Tensor, momentum: Tensor) -> Tensor:
        return hamiltonian(position, momentum).sum()

    dq, dp = torch.func.grad(energy, argnums=(0, 1))(q, p)
    return State(dp, -dq)


def gradient(
    energy: Callable[[Tensor], Tensor], x: Float[Tensor, "B *n"]
) -> Float[Tensor, "B *n"]:
    """Gradient of the energy ``(B,)`` of each point in a batch of points ``(B, *n)``.

    An energy that knows its gradient in closed form (a ``gradient`` method, see
    `hgnpipe.nn.energies.ConvEnergy`) is asked: the same numbers, one reverse pass less.
    """
    if hasattr(energy, "gradient"):
        return energy.gradient(x)
    return torch.func.grad(lambda point: energy(point).sum())(x)


class SeparableHamiltonian(nn.Module):
    """Energy of the form H(q, p) = K(p) + V(q).

    Separability is what makes the leapfrog integrator explicit (paper, Sec. 3.2).

    Args:
        kinetic: Network for K, mapping ``(B, *n)`` to ``(B,)``.
        potential: Network for V, same interface. Neither needs a bias in its last
            layer: a constant energy offset does not change the motion.
    """

    def __init__(self, kinetic: nn.Module, potential: nn.Module) -> None:
        super().__init__()
        self.kinetic = kinetic
        self.potential = potential

    def forward(
        self, q: Float[Tensor, "B *n"], p: Float[Tensor, "B *n"]
    ) -> Float[Tensor, " B"]:
        """Total energy of each state in the batch."""
        return self.kinetic(p) + self.potential(q)

    def unrolled(self, like: Float[Tensor, "B *n"]) -> "SeparableHamiltonian":
        """The same for a rollout from a state ``like``, see `unrolled`."""
        return SeparableHamiltonian(
            unrolled(self.kinetic, like), unrolled(self.potential, like)
        )


def unrolled(moved_by: Any, like: Float[Tensor, "B *n"]) -> Any:
    """What moves states, in the form that is fastest for many steps in a row.

    An energy that has such a form (an ``unrolled`` method, see
    `hgnpipe.nn.energies.ConvEnergy`) is asked; the motion is the same.
    """
    if hasattr(moved_by, "unrolled"):
        return moved_by.unrolled(like)
    return moved_by
