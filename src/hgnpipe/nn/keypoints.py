"""From frames to where things are, and from where things are to frames.

A phase space that is a small vector needs a way to pictures that does not take longer
to learn than the motion. Here it leads over keypoints, points of the plane that the
networks are free to choose: the position of what moves is then a linear function of a
few numbers, where a convolution would have to tell every place from every other.

References:
    Finn et al., Deep Spatial Autoencoders for Visuomotor Learning, 2016 (the softmax).
    Jakab et al., Unsupervised Learning of Object Landmarks, NeurIPS 2018 (the bumps).
"""

from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from hgnpipe.nn.networks import LEAK, initialise, num_doublings, upsample_conv

GRID = 16
"""Side of the maps of keypoints; half of a picture that is smaller than 32."""
SHARPNESS = 3.0
"""Factor of what a softmax sees: with 1 it would start at the centre of every frame."""
NARROW, WIDE = 0.15, 0.4
"""Widths of a bump, and of the slope that leads to it, in half sides of the picture."""


class NearlyLinear(nn.Module):
    """Linear map, and a perceptron of two hidden layers that starts as a tenth of it.

    Maps ``(B, num_inputs)`` to ``(B, num_outputs)``.

    Args:
        num_inputs: Length of the input.
        num_outputs: Length of the output.
        hidden_size: Units of a hidden layer.
        gain: Size of the output at the start, for unit-normal inputs.
    """

    def __init__(
        self, num_inputs: int, num_outputs: int, hidden_size: int, gain: float = 1.0
    ) -> None:
        super().__init__()
        self.linear = nn.Linear(num_inputs, num_outputs)
        nn.init.normal_(self.linear.weight, std=gain * num_inputs**-0.5)
        sizes = [num_inputs, hidden_size, hidden_size, num_outputs]
        layers: list[nn.Module] = []
        for fan_in, fan_out in pairwise(sizes):
            layers += [nn.Linear(fan_in, fan_out), nn.LeakyReLU(LEAK)]
            nn.init.kaiming_normal_(layers[-2].weight, a=LEAK)
            nn.init.zeros_(layers[-2].bias)
        self.bent = nn.Sequential(*layers[:-1])
        with torch.no_grad():
            self.bent[-1].weight.mul_(0.1 * gain)

    def forward(self, x: Float[Tensor, "B n"]) -> Float[Tensor, "B m"]:
        """Sum of both."""
        return self.linear(x) + self.bent(x)


class KeypointEncoder(nn.Module):
    """Keypoints of each frame by itself, then a perceptron over all frames.

    Maps frames ``(B, T, 3, S, S)`` to ``(B, out_size)``. Each keypoint is the mean
    place of a softmax over the pixels of a map that convolutions make.

    Args:
        num_frames: T.
        out_size: Length of the output.
        image_size: S.
        num_keypoints: Keypoints of each frame.
        num_filters: Filters of the convolutions.
        hidden_size: Units of the perceptron.
    """

    def __init__(
        self,
        num_frames: int,
        out_size: int,
        image_size: int,
        num_keypoints: int,
        num_filters: int,
        hidden_size: int,
    ) -> None:
        super().__init__()
        side = grid_of(image_size)
        layers: list[nn.Module] = [nn.Conv2d(3, num_filters, 5, 2, padding=2)]
        for stride in [2] * (num_doublings(image_size, side) - 1) + [1, 1]:
            layers += [
                nn.LeakyReLU(LEAK, inplace=True),
                nn.Conv2d(num_filters, num_filters, 3, stride, padding=1),
            ]
        layers += [
            nn.LeakyReLU(LEAK, inplace=True),
            nn.Conv2d(num_filters, num_keypoints, 3, padding=1),
        ]
        self.maps = nn.Sequential(*layers)
        initialise(self.maps)
        self.register_buffer("places", places_of(side).flatten(1).T, persistent=False)
        self.head = NearlyLinear(num_frames * num_keypoints * 2, out_size, hidden_size)

    def keypoints(self, pictures: Float[Tensor, "N 3 S S"]) -> Float[Tensor, "N k 2"]:
        """Keypoints of pictures: rows and columns, from -1 to 1."""
        maps = self.maps(pictures.contiguous(memory_format=torch.channels_last))
        return (SHARPNESS * maps.flatten(2)).softmax(-1) @ self.places

    def forward(self, frames: Float[Tensor, "B T 3 S S"]) -> Float[Tensor, "B out"]:
        """What the keypoints of all frames of each video say."""
        found = self.keypoints(frames.flatten(0, 1))
        return self.head(found.reshape(len(frames), -1))


class KeypointDecoder(nn.Module):
    """Keypoints of a position, a bump at each, and convolutions that paint them.

    Maps positions ``(B, num_dims)`` to logits of pixel values, ``(B, 3, S, S)``.

    Args:
        num_dims: Length of a position.
        image_size: S.
        num_keypoints: Keypoints of a picture.
        num_filters: Filters of the convolutions.
        hidden_size: Units of the perceptron.
    """

    def __init__(
        self,
        num_dims: int,
        image_size: int,
        num_keypoints: int,
        num_filters: int,
        hidden_size: int,
    ) -> None:
        super().__init__()
        side = grid_of(image_size)
        self.head = NearlyLinear(num_dims, 2 * num_keypoints, hidden_size, gain=0.5)
        self.register_buffer("places", places_of(side), persistent=False)
        self.first = nn.Conv2d(2 * num_keypoints, num_filters, 3, padding=1)
        self.second = nn.Conv2d(num_filters, num_filters, 3, padding=1)
        self.growing = nn.ModuleList(
            nn.Conv2d(num_filters, num_filters, 3, padding=1)
            for _ in range(num_doublings(image_size, side))
        )
        self.to_rgb = nn.Conv2d(num_filters, 3, 3, padding=1)
        initialise(self)
        with torch.no_grad():
            self.to_rgb.weight.mul_(0.1)

    def logits(self, q: Float[Tensor, "B n"]) -> Float[Tensor, "B 3 S S"]:
        """Frames before the final sigmoid."""
        keypoints = self.head(q).unflatten(1, (-1, 2))[..., None, None]
        distance = (keypoints - self.places).square().sum(2)
        # A narrow bump alone gives no gradient to what is far away.
        bumps = [torch.exp(-distance / (2 * NARROW**2)), 1 / (1 + distance / WIDE**2)]
        x = torch.cat(bumps, 1).contiguous(memory_format=torch.channels_last)
        x = F.leaky_relu(self.first(x), LEAK, inplace=True)
        x = F.leaky_relu(self.second(x), LEAK, inplace=True)
        for layer in self.growing:
            x = F.leaky_relu(upsample_conv(layer, x), LEAK, inplace=True)
        return self.to_rgb(x)


def grid_of(image_size: int) -> int:
    """Side of the maps of keypoints of pictures of this size."""
    return min(GRID, image_size // 2)


def places_of(side: int) -> Float[Tensor, "2 s s"]:
    """Row and column of each pixel of a map, from -1 to 1."""
    axis = torch.linspace(-1, 1, side)
    return torch.stack(torch.meshgrid(axis, axis, indexing="ij"))
