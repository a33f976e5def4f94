"""Recurrent baseline: a cell steps the latent state from frame to frame.

Encoder, decoder, loss and options are those of HGN with a vector state; only the law of
motion differs. A cell has one direction and one step: going back in time takes a
second cell, which nothing but the data ties to the first, and half a step there is not.
So where a video is followed, both ways begin at the frame whose state is inferred.

References:
    Cho et al., Learning Phrase Representations using RNN Encoder-Decoder for
    Statistical Machine Translation, EMNLP 2014 (the gated recurrent unit).
"""

import math
from collections.abc import Mapping
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from hgnpipe.collection import require
from hgnpipe.hamiltonian import State
from hgnpipe.integrators import Step, rollout_around
from hgnpipe.models._latent_video import LatentVideo
from hgnpipe.models.base import Prediction, check_rollout
from hgnpipe.nn.latents import Sizes


class LatentGRU(LatentVideo):
    """Generative model of videos whose latent state is that of a recurrent network.

    The state is a vector of ``num_pairs`` times two numbers, which must be given, and
    called (q, p); half of it, q, is what the decoder sees, as in HGN.
    """

    whole_steps = True

    def __init__(self, **shared: Any) -> None:
        super().__init__(_cells, **shared)
        self.integrator = _step

    @staticmethod
    def unused_options(options: Mapping[str, Any]) -> set[str]:
        """Those of HGN, and the time step: a cell knows frames alone."""
        return {"dt"} | LatentVideo.unused_options(options)

    @property
    def moved_by(self) -> nn.ModuleDict:
        """The cells."""
        return self.cells

    def rollout(self, initial: State, dt: float, num_steps: int) -> State:
        """Motion frame by frame, or every second one, and so on; back if negative.

        Raises:
            ValueError: If ``dt`` is not a multiple of that of a frame.
        """
        check_rollout(dt, num_steps)
        every = self._frames_of(dt)
        step = math.copysign(self.dt, dt)
        path = super().rollout(initial, step, num_steps * every)
        return State(path.q[:, ::every], path.p[:, ::every])

    @torch.no_grad()
    def predict(
        self,
        frames: Float[Tensor, "B T 3 S S"],
        *,
        speed: float = 1.0,
        num_steps: int | None = None,
    ) -> Prediction:
        """See `LatentVideo.predict`; onwards the motion is that of `follow`."""
        if speed <= 0:
            return super().predict(frames, speed=speed, num_steps=num_steps)
        kl = self.infer(frames).kl
        steps = frames.shape[1] - 1 if num_steps is None else num_steps
        check_rollout(speed, steps, "speed")
        every = self._frames_of(speed * self.dt)
        path = self.follow(frames, 0, steps * every)
        path = State(path.q[:, ::every], path.p[:, ::every])
        return Prediction(self.decode_path(path), None, kl)

    @torch.no_grad()
    def follow(
        self, frames: Float[Tensor, "B T 3 S S"], before: int, after: int
    ) -> State:
        """Path from ``before`` steps before the first frame to ``after`` after it.

        Through the state of the inferred frame, as in training: the first frame's,
        which one cell went back to, is nothing that the other was taught to begin at.
        """
        state = self.state_of(self.posterior(frames).mean)
        back, ahead = before + self.inferred, max(0, after - self.inferred)
        path = rollout_around(
            self.integrator, self.moved_by, state, self.dt, back, ahead
        )
        length = before + 1 + after
        return State(path.q[:, :length], path.p[:, :length])

    def _frames_of(self, dt: float) -> int:
        """How many frames a step takes, whatever its direction."""
        frames = abs(dt) / self.dt
        whole = frames >= 1 and frames == round(frames)
        require(whole, "speed", dt / self.dt, "1, -1, 2, ...: a cell has no half steps")
        return round(frames)


class Cell(nn.Module):
    """Gated recurrent unit that sees features of its own state.

    Args:
        size: Length of the state.
        hidden_size: Number of the features.
    """

    def __init__(self, size: int, hidden_size: int) -> None:
        super().__init__()
        self.features = nn.Linear(size, hidden_size)
        self.gru = nn.GRUCell(hidden_size, size)

    def forward(self, state: State) -> State:
        """State one frame later, or one earlier."""
        z = torch.cat(state, dim=1)
        return State(*self.gru(F.silu(self.features(z)), z).chunk(2, dim=1))


def _cells(sizes: Sizes) -> dict[str, nn.Module]:
    """A cell for each direction of time."""
    require(not sizes.are_images, "num_pairs", None, "given: the state is a vector")
    size, hidden_size = 2 * sizes.num_pairs, sizes.hidden_size
    cells = {way: Cell(size, hidden_size) for way in ("onwards", "back")}
    return {"cells": nn.ModuleDict(cells)}


def _step(cells: nn.ModuleDict, state: State, dt: Step) -> State:
    """One frame onwards where ``dt`` is positive, one back where it is negative."""
    if not torch.is_tensor(dt):
        return cells["onwards" if dt > 0 else "back"](state)
    pairs = zip(cells["onwards"](state), cells["back"](state), strict=True)
    return State(*(torch.where(dt > 0, later, earlier) for later, earlier in pairs))
