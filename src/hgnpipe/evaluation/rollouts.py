"""Rollouts of a trained model beyond the frames that it was shown, and back.

What the measures of `hgnpipe.evaluation.dynamics` are computed from.
"""

from collections.abc import Callable
from typing import Any, NamedTuple, TypedDict

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from hgnpipe.collection import require
from hgnpipe.data.stored import check_videos
from hgnpipe.data.videos import Frames
from hgnpipe.evaluation.errors import pixel_mse
from hgnpipe.hamiltonian import State
from hgnpipe.models.base import PhaseSpaceModel, SequenceModel, energy_of
from hgnpipe.training.batches import check_frames, to_pixels


class Extent(TypedDict):
    """How many rollouts are followed, and for how many frames beyond the window."""

    num_extended: int
    horizons: list[int]


class Evaluation(Extent):
    """The same of a model; batches of SyMetric, and videos at a time."""

    symetric_repeats: int
    batch_size: int


class Played(NamedTuple):
    """Rollouts of a model before, during and after what it was shown.

    M times: ``num_before`` ones, the T frames of the video, and those after them. What
    a model cannot do, or does not have, is None.

    Attributes:
        mse: Error of each predicted frame, ``(N, M)``.
        square: Mean square of each true frame, ``(N, M)``.
        energy: Learned energy from the first frame on, ``(N, M - num_before)``.
        q: Latent positions from the first frame on, ``(N, M - num_before, k)``.
        p: Latent momenta, likewise.
        returned: Distance from the first state after T - 1 steps onwards and back,
            relative to the spread of first states over the videos, ``(N,)``.
        halved: Difference between the T frames predicted with half the time step and
            the usual ones, ``(N,)``.
        variance: Posterior variance of each latent dimension, mean over the videos,
            ``(d,)``.
        num_before: Times before the first frame.
        num_frames: T.
    """

    mse: np.ndarray
    square: np.ndarray
    num_before: int
    num_frames: int
    energy: np.ndarray | None = None
    q: np.ndarray | None = None
    p: np.ndarray | None = None
    returned: np.ndarray | None = None
    halved: np.ndarray | None = None
    variance: np.ndarray | None = None


@torch.no_grad()
def play_beyond(
    model: SequenceModel,
    frames: Frames,
    drawn: UInt8[np.ndarray, "N M S S 3"],
    num_before: int,
    *,
    batch_size: int = 50,
    progress: Callable[[int], object] = lambda count: None,
) -> Played:
    """Roll out a model in both directions and compare with the true motion.

    Args:
        model: Model on the device on which to evaluate. One that is no
            `PhaseSpaceModel` is asked for predictions alone, and has no states.
        frames: Observed videos; the model infers its states from them alone.
        drawn: Pictures, without noise, of the true motion at ``num_before`` times
            before each video, at its T times and after.
        num_before: Times before the first frame.
        batch_size: Videos at a time.
        progress: Called with the number of videos done since the last call.

    Raises:
        ValueError: If the videos do not fit the model, or the pictures not the videos.
    """
    check_frames(model, frames, model.num_frames)
    require(batch_size >= 1, "batch_size", batch_size, "1 or more")
    _check_drawn(drawn, frames, num_before)
    device = next(model.parameters()).device
    parts = []
    play = _play_batch if isinstance(model, PhaseSpaceModel) else _predict_batch
    for first in range(0, len(frames), batch_size):
        batch = slice(first, first + batch_size)
        observed = to_pixels(frames[batch], device)
        parts.append(play(model, observed, drawn[batch], num_before))
        progress(len(observed))
    joined: dict[str, Any] = {
        name: np.concatenate([part[name] for part in parts])
        for name in parts[0]
        if parts[0][name] is not None
    }
    if "returned" in joined:
        start = np.concatenate([joined["q"][:, 0], joined["p"][:, 0]], axis=1)
        # In float32 the variance of equal numbers need not be zero: their mean is
        # rounded.
        spread = np.sqrt(start.var(axis=0, dtype=np.float64).sum())
        joined["returned"] /= spread if spread > 0 else np.nan
    if "variance" in joined:
        joined["variance"] = joined["variance"].mean(axis=0)
    return Played(**joined, num_before=num_before, num_frames=frames.shape[1])


def _check_drawn(drawn: np.ndarray, frames: np.ndarray, num_before: int) -> None:
    """Check that pictures of the motion are of the same videos, and long enough."""
    check_videos(drawn)
    require(num_before >= 0, "num_before", num_before, "0 or more")
    (num, least, size), shape = frames.shape[:3], drawn.shape[:3]
    least += num_before
    same = shape[::2] == (num, size) and shape[1] >= least
    legal = f"({num}, {least} or more, {size})"
    require(same, "number, length and size of the true motion", shape, legal)


