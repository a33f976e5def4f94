"""Learned energies, with their gradients in closed form (paper, Sec. A.1 and A.2)."""

from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from hgnpipe.collection import require
from hgnpipe.nn.networks import initialise

Linear = Callable[[Tensor], Tensor]

MATRICES_ON = ("cuda",)
"""Devices on which a rollout uses `MatrixEnergy`."""


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
        widths = [in_channels, *[num_filters] * (num_layers - 1), 1]
        self.layers = nn.ModuleList(
            nn.Conv2d(fan_in, fan_out, 3, padding=1, bias=i < num_layers - 1)
            for i, (fan_in, fan_out) in enumerate(pairwise(widths))
        )
        initialise(self, gain=2.0)
        shape = (in_channels, latent_size, latent_size)
        scale_gradient(self, self.layers[-1], gradient_rms, shape)

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
        *hidden, last = self.layers
        ones = x.new_ones(len(x), 1, *x.shape[2:])
        g = F.conv_transpose2d(ones, last.weight, padding=1)
        back = [partial(_back_through, layer) for layer in hidden]
        return softplus_gradient(x, hidden, back, g)

    def unrolled(self, like: Float[Tensor, "B c s s"]) -> "MatrixEnergy | ConvEnergy":
        """What is fastest where the gradient is wanted many times in a row.

        Args:
            like: A latent image, on the device where it is to be.
        """
        return MatrixEnergy(self, like) if like.device.type in MATRICES_ON else self


class MatrixEnergy(nn.Module):
    """`ConvEnergy.gradient` by products with matrices, which are made once.

    On images this small a GPU needs longer to rearrange the numbers for a convolution
    than to multiply with the whole matrix that it is; a processor does not.

    Args:
        energy: The energy; gradients reach its weights.
        like: A latent image of the size to come.
    """

    def __init__(self, energy: ConvEnergy, like: Float[Tensor, "B c s s"]) -> None:
        super().__init__()
        pixels = like[0, 0].numel()
        self.biases, self.matrices = [], []
        for layer in energy.layers:
            num = layer.in_channels * pixels
            units = torch.eye(num, dtype=like.dtype, device=like.device)
            images = units.view(num, layer.in_channels, *like.shape[2:])
            self.matrices.append(F.conv2d(images, layer.weight, padding=1).flatten(1))
            if layer.bias is not None:
                self.biases.append(layer.bias.repeat_interleave(pixels))

    def gradient(self, x: Float[Tensor, "B c s s"]) -> Float[Tensor, "B c s s"]:
        """Gradient of the energy with respect to its input."""
        *hidden, last = self.matrices
        onwards = [
            partial(torch.addmm, bias, mat2=matrix)
            for bias, matrix in zip(self.biases, hidden, strict=True)
        ]
        back = [partial(F.linear, weight=matrix) for matrix in hidden]
        flat = softplus_gradient(x.flatten(1), onwards, back, last.sum(1))
        return flat.view(x.shape)


class MLPEnergy(nn.Module):
    """Energy of a point: a soft-plus multi-layer perceptron (paper, Sec. A.2).

    Maps ``(B, num_dims)`` to ``(B,)``. The last layer has no bias, because a constant
    energy moves nothing.

    Args:
        num_dims: Dimension of the point, d in the paper.
        hidden_size: Units of both hidden layers, 128 in the paper.
        gradient_rms: If given, scale the last layer so that the gradient at unit-normal
            inputs has this root mean square at initialisation; torch's default gives
            0.05 in two dimensions.
        feature_scale: If given, draw the weights of the first layer with this standard
            deviation, and its biases so that the bends of its soft-pluses lie anywhere
            in a box of half width 3, instead of torch's default.

    Raises:
        ValueError: If an option is out of range.
    """

    # CHOICE (A.2, silent): with torch's default an energy of a few coordinates starts
    # as a smooth bowl with all its bends near the origin, and training takes long to
    # make several minima of it.
    def __init__(
        self,
        num_dims: int,
        hidden_size: int = 128,
        gradient_rms: float | None = None,
        feature_scale: float | None = None,
    ) -> None:
        super().__init__()
        self.first = nn.Linear(num_dims, hidden_size)
        self.second = nn.Linear(hidden_size, hidden_size)
        self.last = nn.Linear(hidden_size, 1, bias=False)
        if feature_scale is not None:
            require(feature_scale > 0, "feature_scale", feature_scale, "positive")
            bends = 3 * (2 * torch.rand(hidden_size, num_dims) - 1)
            with torch.no_grad():
                self.first.weight.normal_(std=feature_scale)
                self.first.bias.copy_(-(self.first.weight * bends).sum(1))
        scale_gradient(self, self.last, gradient_rms, (num_dims,))

    def forward(self, x: Float[Tensor, "B n"]) -> Float[Tensor, " B"]:
        """Energy of each point."""
        hidden = F.softplus(self.second(F.softplus(self.first(x))))
        return self.last(hidden).squeeze(-1)

    def gradient(self, x: Float[Tensor, "B n"]) -> Float[Tensor, "B n"]:
        """Gradient of the energy with respect to its input, by the chain rule.

        See `ConvEnergy.gradient`.
        """
        layers = [self.first, self.second]
        back = [partial(torch.matmul, other=layer.weight) for layer in layers]
        return softplus_gradient(x, layers, back, self.last.weight)


