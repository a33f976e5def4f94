"""The two kinds of latent state of a video, and the networks around them."""

from dataclasses import dataclass
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn

from hgnpipe.collection import require
from hgnpipe.hamiltonian import SeparableHamiltonian, State
from hgnpipe.nn.energies import ConvEnergy, QuadraticEnergy, SwishEnergy
from hgnpipe.nn.keypoints import KeypointDecoder, KeypointEncoder, NearlyLinear
from hgnpipe.nn.networks import ConvDecoder, ConvEncoder, ConvStack

LATENT_SIZE = 4
"""Side of a latent image (paper, Eq. 9)."""


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """Sizes of a latent state (q, p), and of the networks that move it.

    Attributes:
        num_pairs: Numbers of q, and of p; None where they are images.
        latent_channels: Channels of q, and of p, where they are images.
        num_filters: Width of convolutions.
        hidden_size: Width of perceptrons.
        num_keypoints: Keypoints of a frame.

    Raises:
        ValueError: If one that is used is out of range.
    """

    num_pairs: int | None
    latent_channels: int
    num_filters: int
    hidden_size: int
    num_keypoints: int

    def __post_init__(self) -> None:
        images, vectors = ["latent_channels"], ["num_pairs", "num_keypoints"]
        used = images if self.are_images else [*vectors, "hidden_size"]
        for name in used:
            value = getattr(self, name)
            require(value >= 1, name, value, "1 or more")

    @property
    def are_images(self) -> bool:
        """Whether states are images, not vectors."""
        return self.num_pairs is None


class Latents(NamedTuple):
    """Networks between one kind of latent state and videos.

    Attributes:
        shape: Of the latent variable z of one video.
        encoder: Frames ``(B, T, 3, S, S)`` to mean and log-variance of z, side by side.
        f_psi: z to the position and the momentum, side by side.
        decoder: Has ``logits``: positions to frames before the final sigmoid.
    """

    shape: tuple[int, ...]
    encoder: nn.Module
    f_psi: nn.Module
    decoder: nn.Module


def latent_images(
    sizes: Sizes, num_frames: int, image_size: int, f_psi: bool, printed_decoder: bool
) -> Latents:
    """States are images, and all networks convolutions: the paper's (Sec. A.1).

    Raises:
        ValueError: If a size is out of range.
    """
    num_filters, state = sizes.num_filters, 2 * sizes.latent_channels
    # CHOICE (A.1): z has 48 channels, three for every two of the state; without f_psi
    # it has as many as the state.
    channels = 3 * sizes.latent_channels if f_psi else state
    widths = [channels, num_filters, num_filters, state]
    return Latents(
        (channels, LATENT_SIZE, LATENT_SIZE),
        ConvEncoder(3 * num_frames, 2 * channels, image_size, LATENT_SIZE, num_filters),
        ConvStack(widths) if f_psi else nn.Identity(),
        ConvDecoder(
            sizes.latent_channels, image_size, LATENT_SIZE, num_filters, printed_decoder
        ),
    )


def latent_vectors(
    sizes: Sizes, num_frames: int, image_size: int, f_psi: bool
) -> Latents:
    """States are ``num_pairs`` pairs (q, p); not in the paper.

    Raises:
        ValueError: If a size is out of range.
    """
    size, hidden, num_filters = (
        2 * sizes.num_pairs,
        sizes.hidden_size,
        sizes.num_filters,
    )
    seen = max(2, num_filters // 2)
    return Latents(
        (size,),
        KeypointEncoder(
            num_frames, 2 * size, image_size, sizes.num_keypoints, seen, hidden
        ),
        NearlyLinear(size, size, hidden) if f_psi else nn.Identity(),
        KeypointDecoder(
            sizes.num_pairs, image_size, sizes.num_keypoints, num_filters, hidden
        ),
    )


class JointHamiltonian(nn.Module):
    """Energy H(q, p) of any form, from one network of both side by side.

    Args:
        energy: Maps ``(B, 2 n)``, or ``(B, 2 c, s, s)``, to ``(B,)``; has a
            ``gradient``.
    """

    def __init__(self, energy: nn.Module) -> None:
        super().__init__()
        self.energy = energy

    def forward(
        self, q: Float[Tensor, "B *n"], p: Float[Tensor, "B *n"]
    ) -> Float[Tensor, " B"]:
        """Energy of each state in the batch."""
        return self.energy(torch.cat([q, p], dim=1))

    def rates(self, state: State) -> State:
        """Hamilton's equations: (dH/dp, -dH/dq), from one gradient."""
        by_q, by_p = self.energy.gradient(torch.cat(state, dim=1)).chunk(2, dim=1)
        return State(by_p, -by_q)


def separable_energy(sizes: Sizes, gradient_rms: float | None) -> SeparableHamiltonian:
    """K(p) + V(q), a network each (paper, Sec. 3.2).

    Args:
        sizes: Of the state.
        gradient_rms: See `hgnpipe.nn.energies.ConvEnergy`.
    """
    energies = [_energy(sizes, gradient_rms, 1) for _ in range(2)]
    return SeparableHamiltonian(*energies)


def joint_energy(sizes: Sizes, gradient_rms: float | None) -> JointHamiltonian:
    """H(q, p) by one network, see `separable_energy`."""
    return JointHamiltonian(_energy(sizes, gradient_rms, 2))


def _energy(sizes: Sizes, gradient_rms: float | None, parts: int) -> nn.Module:
    """Energy of q or p alone, or of both parts of a state."""
    if sizes.are_images:
        channels = parts * sizes.latent_channels
        return ConvEnergy(channels, sizes.num_filters, gradient_rms=gradient_rms)
    # Without the oscillator that they add to, positions drift: learning finds pictures
    # of angles that grow for ever, and a decoder that has not seen such angles.
    size, hidden_size = parts * sizes.num_pairs, sizes.hidden_size
    return QuadraticEnergy(SwishEnergy(size, hidden_size, gradient_rms=gradient_rms))
