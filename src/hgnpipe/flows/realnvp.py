"""RNVP, the baseline of NHF: affine couplings with alternating masks (paper, Sec. A.2).

From zuko (https://zuko.readthedocs.io), which is made for flows; this file gives it the
contract of ours.
"""

import torch
import zuko
from jaxtyping import Float, Shaped
from torch import Tensor, nn

from hgnpipe.collection import require
from hgnpipe.flows.base import LogDensity, finite_or_none, points_for


class RealNVP(nn.Module):
    """Real-valued non-volume-preserving flow of Dinh et al., 2017.

    Args:
        num_dims: Dimension d of the data, 2 or more: a coupling changes one half of the
            coordinates given the other.
        num_steps: Affine couplings, with alternating masks; 2 or 3 in the paper.
        hidden_size: Units of both hidden layers of the ReLU network of a coupling.

    Raises:
        ValueError: If an option is out of range.
    """

    exact = True

    def __init__(
        self, *, num_dims: int, num_steps: int = 3, hidden_size: int = 128
    ) -> None:
        super().__init__()
        require(num_dims >= 2, "num_dims", num_dims, "2 or more for RNVP's couplings")
        for name, value in {"num_steps": num_steps, "hidden_size": hidden_size}.items():
            require(value >= 1, name, value, "1 or more")
        self.num_dims = num_dims
        self.flow = zuko.flows.RealNVP(
            num_dims, transforms=num_steps, hidden_features=(hidden_size, hidden_size)
        )

    def loss(
        self,
        points: Float[Tensor, "B d"],
        iteration: int,
        generator: torch.Generator | None = None,
    ) -> dict[str, Tensor]:
        """Minus ln p, exactly."""
        return {"loss": -self.flow().log_prob(points).mean()}

    def log_density(
        self,
        points: Shaped[Tensor, "B d"],
        num_importance_samples: int = 1,
        generator: torch.Generator | None = None,
    ) -> LogDensity:
        """Exact ln p, twice; the other arguments have no effect."""
        points = points_for(self, points, num_importance_samples)
        exact = finite_or_none(self.flow().log_prob(points))
        return LogDensity(exact, exact)

    def sample(
        self, num: int, generator: torch.Generator | None = None
    ) -> Float[Tensor, "num d"]:
        """Standard normal noise through the inverse of the couplings."""
        like = next(self.parameters())
        kind = {"dtype": like.dtype, "device": like.device}
        noise = torch.randn(num, self.num_dims, generator=generator, **kind)
        with torch.no_grad():
            return self.flow().transform.inv(noise)
