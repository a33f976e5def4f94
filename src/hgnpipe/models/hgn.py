"""Hamiltonian Generative Network (paper, Sec. 3.2 and A.1).

Read top to bottom, this file is Fig. 2 of the paper: frames -> posterior -> initial
state -> Hamiltonian rollout -> decoded frames. The four variants of Table 1 are
constructor arguments, not subclasses.
"""

from collections.abc import Mapping
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.distributions import Independent, kl_divergence

from hgnpipe.collection import lookup, require
from hgnpipe.hamiltonian import State
from hgnpipe.integrators import INTEGRATORS, rollout, rollout_around
from hgnpipe.models.base import Inferred, Prediction, check_input, check_rollout, play
from hgnpipe.nn.decoding import random_frames, reconstruction_error
from hgnpipe.nn.gaussian import diagonal_gaussian, draw_from
from hgnpipe.nn.geco import Geco
from hgnpipe.nn.latents import latent_images, latent_vectors
from hgnpipe.nn.mixture import Mixture
from hgnpipe.nn.networks import FrameScaler
from hgnpipe.nn.warm_up import Schedule, WarmUp

INFERRED = {"first": 0.0, "middle": 0.5, "last": 1.0}
"""Frames whose state can be inferred, and where they lie in the video."""


class HGN(nn.Module):
    """Generative model of videos whose latent state obeys Hamilton's equations.

    The first group of arguments is the paper's model, the second group a model of ours:
    a state that is a vector, and of another frame. The third helps training to leave
    the mean image. What is not in the paper is off by default.

    Args:
        num_frames: Length T of the sequences that the encoder sees at once.
        image_size: Height and width of a frame, 4 times a power of two.
        integrator: ``euler``, ``leapfrog`` or ``rk4``, see `hgnpipe.integrators`.
        deterministic: Use the posterior mean and drop the KL term ("HGN determ").
        f_psi: Map posterior samples to the initial state with a network; otherwise
            the sample is the state ("HGN no f_psi").
        dt: Time step of one frame, in the model's own time unit.
        kappa: Reconstruction error that GECO tolerates, per element.
        multiplier: Initial value of GECO's Lagrange multiplier, see `hgnpipe.nn.geco`.
        multiplier_bounds: Its smallest and largest value.
        geco_rate: How fast it moves; 0 leaves it as it is.
        geco_start: Iterations before it moves.
        num_filters: Width of all convolutions.
        latent_channels: Channels of the position, and of the momentum.
        printed_decoder: Decoder as Sec. A.1 prints it, see `ConvDecoder`.
        bf16_decoder: Decode in bfloat16 while training; faster on a GPU.

        num_pairs: If given, the state is a vector of so many pairs (q, p), reached over
            keypoints of the frames, see `hgnpipe.nn.keypoints`; not a latent image.
        num_keypoints: Keypoints of a frame.
        hidden_size: Width of the perceptrons, the energies of a vector included.
        prior_components: Gaussians of the mixture that is fitted to the posteriors of a
            vector when training has ended, and that samples are drawn from; 0 for the
            unit Gaussian of the KL term.
        inferred_frame: Whose state the encoder infers: ``first``, ``middle`` or
            ``last``. It is rolled out in both directions, so that a state must hold
            backwards too, in half as many steps.
        num_targets: Length of a training sample, T or more: the encoder sees the T
            frames in its middle, those on both sides are targets all the same.

        centre_frames: Centre the encoder's input on the mean image, scale it to unit
            variance, and start the decoder at the mean image.
        gradient_rms: Size of dH/dq and dH/dp at initialisation, see `ConvEnergy`.
        num_decoded: Decode only this many random frames of each rollout during
            training: an unbiased estimate of the loss, several times cheaper.
        kl_delay: Iterations at the start without posterior noise and KL term.
        kl_ramp: Iterations after ``kl_delay`` over which both grow to full size.
        horizon_growth: Iterations after which the training rollout grows by one frame,
            in each direction, from ``first_horizon`` steps on; 0 trains on all frames
            from the start.
        first_horizon: Steps of the training rollout in the first iteration.

    Raises:
        ValueError: If an argument is out of range.
    """

    def __init__(
        self,
        *,
        num_frames: int,
        image_size: int,
        integrator: str = "leapfrog",
        deterministic: bool = False,
        f_psi: bool = True,
        dt: float = 0.125,
        kappa: float = 1e-3,
        multiplier: float = 1.0,
        multiplier_bounds: list[float] | tuple[float, float] = (0.1, 10.0),
        geco_rate: float = 0.01,
        geco_start: int = 0,
        num_filters: int = 64,
        latent_channels: int = 16,
        printed_decoder: bool = False,
        bf16_decoder: bool = False,
        num_pairs: int | None = None,
        num_keypoints: int = 16,
        hidden_size: int = 128,
        prior_components: int = 0,
        inferred_frame: str = "first",
        num_targets: int | None = None,
        centre_frames: bool = False,
        gradient_rms: float | None = None,
        num_decoded: int | None = None,
        kl_delay: int = 0,
        kl_ramp: int = 0,
        horizon_growth: int = 0,
        first_horizon: int = 1,
    ) -> None:
        super().__init__()
        require(num_frames >= 2, "num_frames", num_frames, "2 or more")
        require(num_filters >= 2, "num_filters", num_filters, "2 or more")
        require(dt > 0, "dt", dt, "positive")
        self.num_frames, self.window = num_frames, num_targets or num_frames
        legal = f"num_frames ({num_frames}) or more"
        require(self.window >= num_frames, "num_targets", num_targets, legal)
        require(
            num_decoded is None or 1 <= num_decoded <= self.window,
            "num_decoded", num_decoded, f"between 1 and {self.window}, all frames",
        )  # fmt: skip
        self.image_size = image_size
        self.integrator = lookup("integrator", integrator, INTEGRATORS)
        self.deterministic = deterministic
        self.dt, self.bf16_decoder = dt, bf16_decoder
        self.num_decoded = num_decoded or self.window
        place = lookup("inferred_frame", inferred_frame, INFERRED)
        self.inferred = int(place * (num_frames - 1))
        self.first_seen = (self.window - num_frames) // 2
        self.before = self.first_seen + self.inferred
        self.after = self.window - 1 - self.before
        self.warm_up = WarmUp(
            num_steps=max(self.before, self.after),
            stochastic=not deterministic,
            kl_delay=kl_delay,
            kl_ramp=kl_ramp,
            horizon_growth=horizon_growth,
            first_horizon=first_horizon,
            geco_rate=geco_rate,
            geco_start=geco_start,
        )
        self.scaler = FrameScaler(image_size, enabled=centre_frames)
        both = {
            "num_frames": num_frames, "image_size": image_size, "f_psi": f_psi,
            "num_filters": num_filters, "gradient_rms": gradient_rms,
        }  # fmt: skip
        if num_pairs is None:
            parts = latent_images(
                latent_channels=latent_channels, printed_decoder=printed_decoder, **both
            )
        else:
            parts = latent_vectors(
                num_pairs=num_pairs,
                num_keypoints=num_keypoints,
                hidden_size=hidden_size,
                **both,
            )
        self.z_shape, self.encoder, self.f_psi, self.hamiltonian, self.decoder = parts
        self.mixture = None
        if prior_components and num_pairs is not None and not deterministic:
            self.mixture = Mixture(*self.z_shape, prior_components)
        self.geco = (
            None if deterministic else Geco(kappa, multiplier, tuple(multiplier_bounds))
        )
        self.to(memory_format=torch.channels_last)

    @staticmethod
    def unused_options(options: Mapping[str, Any]) -> set[str]:
        """See `hgnpipe.models.base.SequenceModel`."""
        unused = set()
        if options["deterministic"]:
            unused |= {"kappa", "multiplier", "kl_delay", "kl_ramp"}
            unused |= {"multiplier_bounds", "geco_rate", "geco_start"}
            unused |= {"prior_components"}
        elif not options["geco_rate"]:
            unused |= {"geco_start", "multiplier_bounds"}
        if not options["horizon_growth"]:
            unused |= {"first_horizon"}
        of_images, of_vectors = {"latent_channels", "printed_decoder"}, {
            "num_keypoints", "hidden_size", "prior_components",
        }  # fmt: skip
        return unused | (of_vectors if options["num_pairs"] is None else of_images)

    def set_frame_statistics(
        self, mean_image: Float[Tensor, "3 S S"], std: float
    ) -> None:
        """See `hgnpipe.models.base.SequenceModel`."""
        self.scaler.set_statistics(mean_image, std)

    def loss(
        self,
        frames: Float[Tensor, "B T 3 S S"],
        iteration: int | Schedule,
        generator: torch.Generator | None = None,
    ) -> dict[str, Tensor]:
        """Training objective and its terms for one batch (paper, Eq. 4, with GECO).

        Args:
            frames: Pixel values in [0, 1].
            iteration: Number of updates made so far, or what `schedule` makes of it.
            generator: Source of all randomness, on the device of ``frames``.

        Returns:
            Scalars: ``loss`` to minimise; ``mse`` per element of the decoded frames;
            for stochastic variants ``kl`` in nats and GECO's ``multiplier``.
        """
        if not isinstance(iteration, Schedule):
            iteration = self.schedule(iteration)
        horizon, stochastic, weight, rate = iteration
        posterior = self.posterior(frames[:, self.first_seen :])
        z = posterior.mean
        if stochastic:
            z = draw_from(posterior, generator, weight)
        before, after = min(self.before, horizon), min(self.after, horizon)
        path = rollout_around(
            self.integrator, self.hamiltonian, self.state_of(z), self.dt, before, after
        )
        targets = frames[:, self.before - before :]
        size = (len(frames), before + 1 + after)
        shown = random_frames(size, self.num_decoded, frames.device, generator)
        rows = torch.arange(len(frames), device=frames.device)[:, None]
        mse = reconstruction_error(
            self._decode_in_training,
            list(self.decoder.parameters()),
            path.q[rows, shown].flatten(0, 1),
            targets[rows, shown].flatten(0, 1),
        )
        if self.geco is None:
            return {"loss": mse, "mse": mse.detach()}
        kl = kl_divergence(posterior, self.prior(z)).mean()
        # Not 0 * kl: while nothing holds the variance, it may grow beyond all numbers.
        cost = weight * kl / frames[0].numel() if stochastic else torch.zeros_like(mse)
        loss = self.geco.loss(mse, cost, rate)
        return {
            "loss": loss,
            "mse": mse.detach(),
            "kl": kl.detach(),
            "multiplier": self.geco.multiplier.detach(),
        }

    @torch.no_grad()
    def predict(
        self,
        frames: Float[Tensor, "B T 3 S S"],
        *,
        speed: float = 1.0,
        num_steps: int | None = None,
    ) -> Prediction:
        """Reconstruct a video from the mean of its inferred initial state (Fig. 7).

        Raises:
            ValueError: See `hgnpipe.models.base.check_input` and `check_rollout`.
        """
        state, kl, _ = self.infer(frames)
        return play(self, state, kl, speed, num_steps, frames.shape[1] - 1)

    @torch.no_grad()
    def sample(
        self,
        num: int,
        num_steps: int,
        *,
        speed: float = 1.0,
        generator: torch.Generator | None = None,
    ) -> Prediction:
        """Draw ``num`` videos from the prior (Fig. 8).

        Raises:
            ValueError: For the deterministic variant, which has no prior.
        """
        state = self.sample_states(num, generator)
        return play(self, state, state.q.new_zeros(num), speed, num_steps)

    @torch.no_grad()
    def sample_states(
        self, num: int, generator: torch.Generator | None = None
    ) -> State:
        """States of the first frame of ``num`` motions, drawn from the prior.

        Raises:
            ValueError: For the deterministic variant, which has no prior.
        """
        if self.deterministic:
            raise ValueError("A deterministic HGN has no prior to sample from.")
        require(num >= 1, "num", num, "1 or more")
        if self.mixture is not None:
            z = self.mixture.draw(num, generator)
        else:
            weight = next(self.parameters())
            z = weight.new_empty(num, *self.z_shape).normal_(generator=generator)
        return self._at_first_frame(self.state_of(z))

    @torch.no_grad()
    def sample_inferred(
        self,
        frames: Float[Tensor, "B T 3 S S"],
        generator: torch.Generator | None = None,
    ) -> State:
        """States of the first frame, drawn from the posterior; `infer` has its mean."""
        check_input(frames, self.num_frames, self.image_size, self)
        z = draw_from(self.posterior(frames), generator)
        return self._at_first_frame(self.state_of(z))

    def infer(self, frames: Float[Tensor, "B T 3 S S"]) -> Inferred:
        """Initial state at the posterior mean; KL and variance unless deterministic.

        What the encoder infers is the state of ``inferred_frame``: it is rolled back
        from there to the first frame.

        Raises:
            ValueError: See `hgnpipe.models.base.check_input`.
        """
        check_input(frames, self.num_frames, self.image_size, self)
        posterior = self.posterior(frames)
        state = self._at_first_frame(self.state_of(posterior.mean))
        if self.deterministic:
            return Inferred(state, frames.new_zeros(len(frames)), None)
        kl = kl_divergence(posterior, self.prior(posterior.mean))
        return Inferred(state, kl, posterior.variance.flatten(1))

    def _at_first_frame(self, state: State) -> State:
        """State of the inferred frame, rolled back to the first one."""
        if not self.inferred:
            return state
        past = self.rollout(state, -self.dt, self.inferred)
        return State(past.q[:, -1], past.p[:, -1])

    def posterior(self, frames: Float[Tensor, "B T 3 S S"]) -> Independent:
        """Diagonal Gaussian over the latent variable z of the inferred frame."""
        check_input(frames, self.num_frames, self.image_size)
        seen = self.scaler(frames[:, : self.num_frames])
        mean, log_variance = self.encoder(seen).chunk(2, dim=1)
        return diagonal_gaussian(mean, torch.exp(log_variance / 2))

    @staticmethod
    def prior(like: Float[Tensor, "B *z"]) -> Independent:
        """Unit Gaussian over z, in the shape of ``like``."""
        return diagonal_gaussian(torch.zeros_like(like), torch.ones_like(like))

    def state_of(self, z: Float[Tensor, "B *z"]) -> State:
        """State of the inferred frame: f_psi, then half of it to q, half to p."""
        return State(*self.f_psi(z).chunk(2, dim=1))

    def rollout(self, initial: State, dt: float, num_steps: int) -> State:
        """Motion under the learned Hamiltonian, see `hgnpipe.integrators.rollout`."""
        check_rollout(dt, num_steps)
        return rollout(self.integrator, self.hamiltonian, initial, dt, num_steps)

    def decode(self, q: Float[Tensor, "B T *n"]) -> Float[Tensor, "B T 3 S S"]:
        """Frames from positions alone; momenta are not visible in a picture."""
        return self.decode_pictures(q.flatten(0, 1)).unflatten(0, q.shape[:2])

    def decode_pictures(self, q: Float[Tensor, "B *n"]) -> Float[Tensor, "B 3 S S"]:
        """Picture of each position."""
        return self.scaler.to_pixels(self.decoder.logits(q))

    def _decode_in_training(self, q: Float[Tensor, "B *n"]) -> Float[Tensor, "B 3 S S"]:
        """See `decode_pictures`; in 16 bits if the model was built for it."""
        with torch.autocast(
            q.device.type, torch.bfloat16, self.bf16_decoder, cache_enabled=False
        ):
            return self.decode_pictures(q)

    def decode_path(self, path: State) -> Float[Tensor, "B T 3 S S"]:
        """Frames of a path through phase space, see `decode`."""
        return self.decode(path.q)

    def schedule(self, iteration: int) -> Schedule:
        """What of this iteration depends on its number."""
        return self.warm_up.schedule(iteration)

    @property
    def remark(self) -> str:
        """What a user should know of a training that has ended; often nothing."""
        return self.geco.remark if self.geco is not None else ""
