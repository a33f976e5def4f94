"""A mixture of Gaussians that is fitted to latent vectors, and drawn from."""

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from hgnpipe.collection import require


class Mixture(nn.Module):
    """Gaussians of any shape, by maximum likelihood; until it is fitted, a unit one.

    Args:
        num_dims: Length d of the vectors.
        num_components: Number of Gaussians K.

    Raises:
        ValueError: If a number is too small.
    """

    def __init__(self, num_dims: int, num_components: int) -> None:
        super().__init__()
        legal = "1 or more"
        require(num_components >= 1, "prior_components", num_components, legal)
        self.register_buffer("weights", torch.ones(num_components) / num_components)
        self.register_buffer("means", torch.zeros(num_components, num_dims))
        factors = torch.eye(num_dims).repeat(num_components, 1, 1)
        self.register_buffer("factors", factors)

    def fit(self, vectors: Float[Tensor, "N d"], seed: int) -> None:
        """Expectation maximisation, from the centres of k-means.

        Raises:
            ValueError: If there are fewer vectors than components.
        """
        from sklearn.mixture import GaussianMixture  # takes a second to import

        num, most = len(self.weights), len(vectors)
        require(num <= most, "prior_components", num, f"at most {most}, the vectors")
        found = GaussianMixture(num, random_state=seed, reg_covar=1e-4)
        found.fit(vectors.double().cpu().numpy())
        factors = np.linalg.cholesky(found.covariances_)
        values = (found.weights_, found.means_, factors)
        for buffer, value in zip(self.buffers(), values, strict=True):
            buffer.copy_(torch.from_numpy(value))

    def draw(
        self, num: int, generator: torch.Generator | None = None
    ) -> Float[Tensor, "num d"]:
        """Vectors of the mixture."""
        picks = torch.multinomial(self.weights, num, True, generator=generator)
        noise = self.means.new_empty(num, self.means.shape[1], 1)
        noise.normal_(generator=generator)
        return self.means[picks] + (self.factors[picks] @ noise).squeeze(2)
