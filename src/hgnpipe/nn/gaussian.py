"""The posterior of a latent image or vector."""

import torch
from torch import Tensor
from torch.distributions import Independent, Normal


def diagonal_gaussian(mean: Tensor, std: Tensor) -> Independent:
    """Gaussian over latent images, or vectors.

    Unchecked: a diverged training is for `hgnpipe.training.loop.fit` to report, and on
    a GPU the check would make every iteration wait.
    """
    normal = Normal(mean, std, validate_args=False)
    return Independent(normal, mean.dim() - 1, validate_args=False)


def draw_from(
    posterior: Independent,
    generator: torch.Generator | None = None,
    share: float | Tensor = 1.0,
) -> Tensor:
    """Mean of a posterior and noise, of which only a share if that is less than 1."""
    noise = torch.empty_like(posterior.mean).normal_(generator=generator)
    return posterior.mean + share * posterior.stddev * noise
