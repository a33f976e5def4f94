"""Latent neural ODE: HGN without the Hamiltonian, to see what that buys.

Encoder, decoder, loss and options are those of HGN; only the law of motion differs: a
network says the rates of change of the state, and no energy need be conserved.

References:
    Chen, Rubanova, Bettencourt, Duvenaud, Neural Ordinary Differential Equations,
    NeurIPS 2018, Sec. 5.
"""

from typing import Any

import torch
from torch import nn

from hgnpipe.collection import lookup
from hgnpipe.hamiltonian import State
from hgnpipe.integrators import FIELD_INTEGRATORS
from hgnpipe.models._latent_video import LatentVideo, check_inferred
from hgnpipe.nn.latents import Sizes
from hgnpipe.nn.networks import MLP, ConvStack


class LatentODE(LatentVideo):
    """Generative model of videos whose latent state z obeys dz/dt = f(z).

    The state is called (q, p), and half of it, q, is what the decoder sees, as in HGN.
    A negative time step leads back, up to the error of the integrator.

    Args:
        integrator: ``euler`` or ``rk4``, see `hgnpipe.integrators`.
    """

    def __init__(self, *, integrator: str = "rk4", **shared: Any) -> None:
        step = lookup("integrator", integrator, FIELD_INTEGRATORS)
        check_inferred(integrator, **shared)
        super().__init__(lambda sizes: {"field": Field(sizes)}, **shared)
        self.integrator = step

    @property
    def moved_by(self) -> nn.Module:
        """The rates of change."""
        return self.field


class Field(nn.Module):
    """Rates of change of a state (q, p), from a network of both.

    Args:
        sizes: Of the state. Those of a vector start near the oscillator dq/dt = 2p,
            dp/dt = -2q, as HGN's do, see `hgnpipe.nn.energies.QuadraticEnergy`.
    """

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        if sizes.are_images:
            width, size = sizes.num_filters, 2 * sizes.latent_channels
            self.turn, self.network = 0.0, ConvStack([size, width, width, size])
            return
        width, size = sizes.hidden_size, 2 * sizes.num_pairs
        self.turn, self.network = 2.0, MLP([size, width, width, width, size], nn.SiLU)
        with torch.no_grad():
            self.network[-1].weight.mul_(0.1)

    def forward(self, state: State) -> State:
        """Time derivatives of q and of p."""
        q, p = state
        dq, dp = self.network(torch.cat(state, dim=1)).chunk(2, dim=1)
        return State(dq + self.turn * p, dp - self.turn * q)
