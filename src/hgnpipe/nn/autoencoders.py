"""From a pair of frames to a small latent vector, and back (paper, Sec. A.3)."""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from hgnpipe.nn.networks import ConvDecoder, ConvEncoder, FrameScaler

PAIR, CODE, POSITION, SIDE = 6, 48, 16, 4
"""Channels of two frames, of HGN's encoder output and decoder input; their side."""


class MLPAutoencoder(nn.Module):
    """Perceptrons from a pair of frames to a latent vector and back (Sec. A.3).

    ``scaler`` maps pixel values to network units; the rest is as for PixelHNN.
    """

    # CHOICE (A.3, silent): linear output as in Greydanus et al., clamped only when
    # predicting: a sigmoid would weaken the gradient of L_AE, small to begin with. So
    # does undoing the scaler's division: then the latent collapsed in our trials.
    def __init__(
        self, scaler: FrameScaler, image_size: int, latent_size: int, hidden_size: int
    ) -> None:
        super().__init__()
        self.scaler = scaler
        num_values = PAIR * image_size**2
        self.encoder = ResidualMLP(num_values, hidden_size, latent_size)
        self.decoder = ResidualMLP(latent_size, hidden_size, num_values)

    def encode(self, pair: Float[Tensor, "B 2 3 S S"]) -> Float[Tensor, "B latent"]:
        """Latent vector of two consecutive frames."""
        return self.encoder(self.scaler(pair).flatten(1))

    def decode(self, z: Float[Tensor, "B latent"]) -> Float[Tensor, "B 2 3 S S"]:
        """Pixel values, not limited to [0, 1]."""
        return self.decoder(z).view(-1, 2, *self.scaler.mean.shape) + self.scaler.mean


class ConvAutoencoder(nn.Module):
    """Encoder and decoder of HGN, and a linear layer on either side of the latent.

    ``scaler`` maps pixel values to network units; the rest is as for PixelHNN.
    """

    def __init__(
        self, scaler: FrameScaler, image_size: int, latent_size: int, num_filters: int
    ) -> None:
        super().__init__()
        self.scaler = scaler
        self.encoder = ConvEncoder(PAIR, CODE, image_size, SIDE, num_filters)
        self.to_latent = nn.Linear(CODE * SIDE**2, latent_size)
        self.from_latent = nn.Linear(latent_size, POSITION * SIDE**2)
        self.decoder = ConvDecoder(
            POSITION, image_size, SIDE, num_filters, out_channels=PAIR
        )
        self.to(memory_format=torch.channels_last)

    def encode(self, pair: Float[Tensor, "B 2 3 S S"]) -> Float[Tensor, "B latent"]:
        """Latent vector of two consecutive frames."""
        return self.to_latent(self.encoder(self.scaler(pair)).flatten(1))

    def decode(self, z: Float[Tensor, "B latent"]) -> Float[Tensor, "B 2 3 S S"]:
        """Pixel values in (0, 1)."""
        x = self.from_latent(z).view(-1, POSITION, SIDE, SIDE)
        return self.scaler.to_pixels(self.decoder.logits(x).unflatten(1, (2, 3)))


class ResidualMLP(nn.Module):
    """Four linear layers, ReLU; the middle two add to their input, as in Greydanus."""

    def __init__(self, num_inputs: int, hidden_size: int, num_outputs: int) -> None:
        super().__init__()
        self.first = nn.Linear(num_inputs, hidden_size)
        self.second = nn.Linear(hidden_size, hidden_size)
        self.third = nn.Linear(hidden_size, hidden_size)
        self.last = nn.Linear(hidden_size, num_outputs)

    def forward(self, x: Float[Tensor, "B inputs"]) -> Float[Tensor, "B outputs"]:
        """Output of the last layer, without nonlinearity."""
        x = F.relu(self.first(x))
        x = x + F.relu(self.second(x))
        x = x + F.relu(self.third(x))
        return self.last(x)
