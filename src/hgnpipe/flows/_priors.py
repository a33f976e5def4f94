"""Simple densities that Neural Hamiltonian Flow starts from (paper, Sec. 4, Fig. 9)."""

import torch
from torch import Tensor
from torch.distributions import Distribution, constraints
from torch.distributions.utils import broadcast_all
from torch.nn import functional as F


class SoftUniform(Distribution):
    r"""Uniform distribution with soft edges (paper, Sec. 4).

    .. math:: \pi(s; \sigma, \beta) \propto
        f(\beta (s + \sigma / 2)) \, f(-\beta (s - \sigma / 2))

    with the logistic sigmoid f. With a = sigma / 2 the product equals
    [f(beta (s + a)) - f(beta (s - a))] / (1 - exp(-2 beta a)), so that normaliser,
    distribution function and its inverse are exact. It is the density of the sum of a
    uniform variable on (-a, a) and a logistic one of scale 1 / beta.

    Args:
        sigma: Width of the box.
        beta: Sharpness of its edges, which are about 4 / beta wide.

    Raises:
        ValueError: If one of them is not positive.
    """

    arg_constraints = {  # noqa: RUF012 (as torch's own distributions do)
        "sigma": constraints.positive,
        "beta": constraints.positive,
    }
    support = constraints.real
    has_rsample = True

    def __init__(
        self,
        sigma: float | Tensor,
        beta: float | Tensor,
        validate_args: bool | None = None,
    ) -> None:
        self.sigma, self.beta = broadcast_all(sigma, beta)
        super().__init__(self.sigma.shape, validate_args=validate_args)

    def log_prob(self, value: Tensor) -> Tensor:
        """Log-density, in nats."""
        if self._validate_args:
            self._validate_sample(value)
        rising = F.logsigmoid(self.beta * (value + self.sigma / 2))
        falling = F.logsigmoid(-self.beta * (value - self.sigma / 2))
        return rising + falling - self.sigma.log() + _log1mexp(self.beta * self.sigma)

    def cdf(self, value: Tensor) -> Tensor:
        """Probability of less than ``value``."""
        # Difference of two soft-pluses, which are equal digits far away: what they have
        # more than max(0, x) is apart.
        inside = value.clamp(-self.sigma / 2, self.sigma / 2) / self.sigma + 0.5
        rising = F.softplus(-(self.beta * (value + self.sigma / 2)).abs())
        falling = F.softplus(-(self.beta * (value - self.sigma / 2)).abs())
        return inside + (rising - falling) / (self.beta * self.sigma)

    def icdf(self, value: Tensor) -> Tensor:
        """Point below which a draw is with probability ``value``."""
        width = self.beta * self.sigma
        edges = _log1mexp(width * value) - _log1mexp(width * (1 - value))
        return self.sigma * (value - 0.5) + edges / self.beta

    def rsample(self, sample_shape: torch.Size = torch.Size()) -> Tensor:  # noqa: B008
        """Draws, by the inverse of the distribution function."""
        shape = self._extended_shape(sample_shape)
        return self.icdf(inner_uniform(shape, self.sigma))

    @property
    def mean(self) -> Tensor:
        """Zero: the density is symmetric."""
        return torch.zeros_like(self.sigma)

    @property
    def variance(self) -> Tensor:
        """That of the box, and that of the logistic edge."""
        return self.sigma**2 / 12 + (torch.pi / self.beta) ** 2 / 3


def inner_uniform(
    shape: tuple[int, ...], like: Tensor, generator: torch.Generator | None = None
) -> Tensor:
    """Uniform numbers inside (0, 1), never at an end, of the kind of ``like``."""
    kind = {"dtype": like.dtype, "device": like.device}
    uniform = torch.rand(shape, generator=generator, **kind)
    step = torch.finfo(like.dtype).eps / 2
    return uniform.clamp(step, 1 - step)


def _log1mexp(x: Tensor) -> Tensor:
    """ln(1 - exp(-x)) for positive x."""
    return torch.log(-torch.expm1(-x))
