"""The contract between flows and the training and evaluation stages."""

from typing import NamedTuple, Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor


class LogDensity(NamedTuple):
    """What a flow says about ln p of some points, in nats.

    Attributes:
        bound: Lower bound, the ELBO (paper, Eq. 6), ``(B,)``; the exact value for flows
            that have it.
        estimate: Importance-weighted estimate, ``(B,)``: between the bound and the
            exact value on average, and tends to the latter with the number of samples.
    """

    bound: Tensor
    estimate: Tensor


@runtime_checkable
class Flow(Protocol):
    """A density of points that can be trained, sampled and evaluated.

    Options are the keyword arguments of the constructor. Where some have no effect
    beside others, a static method ``unused_options(options)`` gives their names from
    all options, those left out at their defaults; see
    `hgnpipe.collection.Collection.unused`.

    Attributes:
        num_dims: Dimension d of the points.
        exact: Whether `log_density` is exact, whatever the number of samples.
    """

    num_dims: int
    exact: bool

    def loss(
        self,
        points: Float[Tensor, "B d"],
        iteration: int,
        generator: torch.Generator | None = None,
    ) -> dict[str, Tensor]:
        """Training objective under ``"loss"``: minus ln p, or minus its bound."""
        ...

    def log_density(
        self,
        points: Float[Tensor, "B d"],
        num_importance_samples: int = 1,
        generator: torch.Generator | None = None,
    ) -> LogDensity:
        """Log-density of points, in nats.

        Args:
            points: Where to evaluate it.
            num_importance_samples: Samples per point, K; more make the estimate better.
            generator: Source of the samples, on the device of ``points``.
        """
        ...

    def sample(
        self, num: int, generator: torch.Generator | None = None
    ) -> Float[Tensor, "num d"]:
        """Independent draws from the density."""
        ...