def _play_batch(
    model: PhaseSpaceModel,
    observed: Float[Tensor, "B T 3 S S"],
    drawn: UInt8[np.ndarray, "B M S S 3"],
    num_before: int,
) -> dict[str, np.ndarray | None]:
    steps = observed.shape[1] - 1
    start, _, variance = model.infer(observed)
    past, path = _both_ways(
        model, observed, start, num_before, drawn.shape[1] - num_before - 1
    )
    end = State(path.q[:, steps], path.p[:, steps])
    back = model.rollout(end, -model.dt, steps)
    # The past in the order of time, without the first frame, which the path begins
    # with. A piece at a time: all frames at once would not fit into memory.
    pieces = [State(past.q[:, 1:].flip(1), past.p[:, 1:].flip(1)), path]
    halved, slow = None, None
    if not getattr(model, "whole_steps", False):
        half = model.rollout(start, model.dt / 2, 2 * steps)
        slow = model.decode_path(State(half.q[:, ::2], half.p[:, ::2]))
    errors, squares, first = [], [], 0
    for piece in pieces:
        for few in _pieces(piece, observed.shape[1]):
            span = slice(first, first + few.q.shape[1])
            true = to_pixels(drawn[:, span], observed.device)
            shown = model.decode_path(few)
            if first == num_before and slow is not None:  # the window
                halved = pixel_mse(slow, shown).mean(axis=1)
            errors.append(pixel_mse(shown, true))
            squares.append(true.square().mean(dim=(2, 3, 4)).cpu().numpy())
            first = span.stop
    energy = energy_of(model, path)
    return {
        "mse": np.concatenate(errors, axis=1),
        "square": np.concatenate(squares, axis=1),
        "energy": None if energy is None else energy.cpu().numpy(),
        "q": path.q.flatten(2).cpu().numpy(),
        "p": path.p.flatten(2).cpu().numpy(),
        "returned": _distance(start, State(back.q[:, -1], back.p[:, -1])),
        "halved": halved,
        "variance": None if variance is None else variance.cpu().numpy(),
    }


def _both_ways(
    model: PhaseSpaceModel,
    observed: Float[Tensor, "B T 3 S S"],
    start: State,
    before: int,
    after: int,
) -> tuple[State, State]:
    """Paths back and onwards from the first frame, which begins both of them."""
    if not hasattr(model, "follow"):
        past = model.rollout(start, -model.dt, before)
        return past, model.rollout(start, model.dt, after)
    q, p = model.follow(observed, before, after)
    past = State(q[:, : before + 1].flip(1), p[:, : before + 1].flip(1))
    return past, State(q[:, before:], p[:, before:])


def _predict_batch(
    model: SequenceModel,
    observed: Float[Tensor, "B T 3 S S"],
    drawn: UInt8[np.ndarray, "B M S S 3"],
    num_before: int,
) -> dict[str, np.ndarray | None]:
    """The same as far as predictions alone tell."""
    length, num_after = observed.shape[1], drawn.shape[1] - num_before - 1
    past = model.predict(observed, speed=-1.0, num_steps=num_before).frames
    made = model.predict(observed, num_steps=num_after)
    true = to_pixels(drawn, observed.device)
    halved = None
    if not getattr(model, "whole_steps", False):
        slow = model.predict(observed, speed=0.5, num_steps=2 * (length - 1)).frames
        halved = pixel_mse(slow[:, ::2], made.frames[:, :length]).mean(axis=1)
    shown = torch.cat([past[:, 1:].flip(1), made.frames], dim=1)
    return {
        "mse": pixel_mse(shown, true),
        "square": true.square().mean(dim=(2, 3, 4)).cpu().numpy(),
        "energy": None if made.energy is None else made.energy.cpu().numpy(),
        "halved": halved,
    }


def mse_of_mean_image(
    mean: Float[Tensor, "3 S S"], drawn: UInt8[np.ndarray, "N M S S 3"]
) -> tuple[Float[np.ndarray, "N M"], Float[np.ndarray, "N M"]]:
    """Error of predicting the same image always, and mean square of each frame."""
    errors, squares = [], []
    for video in drawn:
        true = to_pixels(video[None], mean.device)
        errors.append(pixel_mse(mean.expand(1, len(video), -1, -1, -1), true))
        squares.append(true.square().mean(dim=(2, 3, 4)).numpy())
    return np.concatenate(errors), np.concatenate(squares)


def _pieces(path: State, size: int):
    for first in range(0, path.q.shape[1], size):
        span = slice(first, first + size)
        yield State(path.q[:, span], path.p[:, span])


def _distance(one: State, other: State) -> Float[np.ndarray, " B"]:
    pairs = zip(one, other, strict=True)
    squares = [(a - b).square().flatten(1).sum(1) for a, b in pairs]
    return sum(squares).sqrt().cpu().numpy()
