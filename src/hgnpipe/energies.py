"""Energies of latent images, with their gradients in closed form (paper, Sec. A.1)."""

from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from hgnpipe.nets import initialise
from hgnpipe.registry import require


class ConvEnergy(nn.Module):
    """Energy of a latent image: soft-plus convolutions, summed over positions.

    Maps ``(B, in_channels, s, s)`` to ``(B,)``. Six 3x3 layers; the last has one output
    channel and no bias, because a constant energy moves nothing.

    Args:
        in_channels: Channels of the latent image.
        num_filters: Filters of the hidden layers, 64 in the paper.
        num_layers: Number of convolutions, 6 in the paper.
        gradient_rms: If given, scale the last layer so that the gradient at unit-normal
            inputs has this root mean square at initialisation. With torch's default it
            is about 1e-3, and nothing moves for a long time.
        latent_size: Side of the latent image on which ``gradient_rms`` is measured.
    """

    # CHOICE (A.1, silent): softplus. Motion needs the gradient and training its
    # derivative, and the second derivative of a ReLU is zero.
    def __init__(
        self,
        in_channels: int,
        num_filters: int = 64,
        num_layers: int = 6,
        gradient_rms: float | None = None,
        latent_size: int = 4,
    ) -> None:
        super().__init__()
        require(
            gradient_rms is None or gradient_rms > 0,
            "gradient_rms", gradient_rms, "positive",
        )  # fmt: skip
        widths = [in_channels, *[num_filters] * (num_layers - 1), 1]
        self.layers = nn.ModuleList(
            nn.Conv2d(fan_in, fan_out, 3, padding=1, bias=i < num_layers - 1)
            for i, (fan_in, fan_out) in enumerate(pairwise(widths))
        )
        initialise(self, gain=2.0)
        if gradient_rms is not None:
            with torch.no_grad():
                x = torch.randn(64, in_channels, latent_size, latent_size)
                rms = self.gradient(x).square().mean().sqrt()
                self.layers[-1].weight.mul_(gradient_rms / rms)

    def forward(self, x: Float[Tensor, "B c s s"]) -> Float[Tensor, " B"]:
        """Energy of each latent image."""
        for layer in self.layers[:-1]:
            x = F.softplus(layer(x))
        return self.layers[-1](x).sum(dim=(1, 2, 3))

    def gradient(self, x: Float[Tensor, "B c s s"]) -> Float[Tensor, "B c s s"]:
        """Gradient of the energy with respect to its input, by the chain rule.

        The same numbers as differentiating `forward`, written as forward operations:
        training then needs one reverse pass over them instead of two.
        """
        slopes = []
        for layer in self.layers[:-1]:
            x = layer(x)
            slopes.append(torch.sigmoid(x))
            x = F.softplus(x)
        last = self.layers[-1]
        ones = x.new_ones(len(x), 1, *x.shape[2:])
        g = F.conv_transpose2d(ones, last.weight, padding=1)
        for layer, slope in zip(
            reversed(self.layers[:-1]), reversed(slopes), strict=True
        ):
            g = F.conv_transpose2d(g * slope, layer.weight, padding=1)
        return g