class SwishEnergy(nn.Module):
    """Energy of a point: a multi-layer perceptron of swish, x times sigmoid(x).

    Maps ``(B, num_dims)`` to ``(B,)``. The last layer has no bias, because a constant
    energy moves nothing.

    Args:
        num_dims: Dimension of the point.
        hidden_size: Units of every hidden layer.
        num_hidden: Hidden layers.
        gradient_rms: See `MLPEnergy`.
    """

    # CHOICE (not in the paper): fitted to the true motion of two bodies, three layers
    # of swish were 6 times nearer after 1,500 iterations than two of soft-plus, and
    # 100 times nearer than three.
    def __init__(
        self,
        num_dims: int,
        hidden_size: int = 128,
        num_hidden: int = 3,
        gradient_rms: float | None = None,
    ) -> None:
        super().__init__()
        widths = [num_dims, *[hidden_size] * num_hidden]
        self.layers = nn.ModuleList(nn.Linear(*pair) for pair in pairwise(widths))
        self.last = nn.Linear(hidden_size, 1, bias=False)
        scale_gradient(self, self.last, gradient_rms, (num_dims,))

    def forward(self, x: Float[Tensor, "B n"]) -> Float[Tensor, " B"]:
        """Energy of each point."""
        for layer in self.layers:
            x = F.silu(layer(x))
        return self.last(x).squeeze(-1)

    def gradient(self, x: Float[Tensor, "B n"]) -> Float[Tensor, "B n"]:
        """Gradient of the energy with respect to its input, by the chain rule.

        See `ConvEnergy.gradient`.
        """
        slopes = []
        for layer in self.layers:
            x = layer(x)
            gate = torch.sigmoid(x)
            x = x * gate
            slopes.append(torch.addcmul(gate, x, 1 - gate))
        g = self.last.weight
        for layer, slope in zip(reversed(self.layers), reversed(slopes), strict=True):
            g = (g * slope) @ layer.weight
        return g


class QuadraticEnergy(nn.Module):
    """x^2 plus another energy.

    Both of kinetic and potential energy together start as a harmonic oscillator of 2
    radians per unit of time: a period of 25 frames at HGN's dt of 0.125.

    Maps ``(B, num_dims)`` to ``(B,)``.

    Args:
        rest: The other energy, with a ``gradient``.
    """

    def __init__(self, rest: nn.Module) -> None:
        super().__init__()
        self.rest = rest

    def forward(self, x: Float[Tensor, "B n"]) -> Float[Tensor, " B"]:
        """Energy of each point."""
        return x.square().sum(1) + self.rest(x)

    def gradient(self, x: Float[Tensor, "B n"]) -> Float[Tensor, "B n"]:
        """Gradient of the energy, see `ConvEnergy.gradient`."""
        return 2 * x + self.rest.gradient(x)


def softplus_gradient(
    x: Tensor, layers: Sequence[Linear], back: Sequence[Linear], g: Tensor
) -> Tensor:
    """Gradient of an energy of linear layers with a soft-plus after each of them.

    Args:
        x: Input of the first layer.
        layers: The layers.
        back: For each of them, the gradient with respect to its output to that with
            respect to its input.
        g: Gradient with respect to the last soft-plus.
    """
    slopes: list[Tensor] = []
    for layer in layers:
        x = layer(F.softplus(x) if slopes else x)
        slopes.append(torch.sigmoid(x))
    for apply, slope in zip(reversed(back), reversed(slopes), strict=True):
        g = apply(g * slope)
    return g


def _back_through(layer: nn.Conv2d, g: Tensor) -> Tensor:
    return F.conv_transpose2d(g, layer.weight, padding=1)


def scale_gradient(
    energy: nn.Module,
    last: nn.Linear | nn.Conv2d,
    rms: float | None,
    shape: tuple[int, ...],
) -> None:
    """Scale the last layer of an energy for a given size of its gradient.

    Args:
        energy: Network with a ``gradient``.
        last: Its last layer.
        rms: Root mean square of the gradient at unit-normal inputs; None leaves the
            network as it is.
        shape: Shape of one input.

    Raises:
        ValueError: If ``rms`` is not positive.
    """
    require(rms is None or rms > 0, "gradient_rms", rms, "positive")
    if rms is None:
        return
    with torch.no_grad():
        found = energy.gradient(torch.randn(64, *shape)).square().mean().sqrt()
        last.weight.mul_(rms / found)
