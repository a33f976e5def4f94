"""The posterior of a latent image or vector."""

from torch import Tensor
from torch.distributions import Independent, Normal


def diagonal_gaussian(mean: Tensor, std: Tensor) -> Independent:
    """Gaussian over latent images, or vectors.

    Unchecked: a diverged training is for `hgnpipe.training.loop.fit` to report, and on
    a GPU the check would make every iteration wait.
    """
    normal = Normal(mean, std, validate_args=False)
    return Independent(normal, mean.dim() - 1, validate_args=False)
