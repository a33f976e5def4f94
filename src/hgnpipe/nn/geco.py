"""Lagrange multiplier that keeps the reconstruction error near a target (GECO).

Training minimises KL + lambda * (E - kappa), where E is the reconstruction error: while
pictures are worse than kappa allows, lambda grows and with it the weight of E; once
they are better it falls, and the KL term takes over.

Both terms are per element, T H W C of them: the KL divergence in nats is divided by
their number, E is a mean. So lambda = 1 / (2 sigma^2) would make the value the negative
evidence lower bound, per element, of pixels with Gaussian noise of deviation sigma. The
paper's Eq. 4 sums over the pixels of a frame and takes the mean over the T frames, and
the KL once: that is lambda = 1 / (2 T) for unit deviation, and for lambda = 1 the KL
weighs 2 T times less than there (62 times for 31 frames).

References:
    Rezende and Viola, Taming VAEs, 2018, Algorithm 1.
"""

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn

from hgnpipe.collection import require

MEMORY = 0.95
"""Share of the moving average of the error that is kept from one update to the next."""
RANGE = 1e-30, 1e30
"""Smallest and largest lambda: the loss is in single precision."""


class Geco(nn.Module):
    """Lagrange multiplier lambda, which moves by the relative violation of its bound.

    Every update in training multiplies lambda by exp(rate * (M / kappa - 1)), where M
    is the moving average of the error, the violation is clipped to [-1, 1], and lambda
    to its bounds. Nothing of it is trained by the optimiser.

    Args:
        kappa: Reconstruction error per element that is tolerated; above the best that
            the model can reach, otherwise lambda ends at its upper bound.
        initial: Value of lambda at the start.
        bounds: Smallest and largest lambda.

    Raises:
        ValueError: If an argument is out of range.
    """

    def __init__(
        self,
        kappa: float,
        initial: float = 1.0,
        bounds: tuple[float, float] = (0.1, 10.0),
    ) -> None:
        super().__init__()
        require(kappa > 0, "kappa", kappa, "positive")
        least, most = RANGE
        fit = len(bounds) == 2 and least <= bounds[0] <= bounds[1] <= most
        legal = f"0 < low <= high, between {least:g} and {most:g}"
        require(fit, "bounds of the multiplier", bounds, legal)
        low, high = bounds
        require(low <= initial <= high, "multiplier", initial, f"in {low} to {high}")
        self.kappa, self.low, self.high = kappa, low, high
        start = torch.tensor(math.log(initial), dtype=torch.float64)
        self.register_buffer("log_multiplier", start)
        self.register_buffer("error", torch.zeros((), dtype=torch.float64))

    @property
    def multiplier(self) -> Float[Tensor, ""]:
        """Current value of lambda."""
        return self.log_multiplier.exp().float()

    def loss(
        self,
        error: Float[Tensor, ""],
        kl: Float[Tensor, ""],
        rate: float | Float[Tensor, ""] = 0.0,
    ) -> Float[Tensor, ""]:
        """Value KL + lambda * (error - kappa); in training, lambda moves before.

        Args:
            error: Reconstruction error per element.
            kl: KL divergence per element.
            rate: How far log lambda moves where the bound is violated by all of kappa
                or more; 0 leaves lambda as it is.
        """
        if self.training:
            self._move(error.detach().double(), rate)
        return kl + self.multiplier * (error - self.kappa)

    def _move(self, error: Tensor, rate: float | Tensor) -> None:
        # In place and without a branch on numbers, so that a GPU can record it.
        mean = MEMORY * self.error + (1 - MEMORY) * error
        self.error.copy_(torch.where(self.error > 0, mean, error))
        step = rate * (self.error / self.kappa - 1).clamp(-1, 1)
        moved = self.log_multiplier + step.nan_to_num()
        self.log_multiplier.copy_(moved.clamp(math.log(self.low), math.log(self.high)))

    @property
    def remark(self) -> str:
        """At which bound lambda is and what that means; empty inside of them."""
        found, error = self.multiplier.item(), f"the error is {self.error.item():.3g}"
        if found >= self.high * (1 - 1e-6):
            return (
                f"GECO: lambda is at its upper bound {self.high:g}: {error}, kappa "
                f"{self.kappa:g} is out of reach."
            )
        if found <= self.low * (1 + 1e-6):
            return (
                f"GECO: lambda is at its lower bound {self.low:g}: {error}, below "
                f"kappa {self.kappa:g} without effort."
            )
        return ""
