"""Errors of a model per trajectory and frame, those of references, and their files.

Errors are mean squared differences of pixel values in [0, 1] over pixels and colours,
against the frames that the model was shown and against those without noise.
"""

from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float

from hgnpipe.data.videos import Frames
from hgnpipe.evaluation.kept import Errors
from hgnpipe.models.base import SequenceModel
from hgnpipe.training.batches import check_frames, to_pixels


def model_errors(
    model: SequenceModel,
    frames: Frames,
    clean: Frames,
    *,
    batch_size: int = 50,
    progress: Callable[[int], object] = lambda count: None,
) -> Errors:
    """Errors of a model on videos (Tables 1 and 2, Fig. 6).

    Args:
        model: Model on the device on which to evaluate.
        frames: Observed videos; the model infers its initial state from them.
        clean: The same videos without observation noise.
        batch_size: Videos at a time.
        progress: Called with the number of videos done since the last call.

    Raises:
        ValueError: If the videos do not fit the model.
    """
    check_frames(model, frames, model.num_frames)
    device = next(model.parameters()).device
    parts = []
    for first in range(0, len(frames), batch_size):
        batch = slice(first, first + batch_size)
        observed = to_pixels(frames[batch], device)
        true = to_pixels(clean[batch], device)
        prediction = model.predict(observed)
        num = len(observed)
        parts.append(
            Errors(
                pixel_mse(prediction.frames, observed),
                pixel_mse(prediction.frames, true),
                _numbers(prediction.energy, (num, frames.shape[1]), np.nan),
                _numbers(prediction.kl, (num,), 0.0),
                displacement(prediction.frames),
                displacement(true),
            )
        )
        progress(len(observed))
    return Errors(*map(np.concatenate, zip(*parts, strict=True)))


def mean_image_errors(
    mean: Float[torch.Tensor, "3 S S"], frames: Frames, clean: Frames
) -> Errors:
    """Errors of predicting the same image always: what a collapsed model gets."""
    predicted = mean.expand(1, frames.shape[1], -1, -1, -1)
    parts = [
        (pixel_mse(predicted, one), pixel_mse(predicted, true))
        for one, true in zip(_singly(frames), _singly(clean), strict=True)
    ]
    return _without_energy(*map(np.concatenate, zip(*parts, strict=True)))


def noise_floor_errors(frames: Frames, other: Frames, clean: Frames) -> Errors:
    """Errors of the best prediction that does not know the noise: a blurred one.

    Half the error between two observations of the same motion with independent noise
    is the expected variance of a frame given the motion: the smallest expected error
    against the observed frames. The prediction that has it is the mean over the noise,
    which is blurred; its error against the clean frame is estimated without bias from
    the same pair. The true video has more (see `true_video_errors`), and what has seen
    the very frames, and with them their noise, may have less.

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
    return _without_energy(*map(np.concatenate, zip(*parts, strict=True)))


def true_video_errors(frames: Frames, clean: Frames) -> Errors:
    """Errors of predicting the true motion, drawn sharply: no learned model does so.

    Against the frames without noise it has none. Against the observed ones its expected
    error is that of the noise floor, plus the floor's own error against the clean ones.
    """
    pairs = zip(_singly(frames), _singly(clean), strict=True)
    mse = np.concatenate([pixel_mse(true, one) for one, true in pairs])
    return _without_energy(mse, np.zeros_like(mse))


def pixel_mse(
    predicted: Float[torch.Tensor, "B T 3 S S"],
    observed: Float[torch.Tensor, "B T 3 S S"],
) -> Float[np.ndarray, "B T"]:
    """Mean squared difference of each frame (Sec. 4: over pixels and colours)."""
    return (predicted - observed).square().mean(dim=(2, 3, 4)).cpu().numpy()


def displacement(frames: Float[torch.Tensor, "B T 3 S S"]) -> Float[np.ndarray, " B"]:
    """How much pictures move: mean squared difference of all later from the first."""
    change = (frames[:, 1:] - frames[:, :1]).square()
    return change.mean(dim=(1, 2, 3, 4)).cpu().numpy()


def per_trajectory(errors: Errors) -> pd.DataFrame:
    """One row per trajectory: errors averaged over its frames, energy over time."""
    return pd.DataFrame(
        {
            "trajectory": np.arange(len(errors.mse)),
            "mse": errors.mse.mean(axis=1),
            "mse_clean": errors.mse_clean.mean(axis=1),
            "kl": errors.kl,
            "energy_mean": errors.energy.mean(axis=1),
            "energy_variance": errors.energy.var(axis=1),
        }
    )


def _numbers(
    found: torch.Tensor | None, shape: tuple[int, ...], missing: float
) -> np.ndarray:
    """What a model predicts beside frames, where it does."""
    if found is None:
        return np.full(shape, missing, np.float32)
    return found.cpu().numpy()


def _without_energy(
    mse: Float[np.ndarray, "N T"], mse_clean: Float[np.ndarray, "N T"]
) -> Errors:
    """Errors of what is no model: it has no energy, no posterior and no rollout."""
    none, unknown = np.zeros(len(mse)), np.full(len(mse), np.nan)
    return Errors(mse, mse_clean, np.full_like(mse, np.nan), none, unknown, unknown)


def _singly(frames: Frames) -> Iterator[torch.Tensor]:
    """Videos one at a time, ``(1, T, 3, S, S)``, so that memory stays small."""
    for video in frames:
        yield to_pixels(video[None], torch.device("cpu"))
