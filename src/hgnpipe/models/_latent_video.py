"""What models of videos do whose latent state moves by a law of its own.

    frames -> posterior -> initial state -> rollout -> decoded frames

is Fig. 2 of the paper; the loss is that of Eq. 4. A family adds the law of motion.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.distributions import Independent, kl_divergence

from hgnpipe.collection import require
from hgnpipe.hamiltonian import State
from hgnpipe.integrators import rollout, rollout_around
from hgnpipe.models._latent_parts import LatentParts
from hgnpipe.models.base import Inferred, Prediction, check_input, check_rollout, play
from hgnpipe.nn.decoding import random_frames, reconstruction_error
from hgnpipe.nn.gaussian import diagonal_gaussian, draw_from
from hgnpipe.nn.warm_up import Schedule


def check_inferred(integrator: str, inferred_frame: str = "first", **_: Any) -> None:
    """Check that the state of the first frame can be had from the inferred one.

    Raises:
        ValueError: If not: a step of Euler back is not the inverse of one onwards.
    """
    legal = "first where integrator is euler, whose steps cannot be taken back"
    first = integrator != "euler" or inferred_frame == "first"
    require(first, "inferred_frame", inferred_frame, legal)


class LatentVideo(LatentParts, ABC):
    """Generative model of videos with a latent state (q, p), of which q is seen.

    Attributes:
        integrator: Makes one step of a state: ``(moved_by, state, dt) -> state``.
    """

    integrator: Callable[..., State]

    @property
    @abstractmethod
    def moved_by(self) -> Any:
        """What the integrator moves states by: an energy, or rates of change."""

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
            self.integrator, self.moved_by, self.state_of(z), self.dt, before, after
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
            raise ValueError("A deterministic model has no prior to sample from.")
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
        """Motion by the learned law, see `hgnpipe.integrators.rollout`."""
        check_rollout(dt, num_steps)
        return rollout(self.integrator, self.moved_by, initial, dt, num_steps)

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
