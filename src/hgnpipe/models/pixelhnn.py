"""PixelHNN and PixelHNN-conv, the baseline of the paper (Sec. A.3).

An auto-encoder squeezes a pair of consecutive frames into a point (q, p) of a phase
space of the true size; a network learns an energy there. Nothing is rolled out during
training: the energy only has to explain the step from one pair to the next.

References:
    Greydanus et al., Hamiltonian Neural Networks, 2019, Sec. 4.
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from hgnpipe.hamiltonian import State, force, velocity
from hgnpipe.integrators import INTEGRATORS, rollout
from hgnpipe.models.base import Prediction, check_input
from hgnpipe.nets import MLP, ConvDecoder, ConvEncoder, FrameScaler
from hgnpipe.registry import lookup, require

PAIR_CHANNELS = 6
"""Colours of two frames."""
CODE_CHANNELS, POSITION_CHANNELS, CODE_SIZE = 48, 16, 4
"""Latent images of HGN: of its encoder, of its decoder, and their side (Sec. A.1)."""


class PixelHNN(nn.Module):
    """Hamiltonian of a small latent vector, learned from pairs of frames.

    Args:
        image_size: Height and width of a frame; 4 times a power of two for the
            convolutional version.
        latent_size: Length of (q, p) together, the true size of the phase space.
        convolutional: Encoder and decoder of HGN and one linear layer on either side
            of the latent ("PixelHNN-conv"); otherwise multi-layer perceptrons.
        hidden_size: Width of the perceptrons, the energy included.
        num_filters: Width of the convolutional encoder and decoder.
        hnn_weight: Factor of the Hamiltonian term, lambda_HNN in Eq. 15.
        centre_frames: Centre the encoder's input on the mean image, scale it to unit
            variance, and start the decoder at the mean image. Not in the paper.
        integrator: Key of `hgnpipe.integrators.INTEGRATORS`, for predictions only.
            The energy is not separable, so that leapfrog has no merit here.
    """

    num_frames = 2
    window = 3

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
        integrator: str = "rk4",
    ) -> None:
        super().__init__()
        require(image_size >= 1, "image_size", image_size, "1 or more")
        require(
            latent_size >= 2 and latent_size % 2 == 0,
            "latent_size", latent_size, "even: half of it is q, half p",
        )  # fmt: skip
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

    def set_frame_statistics(self, mean_image: Float[Tensor, "3 S S"], std: float) -> None:
        """See `hgnpipe.models.base.SequenceModel`."""
        self.autoencoder.scaler.set_statistics(mean_image, std)

    def loss(
        self,
        frames: Float[Tensor, "B T 3 S S"],
        iteration: int,
        generator: torch.Generator | None = None,
    ) -> dict[str, Tensor]:
        """Auto-encoding, canonical coordinates, Hamilton's equations (Eq. 15).

        Looks at the first three frames of each video: two overlapping pairs, one frame
        apart. The weight decay of Eq. 15 is the optimiser's.

        Returns:
            Scalars: ``loss`` to minimise, and its terms ``mse`` (Eq. 14), ``cc``
            (Eq. 13) and ``hnn`` (Eq. 12).

        Raises:
            ValueError: If there are fewer than three frames, or of another size.
        """
        check_input(frames, self.window, self.image_size)
        pair = frames[:, :2]
        now, after = self.encode(pair), self.encode(frames[:, 1:3])
        # CHOICE (A.3): Eqs. 12 and 13 leave open how batch and coordinates are
        # combined. All squares are means over both, as in Greydanus et al.
        mse = F.mse_loss(self.autoencoder.decode(torch.cat(now, dim=1)), pair)
        cc = F.mse_loss(now.p, after.q - now.q)
        hnn = self._hamiltonian_loss(now, after)
        return {
            "loss": mse + cc + self.hnn_weight * hnn,
            "mse": mse.detach(),
            "cc": cc.detach(),
            "hnn": hnn.detach(),
        }

    @torch.no_grad()
    def predict(
        self,
        frames: Float[Tensor, "B T 3 S S"],
        *,
        speed: float = 1.0,
        num_steps: int | None = None,
    ) -> Prediction:
        """Video unrolled from the state of the first two frames.

        Always finite: the gradient of a tanh network is bounded, whatever its state,
        so that the state drifts away linearly in time at worst and never overflows.

        Raises:
            ValueError: If there are fewer than two frames, or of another size.
        """
        check_input(frames, self.num_frames, self.image_size)
        num_steps = frames.shape[1] - 1 if num_steps is None else num_steps
        path = self.rollout(self.encode(frames[:, :2]), speed, num_steps)
        q, p = path.q.flatten(0, 1), path.p.flatten(0, 1)
        size = path.q.shape[:2]
        return Prediction(
            self.decode(State(q, p))[:, 0].unflatten(0, size),
            self.hamiltonian(q, p).unflatten(0, size),
            frames.new_zeros(len(frames)),
        )

    def encode(self, pair: Float[Tensor, "B 2 3 S S"]) -> State:
        """State at the first of two consecutive frames."""
        return State(*self.autoencoder.encode(pair).chunk(2, dim=1))

    def rollout(self, initial: State, dt: float, num_steps: int) -> State:
        """Motion under the learned Hamiltonian; one unit of time is one frame."""
        return rollout(self.integrator, self.hamiltonian, initial, dt, num_steps)

    def decode(self, state: State) -> Float[Tensor, "B 2 3 S S"]:
        """Pixel values in [0, 1] of the frame at this state and of the next one."""
        return self.autoencoder.decode(torch.cat(state, dim=1)).clamp(0, 1)

    def _hamiltonian_loss(self, now: State, after: State) -> Tensor:
        """Violation of Hamilton's equations between two states (Eq. 12)."""
        dq = F.mse_loss(velocity(self.hamiltonian, *now), after.q - now.q)
        dp = F.mse_loss(force(self.hamiltonian, *now), after.p - now.p)
        return (dq + dp) / 2


