"""The contract between flows and the training and evaluation stages."""

from typing import NamedTuple, Protocol, runtime_checkable

import torch
from jaxtyping import Float, Shaped
from torch import Tensor

from hgnpipe.collection import require


class LogDensity(NamedTuple):
    """What a flow says about ln p of some points, in nats: finite or minus infinity.

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
        points: Shaped[Tensor, "B d"],
        num_importance_samples: int = 1,
        generator: torch.Generator | None = None,
    ) -> LogDensity:
        """Log-density of points, in nats; minus infinity where numbers run over.

        Args:
            points: Where to evaluate it; of any precision, which becomes the flow's.
            num_importance_samples: Samples per point, K; more make the estimate better.
            generator: Source of the samples, on the device of ``points``.

        Raises:
            ValueError: If the points are not finite or of another dimension than the
                flow, or the number of samples is not positive.
        """
        ...

    def sample(
        self, num: int, generator: torch.Generator | None = None
    ) -> Float[Tensor, "num d"]:
        """Independent draws from the density."""
        ...


def points_for(
    flow: torch.nn.Module, points: Shaped[Tensor, "B d"], num_importance_samples: int
) -> Float[Tensor, "B d"]:
    """Points in the precision of a flow, after a check of what `log_density` is given.

    Raises:
        ValueError: See `Flow.log_density`.
    """
    require(
        num_importance_samples >= 1,
        "num_importance_samples",
        num_importance_samples,
        "1 or more",
    )
    shape, legal = tuple(points.shape), f"(points, {flow.num_dims})"
    require(shape[1:] == (flow.num_dims,), "shape of the points", shape, legal)
    if not points.isfinite().all():
        raise ValueError("Points have a coordinate that is not a finite number.")
    return points.to(next(flow.parameters()).dtype)


def finite_or_none(log_density: Float[Tensor, "*B"]) -> Float[Tensor, "*B"]:
    """Minus infinity where a log-density is no number.

    A network that is asked far from what it has learned may give numbers too large for
    its precision, or too small, and then nothing but infinities and their differences.
    """
    none = -torch.inf
    return log_density.nan_to_num(nan=none, posinf=none, neginf=none)
