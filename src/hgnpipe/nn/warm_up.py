"""What of a training starts small and grows to full size; not in the paper."""

from dataclasses import dataclass
from typing import NamedTuple

from torch import Tensor

from hgnpipe.collection import require


class Schedule(NamedTuple):
    """What of a training iteration depends on its number.

    Attributes:
        horizon: Steps of the rollout.
        stochastic: Whether there are posterior noise and a KL term.
        weight: Their share, 0 to 1.
        geco_rate: How fast GECO's multiplier moves.
    """

    horizon: int
    stochastic: bool
    weight: float | Tensor
    geco_rate: float | Tensor


@dataclass(frozen=True, kw_only=True)
class WarmUp:
    """Growth of the rollout, of the posterior noise and of the KL term.

    Attributes:
        num_steps: Steps of the longest rollout.
        stochastic: Whether there ever are posterior noise and a KL term.
        kl_delay: See `hgnpipe.models.hgn.HGN`, also for the others.
        kl_ramp: Iterations after it.
        horizon_growth: Iterations of one more step.
        first_horizon: Steps at the start.
        geco_rate: How fast GECO's multiplier moves in the end.
        geco_start: Iterations before it moves.

    Raises:
        ValueError: If one is out of range.
    """

    num_steps: int
    stochastic: bool
    kl_delay: int
    kl_ramp: int
    horizon_growth: int
    first_horizon: int
    geco_rate: float
    geco_start: int

    def __post_init__(self) -> None:
        for name in (
            "kl_delay",
            "kl_ramp",
            "horizon_growth",
            "geco_rate",
            "geco_start",
        ):
            value = getattr(self, name)
            require(value >= 0, name, value, "zero or positive")
        first = self.first_horizon
        require(first >= 1, "first_horizon", first, "1 or more")

    def schedule(self, iteration: int) -> Schedule:
        """What of this iteration depends on its number."""
        weight = self.stochastic_weight(iteration)
        rate = float(self.geco_rate) if iteration >= self.geco_start else 0.0
        return Schedule(self.horizon(iteration), weight > 0, weight, rate)

    def horizon(self, iteration: int) -> int:
        """Steps of the training rollout at this iteration."""
        if self.horizon_growth == 0:
            return self.num_steps
        grown = self.first_horizon + iteration // self.horizon_growth
        return min(grown, self.num_steps)

    def stochastic_weight(self, iteration: int) -> float:
        """Share of posterior noise and KL term at this iteration, 0 to 1."""
        if not self.stochastic or iteration < self.kl_delay:
            return 0.0
        return min(1.0, (iteration - self.kl_delay + 1) / (self.kl_ramp + 1))
