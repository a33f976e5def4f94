"""How good a model is: errors per trajectory and frame, energy, reference rows.

Errors are mean squared differences of pixel values in [0, 1] over pixels and colours,
against the frames that the model was shown and against those without noise.
"""

from collections.abc import Callable

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float, UInt8

from hgnpipe.evaluation.scores import Scores
from hgnpipe.models.base import SequenceModel
from hgnpipe.training.batches import check_frames, to_pixels

Frames = UInt8[np.ndarray, "N T S S 3"]


def score_model(
    model: SequenceModel,
    frames: Frames,
    clean: Frames,
    *,
    batch_size: int = 50,
    progress: Callable[[int], object] = lambda count: None,
) -> Scores:
    """Scores of a model on videos (Tables 1 and 2, Fig. 6).

    Args:
        model: Model on the device on which to evaluate.
        frames: Observed videos; the model infers its initial state from them.
        clean: The same videos without observation noise.
        batch_size: Videos at a time.
        progress: Called with the number of videos done since the last call.

    Raises:
        ValueError: If the videos do not fit the model.
    """
    check_frames(model, frames)
    device = next(model.parameters()).device
    parts = []
    for first in range(0, len(frames), batch_size):
        batch = slice(first, first + batch_size)
        observed = to_pixels(frames[batch], device)
        prediction = model.predict(observed)
        parts.append(
            Scores(
                pixel_mse(prediction.frames, observed),
                pixel_mse(prediction.frames, to_pixels(clean[batch], device)),
                prediction.energy.cpu().numpy(),
                prediction.kl.cpu().numpy(),
            )
        )
        progress(len(observed))
    return Scores(*map(np.concatenate, zip(*parts, strict=True)))


def score_mean_image(mean: Float[torch.Tensor, "3 S S"], frames: Frames, clean: Frames):
    """Scores of predicting the same image always: what a collapsed model gets."""
    predicted = mean.expand(1, frames.shape[1], -1, -1, -1)
    return _scores_of(predicted, frames, clean)


def score_noise_floor(frames: Frames, other: Frames, clean: Frames) -> Scores:
    """Scores that no smooth rollout can be expected to beat.

    Half the error between two observations of the same motion with independent noise
    is the expected variance of a frame given the motion: the error against the observed
    frames of the best possible prediction. That prediction is the mean over the noise,
    whose error against the clean frame is estimated without bias from the same pair.

    Args:
        frames: Observed videos.
        other: The same motion with other noise.
        clean: The same motion without noise.
    """
    parts = []
    for one, two, true in zip(*map(_singly, (frames, other, clean)), strict=True):
        floor = pixel_mse(one, two) / 2
        bias = ((one - true) * (two - true)).mean(dim=(2, 3, 4)).numpy()
        parts.append((floor, bias))
    floor, bias = map(np.concatenate, zip(*parts, strict=True))
    return Scores(floor, bias, np.full_like(floor, np.nan), np.zeros(len(floor)))


def pixel_mse(
    predicted: Float[torch.Tensor, "B T 3 S S"],
    observed: Float[torch.Tensor, "B T 3 S S"],
) -> Float[np.ndarray, "B T"]:
    """Mean squared difference of each frame (Sec. 4: over pixels and colours)."""
    return (predicted - observed).square().mean(dim=(2, 3, 4)).cpu().numpy()


def per_trajectory(scores: Scores) -> pd.DataFrame:
    """One row per trajectory: errors averaged over its frames, energy over time."""
    return pd.DataFrame(
        {
            "trajectory": np.arange(len(scores.mse)),
            "mse": scores.mse.mean(axis=1),
            "mse_clean": scores.mse_clean.mean(axis=1),
            "kl": scores.kl,
            "energy_mean": scores.energy.mean(axis=1),
            "energy_variance": scores.energy.var(axis=1),
        }
    )


def _scores_of(predicted: torch.Tensor, frames: Frames, clean: Frames) -> Scores:
    parts = [
        (pixel_mse(predicted, one), pixel_mse(predicted, true))
        for one, true in zip(_singly(frames), _singly(clean), strict=True)
    ]
    mse, mse_clean = map(np.concatenate, zip(*parts, strict=True))
    return Scores(mse, mse_clean, np.full_like(mse, np.nan), np.zeros(len(mse)))


def _singly(frames: Frames):
    """Videos one at a time, ``(1, T, 3, S, S)``, so that memory stays small."""
    for video in frames:
        yield to_pixels(video[None], torch.device("cpu"))
