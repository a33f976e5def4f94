"""Lagrange multiplier that keeps the reconstruction error near a target (GECO).

Training minimises KL + lambda * C over the network and maximises it over lambda, with
the constraint C = (reconstruction error) - kappa: while frames are worse than kappa
allows, their weight grows; once they are better, the KL term takes over.

References:
    Rezende and Viola, Generalized ELBO with Constrained Optimization, 2018.
"""

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from hgnpipe.collection import require


class Geco(nn.Module):
    """Lagrange multiplier lambda = softplus(raw), trained by gradient ascent.

    Args:
        kappa: Reconstruction error per element that is tolerated; above the noise floor
            of the data, otherwise lambda grows without end.
        initial: Value of lambda at the start.
    """

    def __init__(self, kappa: float, initial: float = 1.0) -> None:
        super().__init__()
        require(kappa >= 0, "kappa", kappa, "zero or positive")
        require(initial > 0, "initial multiplier", initial, "positive")
        self.kappa = kappa
        # ln(exp(initial) - 1), which does not overflow.
        raw = initial + math.log(-math.expm1(-initial))
        self.raw = nn.Parameter(torch.tensor(raw))

    @property
    def multiplier(self) -> Float[Tensor, ""]:
        """Current value of lambda, positive."""
        return F.softplus(self.raw)

    def loss(
        self, error: Float[Tensor, ""], kl: Float[Tensor, ""]
    ) -> Float[Tensor, ""]:
        """Value KL + lambda * (error - kappa), with the gradients of a saddle point.

        One optimiser that minimises serves both sides: the networks receive the
        gradient of the value, ``raw`` the negative of it.

        Args:
            error: Reconstruction error per element.
            kl: KL divergence per element.
        """
        constraint = error - self.kappa
        ascent = self.multiplier * constraint.detach()
        descent = kl + self.multiplier.detach() * constraint
        return descent - ascent + ascent.detach()
