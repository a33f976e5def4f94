"""Networks that the models are made of (paper, Sec. A.1 and A.3)."""

import math
from collections.abc import Sequence
from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

LEAK = 0.2
"""Slope of the leaky ReLU, from the authors' released decoder."""


class ConvStack(nn.Sequential):
    """3x3 convolutions with leaky ReLUs between them.

    Maps ``(B, widths[0], S, S)`` to ``(B, widths[-1], s, s)``.

    Args:
        widths: Channels before, between and after the layers.
        halving: Indices of the layers that halve the image.
    """

    def __init__(self, widths: Sequence[int], halving: Sequence[int] = ()) -> None:
        layers: list[nn.Module] = []
        for i, (fan_in, fan_out) in enumerate(pairwise(widths)):
            stride = 2 if i in halving else 1
            layers.append(nn.Conv2d(fan_in, fan_out, 3, stride, padding=1))
            layers.append(nn.LeakyReLU(LEAK, inplace=True))
        super().__init__(*layers[:-1])
        initialise(self)


class ConvEncoder(ConvStack):
    """Eight convolutions from stacked frames to a small latent image.

    The first of them has half the filters ("32 filters on the first layer, then 64"),
    and as many of them halve the image as it takes to come down to ``latent_size``.

    Maps frames ``(B, T, 3, S, S)``, T times 3 the ``in_channels``, to
    ``(B, out_channels, latent_size, latent_size)``.

    Args:
        in_channels: Channels of all frames together.
        out_channels: Channels of the output, 48 in the paper.
        image_size: S, ``latent_size`` times a power of two.
        latent_size: Side of the latent image.
        num_filters: Filters of the hidden layers, 64 in the paper.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        image_size: int,
        latent_size: int = 4,
        num_filters: int = 64,
    ) -> None:
        widths = [in_channels, num_filters // 2, *[num_filters] * 6, out_channels]
        # CHOICE (A.1): the paper does not say which layers halve the image. We do it
        # as early as possible, in layers 2, 3, 4 (, 5), which is also the cheapest.
        super().__init__(widths, range(1, 1 + num_doublings(image_size, latent_size)))

    def forward(self, frames: Float[Tensor, "B T c S S"]) -> Float[Tensor, "B out s s"]:
        """Latent image of all frames of each video together."""
        stacked = frames.flatten(1, 2)
        return super().forward(stacked.contiguous(memory_format=torch.channels_last))


class ConvDecoder(nn.Module):
    """Progressive decoder: upsample by two, convolve twice, until the image is full.

    Maps positions ``(B, in_channels, s, s)`` to pixel values in (0, 1),
    ``(B, out_channels, S, S)``.

    Args:
        in_channels: Channels of the position, 16 in the paper.
        image_size: S, ``latent_size`` times a power of two.
        latent_size: s, side of the latent image.
        num_filters: Filters of every hidden layer, 64 in the paper.
        printed_form: Residual blocks that each end in a sigmoid, as Sec. A.1 prints it.
        out_channels: 3 for one frame, 6 for a pair.

    The default is the form that the authors released: no residual connection, one
    sigmoid at the very end, and two learned constant channels beside the position.
    """

    # CHOICE (A.1): released form by default; with the printed inner sigmoids our trials
    # stayed on the mean image for as long as we looked.
    def __init__(
        self,
        in_channels: int,
        image_size: int,
        latent_size: int = 4,
        num_filters: int = 64,
        printed_form: bool = False,
        out_channels: int = 3,
    ) -> None:
        super().__init__()
        self.printed_form = printed_form
        constants = 0 if printed_form else 2
        self.constants = nn.Parameter(
            torch.randn(constants, latent_size, latent_size) * 0.1
        )
        doublings = num_doublings(image_size, latent_size)
        widths = [in_channels + constants, *[num_filters] * doublings]
        self.blocks = nn.ModuleList(
            nn.ModuleList(
                [
                    nn.Conv2d(fan_in, fan_out, 3, padding=1),
                    nn.Conv2d(fan_out, fan_out, 3, padding=1),
                ]
            )
            for fan_in, fan_out in pairwise(widths)
        )
        self.to_rgb = nn.Conv2d(num_filters, out_channels, 3, padding=1)
        initialise(self)
        with torch.no_grad():
            self.to_rgb.weight.mul_(0.1)

    def forward(self, q: Float[Tensor, "B c s s"]) -> Float[Tensor, "B out S S"]:
        """Frames of the given positions."""
        return torch.sigmoid(self.logits(q))

    def logits(self, q: Float[Tensor, "B c s s"]) -> Float[Tensor, "B out S S"]:
        """Frames before the final sigmoid."""
        x = torch.cat([q, self.constants.expand(len(q), -1, -1, -1)], dim=1)
        # Channels last: convolutions of this shape run about twice as fast on CPUs.
        x = x.contiguous(memory_format=torch.channels_last)
        for first, second in self.blocks:
            y = F.leaky_relu(upsample_conv(first, x), LEAK, inplace=True)
            y = F.leaky_relu(second(y), LEAK, inplace=True)
            if self.printed_form:
                x = F.interpolate(x, scale_factor=2, mode="nearest")
                y = torch.sigmoid(x + y if x.shape == y.shape else y)
            x = y
        return self.to_rgb(x)


def upsample_conv(
    layer: nn.Conv2d, x: Float[Tensor, "B c s s"]
) -> Float[Tensor, "B d 2*s 2*s"]:
    """Upsample an image by two (nearest neighbour), then convolve it.

    Each of the four pixels that a pixel becomes sees the same small neighbourhood, so
    that the 3x3 convolution of the large image is a transposed 4x4 convolution of the
    small one, whose kernel sums neighbouring weights: 2.25 times fewer operations.

    Args:
        layer: 3x3 convolution that keeps the size of an image.
        x: Small image.
    """
    shifted = (
        F.pad(layer.weight, (i, 1 - i, j, 1 - j)) for i in (0, 1) for j in (0, 1)
    )
    kernel = sum(shifted).flip(2, 3).transpose(0, 1)
    return F.conv_transpose2d(x, kernel, layer.bias, stride=2, padding=1)


class MLP(nn.Sequential):
    """Multi-layer perceptron ``(..., sizes[0])`` to ``(..., sizes[-1])``.

    Args:
        sizes: Width of every layer, input and output included.
        activation: Nonlinearity class between the layers.
        bias_last: Whether the last layer has a bias; energies need none.
    """

    def __init__(
        self,
        sizes: list[int],
        activation: type[nn.Module] = nn.ReLU,
        bias_last: bool = True,
    ) -> None:
        layers: list[nn.Module] = []
        for i, (fan_in, fan_out) in enumerate(pairwise(sizes)):
            is_last = i == len(sizes) - 2
            layers.append(nn.Linear(fan_in, fan_out, bias=bias_last or not is_last))
            layers.append(activation())
        super().__init__(*layers[:-1])


def initialise(network: nn.Module, gain: float | None = None) -> None:
    """Draw convolution weights so that signals keep their size from layer to layer.

    Args:
        network: Network whose convolutions are initialised; biases become zero.
        gain: Factor by which the nonlinearity shrinks a signal, inverted; by default
            that of the leaky ReLU.
    """
    # CHOICE (A.1, silent): with torch's default every layer shrinks the signal, and
    # after 20 layers the frames no longer depend on what the encoder saw: training
    # sits on the mean image.
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d):
            scale = nn.init.calculate_gain("leaky_relu", LEAK) if gain is None else gain
            fan_in = layer.in_channels * layer.kernel_size[0] * layer.kernel_size[1]
            nn.init.normal_(layer.weight, std=scale / math.sqrt(fan_in))
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)


def num_doublings(image_size: int, latent_size: int) -> int:
    """How often ``latent_size`` must be doubled to give ``image_size``.

    Raises:
        ValueError: If no whole number of doublings between 1 and 5 does.
    """
    doublings = math.log2(image_size / latent_size) if image_size > 0 else 0.5
    if doublings != int(doublings) or not 1 <= doublings <= 5:
        sizes = ", ".join(str(latent_size * 2**i) for i in range(1, 6))
        raise ValueError(f"image_size is {image_size}; it must be one of {sizes}.")
    return int(doublings)


class FrameScaler(nn.Module):
    """Pixel values to network units and back, around the mean image of the data.

    Enabled, the networks see frames that are centred on the mean image and scaled to
    unit variance, and a decoder output of zero is the mean image. Disabled, both
    directions are those of the paper: pixel values as they are, and a plain sigmoid.

    Args:
        image_size: Height and width of a frame.
        enabled: Whether `set_statistics` has an effect.
    """

    def __init__(self, image_size: int, enabled: bool) -> None:
        super().__init__()
        self.enabled = enabled
        self.register_buffer("mean", torch.zeros(3, image_size, image_size))
        self.register_buffer("std", torch.ones(()))
        self.register_buffer("logit", torch.zeros(3, image_size, image_size))

    def set_statistics(self, mean_image: Float[Tensor, "3 S S"], std: float) -> None:
        """Remember the mean image and the deviation of the pixel values from it."""
        if self.enabled:
            self.mean.copy_(mean_image)
            self.std.fill_(std)
            self.logit.copy_(torch.logit(mean_image, eps=1e-3))

    def forward(self, frames: Float[Tensor, "*b 3 S S"]) -> Float[Tensor, "*b 3 S S"]:
        """Pixel values to network units."""
        return (frames - self.mean) / self.std

    def to_pixels(self, logits: Float[Tensor, "*b 3 S S"]) -> Float[Tensor, "*b 3 S S"]:
        """Decoder output to pixel values in (0, 1)."""
        return torch.sigmoid(logits + self.logit)