class StateEnergy(nn.Module):
    """Energy of a latent vector: two hidden layers of tanh (paper, Sec. A.3).

    Args:
        latent_size: Length of (q, p) together.
        hidden_size: Width of the hidden layers, 200 in the paper.
    """

    def __init__(self, latent_size: int, hidden_size: int) -> None:
        super().__init__()
        self.network = MLP(
            [latent_size, hidden_size, hidden_size, 1], nn.Tanh, bias_last=False
        )

    def forward(
        self, q: Float[Tensor, "B n"], p: Float[Tensor, "B n"]
    ) -> Float[Tensor, " B"]:
        """Energy of each state in the batch."""
        return self.network(torch.cat([q, p], dim=1)).squeeze(1)


class MLPAutoencoder(nn.Module):
    """Perceptrons from a pair of frames to a latent vector and back (Sec. A.3).

    Args:
        scaler: Pixel values to network units.
        image_size: S, height and width of a frame.
        latent_size: Length of the latent vector.
        hidden_size: Width of the hidden layers, 200 in the paper.
    """

    # CHOICE (A.3): linear output as in Greydanus et al.; predictions are clamped. A
    # sigmoid would weaken L_AE, which is the smallest of the terms to begin with.
    def __init__(
        self, scaler: FrameScaler, image_size: int, latent_size: int, hidden_size: int
    ) -> None:
        super().__init__()
        self.scaler = scaler
        num_values = PAIR_CHANNELS * image_size**2
        self.encoder = ResidualMLP(num_values, hidden_size, latent_size)
        self.decoder = ResidualMLP(latent_size, hidden_size, num_values)

    def encode(self, pair: Float[Tensor, "B 2 3 S S"]) -> Float[Tensor, "B latent"]:
        """Latent vector of two consecutive frames."""
        return self.encoder(self.scaler(pair).flatten(1))

    def decode(self, z: Float[Tensor, "B latent"]) -> Float[Tensor, "B 2 3 S S"]:
        """Pixel values, not limited to [0, 1]."""
        pair = self.decoder(z).view(-1, 2, *self.scaler.mean.shape)
        return pair + self.scaler.mean


class ConvAutoencoder(nn.Module):
    """Encoder and decoder of HGN with a linear layer on either side of the latent.

    Args:
        scaler: Pixel values to network units.
        image_size: S, 4 times a power of two.
        latent_size: Length of the latent vector.
        num_filters: Filters of the hidden layers, 64 in the paper.
    """

    def __init__(
        self, scaler: FrameScaler, image_size: int, latent_size: int, num_filters: int
    ) -> None:
        super().__init__()
        self.scaler = scaler
        self.encoder = ConvEncoder(
            PAIR_CHANNELS, CODE_CHANNELS, image_size, CODE_SIZE, num_filters
        )
        self.to_latent = nn.Linear(CODE_CHANNELS * CODE_SIZE**2, latent_size)
        self.from_latent = nn.Linear(latent_size, POSITION_CHANNELS * CODE_SIZE**2)
        self.decoder = ConvDecoder(
            POSITION_CHANNELS, image_size, CODE_SIZE, num_filters,
            out_channels=PAIR_CHANNELS,
        )  # fmt: skip
        self.to(memory_format=torch.channels_last)

    def encode(self, pair: Float[Tensor, "B 2 3 S S"]) -> Float[Tensor, "B latent"]:
        """Latent vector of two consecutive frames."""
        x = self.scaler(pair).flatten(1, 2).contiguous(memory_format=torch.channels_last)
        return self.to_latent(self.encoder(x).flatten(1))

    def decode(self, z: Float[Tensor, "B latent"]) -> Float[Tensor, "B 2 3 S S"]:
        """Pixel values in (0, 1)."""
        code = self.from_latent(z).view(-1, POSITION_CHANNELS, CODE_SIZE, CODE_SIZE)
        return self.scaler.to_pixels(self.decoder.logits(code).unflatten(1, (2, 3)))


class ResidualMLP(nn.Module):
    """Four linear layers with ReLU; the two in the middle add to their input.

    The residual connections are those of Greydanus et al. Maps ``(B, fan_in)`` to
    ``(B, fan_out)``.

    Args:
        fan_in: Length of the input.
        hidden_size: Width of the hidden layers.
        fan_out: Length of the output.
    """

    def __init__(self, fan_in: int, hidden_size: int, fan_out: int) -> None:
        super().__init__()
        self.first = nn.Linear(fan_in, hidden_size)
        self.second = nn.Linear(hidden_size, hidden_size)
        self.third = nn.Linear(hidden_size, hidden_size)
        self.last = nn.Linear(hidden_size, fan_out)

    def forward(self, x: Float[Tensor, "B fan_in"]) -> Float[Tensor, "B fan_out"]:
        """Output of the last layer, without nonlinearity."""
        x = F.relu(self.first(x))
        x = x + F.relu(self.second(x))
        x = x + F.relu(self.third(x))
        return self.last(x)
