"""PixelHNN and PixelHNN-conv, the baseline of the paper (Sec. A.3).

An auto-encoder squeezes a pair of consecutive frames into a point (q, p) of a phase
space of the true size; a network learns an energy there. Nothing is rolled out during
training: the energy only has to explain the step from one pair to the next
(Greydanus et al., Hamiltonian Neural Networks, 2019, Sec. 4).
"""

from collections.abc import Mapping
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from hgnpipe.collection import lookup, require
from hgnpipe.hamiltonian import State, motion
from hgnpipe.integrators import INTEGRATORS, rollout
from hgnpipe.models.base import Inferred, Prediction, check_input, check_rollout, play
from hgnpipe.nn.autoencoders import ConvAutoencoder, MLPAutoencoder
from hgnpipe.nn.initialisation import draw_orthogonal
from hgnpipe.nn.networks import FrameScaler
from hgnpipe.nn.state_space import StateEnergy


class PixelHNN(nn.Module):
    """Hamiltonian of a small latent vector, learned from pairs of frames.

    Args:
        image_size: Height and width; with convolutions 4 times a power of two.
        latent_size: Length of (q, p) together, the true size of the phase space.
        convolutional: Encoder and decoder of HGN and one linear layer on either side
            of the latent ("PixelHNN-conv"); otherwise multi-layer perceptrons.
        hidden_size: Width of the perceptrons, the energy included.
        num_filters: Width of the convolutional encoder and decoder.
        hnn_weight: Factor of the Hamiltonian term, lambda_HNN in Eq. 15.
        centre_frames: Centre the encoder's input on the mean image, scale it to unit
            variance, and start the decoder at the mean image. Not in the paper.
        orthogonal: Draw the initial weights of all linear layers, those of the energy
            included, orthogonally: so do Greydanus et al. in their code.
        integrator: ``euler``, ``leapfrog`` or ``rk4``, for predictions only. The
            energy is not separable, so that leapfrog has no merit here.
    """

    num_frames = 2
    window = 3
    dt = 1.0

    def __init__(
        self,
        *,
        image_size: int,
        latent_size: int,
        convolutional: bool = False,
        hidden_size: int = 200,
        num_filters: int = 64,
        hnn_weight: float = 0.1,
        centre_frames: bool = False,
        orthogonal: bool = False,
        integrator: str = "rk4",
    ) -> None:
        super().__init__()
        half_and_half = latent_size >= 2 and latent_size % 2 == 0
        require(half_and_half, "latent_size", latent_size, "even, 2 or more: q and p")
        require(image_size >= 1, "image_size", image_size, "1 or more")
        require(hidden_size >= 1, "hidden_size", hidden_size, "1 or more")
        require(num_filters >= 2, "num_filters", num_filters, "2 or more")
        require(hnn_weight >= 0, "hnn_weight", hnn_weight, "zero or positive")
        self.image_size = image_size
        self.hnn_weight = hnn_weight
        self.integrator = lookup("integrator", integrator, INTEGRATORS)
        scaler = FrameScaler(image_size, enabled=centre_frames)
        self.autoencoder = (
            ConvAutoencoder(scaler, image_size, latent_size, num_filters)
            if convolutional
            else MLPAutoencoder(scaler, image_size, latent_size, hidden_size)
        )
        self.hamiltonian = StateEnergy(latent_size, hidden_size)
        if orthogonal:
            draw_orthogonal(self)

    @staticmethod
    def unused_options(options: Mapping[str, Any]) -> set[str]:
        """See `hgnpipe.models.base.SequenceModel`."""
        return set() if options["convolutional"] else {"num_filters"}

    def set_frame_statistics(
        self, mean_image: Float[Tensor, "3 S S"], std: float
    ) -> None:
        """See `hgnpipe.models.base.SequenceModel`."""
        self.autoencoder.scaler.set_statistics(mean_image, std)

    def loss(
        self,
        frames: Float[Tensor, "B T 3 S S"],
        iteration: int | tuple[()],
        generator: torch.Generator | None = None,
    ) -> dict[str, Tensor]:
        """Auto-encoding, canonical coordinates, Hamilton's equations (Eq. 15).

        Looks at the first three frames of each video: two overlapping pairs, one frame
        apart. The weight decay of Eq. 15 is the optimiser's.

        Returns:
            ``loss`` and its terms ``mse`` (Eq. 14), ``cc`` (13) and ``hnn`` (12).

        Raises:
            ValueError: If there are fewer than three frames, or of another size.
        """
        check_input(frames, self.window, self.image_size)
        pair = frames[:, :2]
        both = self.encode(torch.cat([pair, frames[:, 1:3]]))  # faster than one by one
        now, after = map(State, *(half.chunk(2) for half in both))
        # CHOICE (A.3): Eqs. 12 and 13 do not say how batch and coordinates combine. All
        # squares are means over both, and X_t alone is auto-encoded, not X_t+1 as well:
        # so do Greydanus et al.
        mse = F.mse_loss(self.autoencoder.decode(torch.cat(now, dim=1)), pair)
        cc = F.mse_loss(now.p, after.q - now.q)
        hnn = self._hamiltonian_loss(now, after)
        return {
            "loss": mse + cc + self.hnn_weight * hnn,
            "mse": mse.detach(),
            "cc": cc.detach(),
            "hnn": hnn.detach(),
        }

    def schedule(self, iteration: int) -> tuple[()]:
        """Nothing in the loss depends on the iteration."""
        return ()

    @torch.no_grad()
    def predict(
        self,
        frames: Float[Tensor, "B T 3 S S"],
        *,
        speed: float = 1.0,
        num_steps: int | None = None,
    ) -> Prediction:
        """Video unrolled from the state of the first two frames.

        The rollout cannot explode, trained or not: a tanh network has a bounded
        gradient, so the state runs away at constant speed at worst. Clamping, or the
        sigmoid of the convolutional version, brings what it shows back to [0, 1].

        Raises:
            ValueError: See `hgnpipe.models.base.check_input` and `check_rollout`.
        """
        state, kl, _ = self.infer(frames)
        return play(self, state, kl, speed, num_steps, frames.shape[1] - 1)

    def infer(self, frames: Float[Tensor, "B T 3 S S"]) -> Inferred:
        """State of the first two frames; there is no posterior.

        Raises:
            ValueError: See `hgnpipe.models.base.check_input`.
        """
        check_input(frames, self.num_frames, self.image_size, self)
        return Inferred(self.encode(frames[:, :2]), frames.new_zeros(len(frames)), None)

    def encode(self, pair: Float[Tensor, "B 2 3 S S"]) -> State:
        """State at the first of two consecutive frames."""
        return State(*self.autoencoder.encode(pair).chunk(2, dim=1))

    def rollout(self, initial: State, dt: float, num_steps: int) -> State:
        """Motion under the learned Hamiltonian; one unit of time is one frame."""
        check_rollout(dt, num_steps)
        return rollout(self.integrator, self.hamiltonian, initial, dt, num_steps)

    def decode(self, state: State) -> Float[Tensor, "B 2 3 S S"]:
        """Pixel values in [0, 1] of the frame at this state and of the next one."""
        return self.autoencoder.decode(torch.cat(state, dim=1)).clamp(0, 1)

    def decode_path(self, path: State) -> Float[Tensor, "B T 3 S S"]:
        """First frame of the pair that each state of a path stands for."""
        states = State(path.q.flatten(0, 1), path.p.flatten(0, 1))
        return self.decode(states)[:, 0].unflatten(0, path.q.shape[:2])

    def _hamiltonian_loss(self, now: State, after: State) -> Tensor:
        """Violation of Hamilton's equations, one frame apart (Eq. 12, dt = 1)."""
        rates = motion(self.hamiltonian, *now)
        dq = F.mse_loss(rates.q, after.q - now.q)
        dp = F.mse_loss(rates.p, after.p - now.p)
        return (dq + dp) / 2
