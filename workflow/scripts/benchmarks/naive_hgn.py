"""HGN's training loss as one would first write it: to check against, and to measure.

Every operation of the paper is done as it reads: the energy is differentiated by
automatic differentiation, images are upsampled before they are convolved, all frames
are decoded at once and remembered for the reverse pass. `hgnpipe.models.hgn.HGN.loss`
is the same function, with the same gradients, in less time and memory.
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.distributions import kl_divergence
from torch.nn import functional as F

from hgnpipe.hamiltonian import SeparableHamiltonian
from hgnpipe.integrators import rollout
from hgnpipe.models.hgn import HGN
from hgnpipe.nn.gaussian import diagonal_gaussian
from hgnpipe.nn.networks import LEAK, ConvDecoder


def naive_loss(
    model: HGN,
    frames: Float[Tensor, "B T 3 S S"],
    generator: torch.Generator | None = None,
) -> Float[Tensor, ""]:
    """The loss of `HGN.loss` for all frames, without any of its schedules.

    Args:
        model: Its parameters receive the gradients.
        frames: Videos, values in [0, 1].
        generator: Of the posterior noise.
    """
    mean, log_variance = model.encoder(model.scaler(frames)).chunk(2, dim=1)
    posterior = diagonal_gaussian(mean, torch.exp(log_variance / 2))
    z = mean
    if not model.deterministic:
        noise = torch.empty_like(mean).normal_(generator=generator)
        z = mean + posterior.stddev * noise
    kinetic, potential = model.hamiltonian.kinetic, model.hamiltonian.potential
    path = rollout(
        model.integrator,
        SeparableHamiltonian(_ValueOnly(kinetic), _ValueOnly(potential)),
        model.state_of(z),
        model.dt,
        frames.shape[1] - 1,
    )
    logits = _logits(model.decoder, path.q.flatten(0, 1))
    pictures = model.scaler.to_pixels(logits)
    mse = F.mse_loss(pictures, frames.flatten(0, 1))
    if model.geco is None:
        return mse
    kl = kl_divergence(posterior, model.prior(z)).mean()
    return model.geco.loss(mse, kl / frames[0].numel())


class _ValueOnly(nn.Module):
    """An energy that does not know its gradient."""

    def __init__(self, energy: nn.Module) -> None:
        super().__init__()
        self.energy = energy

    def forward(self, x: Float[Tensor, "B *n"]) -> Float[Tensor, " B"]:
        """Energy of each point."""
        return self.energy(x)


def _logits(decoder: ConvDecoder, q: Float[Tensor, "B c s s"]) -> Tensor:
    x = torch.cat([q, decoder.constants.expand(len(q), -1, -1, -1)], dim=1)
    for first, second in decoder.blocks:
        x = F.interpolate(x, scale_factor=2, mode="nearest")
        y = F.leaky_relu(first(x), LEAK)
        y = F.leaky_relu(second(y), LEAK)
        if decoder.printed_form:
            y = torch.sigmoid(x + y if x.shape == y.shape else y)
        x = y
    return decoder.to_rgb(x)
