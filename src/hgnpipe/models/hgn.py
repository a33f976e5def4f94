"""Hamiltonian Generative Network (paper, Sec. 3.2 and A.1).

What is Hamiltonian about it: the latent state (q, p) of a video moves by Hamilton's
equations under a learned energy. How states are inferred, shown and trained is Fig. 2
of the paper, `hgnpipe.models._latent_video`. The four variants of Table 1 are
constructor arguments, not subclasses.
"""

from typing import Any

from hgnpipe.collection import lookup, require
from hgnpipe.integrators import FIELD_INTEGRATORS, INTEGRATORS
from hgnpipe.models._latent_video import LatentVideo, check_inferred
from hgnpipe.nn.latents import joint_energy, separable_energy


class HGN(LatentVideo):
    """Generative model of videos whose latent state obeys Hamilton's equations.

    Args:
        integrator: ``euler``, ``leapfrog``, ``rk4`` or ``yoshida4``, see
            `hgnpipe.integrators`.
        separable: Whether H(q, p) = K(p) + V(q), as in the paper; otherwise it is one
            network of both, which only ``euler`` and ``rk4`` can integrate: a step of
            the others is explicit, symplectic and reversible for separable ones alone.
        gradient_rms: Size of dH/dq and dH/dp at initialisation, see `ConvEnergy`.

    Raises:
        ValueError: If an argument is out of range, or does not go with another.
    """

    def __init__(
        self,
        *,
        integrator: str = "leapfrog",
        separable: bool = True,
        gradient_rms: float | None = None,
        **shared: Any,
    ) -> None:
        step = lookup("integrator", integrator, INTEGRATORS)
        check_inferred(integrator, **shared)
        if not separable:
            legal = f"{' or '.join(FIELD_INTEGRATORS)} where separable is false"
            legal_here = integrator in FIELD_INTEGRATORS
            require(legal_here, "integrator", integrator, legal)
            step = FIELD_INTEGRATORS[integrator]
        energy = separable_energy if separable else joint_energy
        super().__init__(
            lambda sizes: {"hamiltonian": energy(sizes, gradient_rms)}, **shared
        )
        self.integrator, self.separable = step, separable

    @property
    def moved_by(self) -> Any:
        """The energy, or Hamilton's equations of one that is not separable."""
        return self.hamiltonian if self.separable else self.hamiltonian.rates
