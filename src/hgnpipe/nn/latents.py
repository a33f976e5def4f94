"""The two kinds of latent state that HGN can have, and the networks around them."""

from typing import NamedTuple

from torch import nn

from hgnpipe.collection import require
from hgnpipe.hamiltonian import SeparableHamiltonian
from hgnpipe.nn.energies import ConvEnergy, QuadraticEnergy, SwishEnergy
from hgnpipe.nn.keypoints import KeypointDecoder, KeypointEncoder, NearlyLinear
from hgnpipe.nn.networks import ConvDecoder, ConvEncoder, ConvStack

LATENT_SIZE = 4
"""Side of a latent image (paper, Eq. 9)."""


class Latents(NamedTuple):
    """Networks around one kind of latent state.

    Attributes:
        shape: Of the latent variable z of one video.
        encoder: Frames ``(B, T, 3, S, S)`` to mean and log-variance of z, side by side.
        f_psi: z to the position and the momentum, side by side.
        hamiltonian: Energy of a state.
        decoder: Has ``logits``: positions to frames before the final sigmoid.
    """

    shape: tuple[int, ...]
    encoder: nn.Module
    f_psi: nn.Module
    hamiltonian: SeparableHamiltonian
    decoder: nn.Module


def latent_images(
    *,
    num_frames: int,
    image_size: int,
    num_filters: int,
    latent_channels: int,
    f_psi: bool,
    gradient_rms: float | None,
    printed_decoder: bool,
) -> Latents:
    """States are images, and all networks convolutions: the paper's (Sec. A.1).

    Raises:
        ValueError: If a size is out of range.
    """
    require(latent_channels >= 1, "latent_channels", latent_channels, "1 or more")
    state = 2 * latent_channels
    # CHOICE (A.1): z has 48 channels, three for every two of the state; without f_psi
    # it has as many as the state.
    channels = 3 * latent_channels if f_psi else state
    widths = [channels, num_filters, num_filters, state]
    energies = [
        ConvEnergy(latent_channels, num_filters, gradient_rms=gradient_rms)
        for _ in range(2)
    ]
    return Latents(
        (channels, LATENT_SIZE, LATENT_SIZE),
        ConvEncoder(3 * num_frames, 2 * channels, image_size, LATENT_SIZE, num_filters),
        ConvStack(widths) if f_psi else nn.Identity(),
        SeparableHamiltonian(*energies),
        ConvDecoder(
            latent_channels, image_size, LATENT_SIZE, num_filters, printed_decoder
        ),
    )


def latent_vectors(
    *,
    num_frames: int,
    image_size: int,
    num_filters: int,
    num_pairs: int,
    num_keypoints: int,
    hidden_size: int,
    f_psi: bool,
    gradient_rms: float | None,
) -> Latents:
    """States are ``num_pairs`` pairs (q, p), energies perceptrons; not in the paper.

    Raises:
        ValueError: If a size is out of range.
    """
    require(num_pairs >= 1, "num_pairs", num_pairs, "1 or more")
    require(num_keypoints >= 1, "num_keypoints", num_keypoints, "1 or more")
    require(hidden_size >= 1, "hidden_size", hidden_size, "1 or more")
    size = 2 * num_pairs
    # Without the oscillator that they add to, positions drift: learning finds pictures
    # of angles that grow for ever, and a decoder that has not seen such angles.
    energies = [
        QuadraticEnergy(SwishEnergy(num_pairs, hidden_size, gradient_rms=gradient_rms))
        for _ in range(2)
    ]
    return Latents(
        (size,),
        KeypointEncoder(
            num_frames,
            2 * size,
            image_size,
            num_keypoints,
            max(2, num_filters // 2),
            hidden_size,
        ),
        NearlyLinear(size, size, hidden_size) if f_psi else nn.Identity(),
        SeparableHamiltonian(*energies),
        KeypointDecoder(num_pairs, image_size, num_keypoints, num_filters, hidden_size),
    )
