"""Errors and measures of models of videos that were not made here.

Nobody knows the frames without noise, nor the energy: what needs them is left out. All
errors are against the frames that were observed.
"""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from hgnpipe.data.observed import Clips
from hgnpipe.data.videos import Frames
from hgnpipe.evaluation.dynamics import (
    Measures,
    measures_of_map,
    measures_of_motion,
    measures_of_rollouts,
)
from hgnpipe.evaluation.errors import mean_image_errors, model_errors
from hgnpipe.evaluation.films import sample_videos
from hgnpipe.evaluation.kept import Errors
from hgnpipe.evaluation.rollouts import Evaluation, mse_of_mean_image, play_beyond
from hgnpipe.evaluation.samples import NUM_KNOWN, NUM_VIDEOS, measures_of_pictures
from hgnpipe.models.base import SequenceModel
from hgnpipe.training.batches import to_pixels


def observed_errors(
    model: SequenceModel,
    frames: Frames,
    *,
    batch_size: int = 50,
    progress: Callable[[int], object] = lambda count: None,
) -> Errors:
    """See `hgnpipe.evaluation.errors.model_errors`; ``mse_clean`` is NaN.

    ``moved_true`` is of the observed frames, noise included.
    """
    how = {"batch_size": batch_size, "progress": progress}
    return _without_clean(model_errors(model, frames, frames, **how))


def observed_mean_image_errors(mean: Float[Tensor, "3 S S"], frames: Frames) -> Errors:
    """See `hgnpipe.evaluation.errors.mean_image_errors`; ``mse_clean`` is NaN."""
    return _without_clean(mean_image_errors(mean, frames, frames))


def _without_clean(errors: Errors) -> Errors:
    return errors._replace(mse_clean=np.full_like(errors.mse, np.nan))


def measures_of_clips(
    model: SequenceModel,
    clips: Clips,
    num_frames: int,
    mean: Float[Tensor, "3 S S"],
    evaluation: Evaluation,
    progress: Callable[[int], object] = lambda count: None,
) -> Measures:
    """Those measures of `hgnpipe.evaluation.dynamics` that need no more than clips.

    Args:
        model: Model on the device on which to evaluate, a `PhaseSpaceModel`.
        clips: Test videos with what is known of the time around them.
        num_frames: Length of the window that the model sees.
        mean: Mean training image.
        evaluation: Horizons; those beyond the clips are left out.
        progress: Called with the number of clips done since the last call.

    Returns:
        Measures of rollouts and of motion; with true states also SyMetric.
    """
    frames, start = clips.frames, clips.start
    played = play_beyond(
        model,
        frames[:, start : start + num_frames],
        frames,
        start,
        batch_size=evaluation["batch_size"],
        progress=progress,
    )
    mean_image, _ = mse_of_mean_image(mean, frames)
    window = (start, num_frames, evaluation["horizons"])
    measures = {
        **measures_of_frames(played.mse, played.square, mean_image, *window),
        **measures_of_motion(played),
    }
    if start + num_frames == frames.shape[1]:
        del measures["energy_drift_beyond"]
    if clips.q.shape[2] == 0:
        return measures
    repeats = evaluation["symetric_repeats"]
    return {**measures, **measures_of_map(played, clips.q, clips.p, repeats)}


def measures_of_frames(
    mse: Float[np.ndarray, "N M"],
    square: Float[np.ndarray, "N M"],
    mean_image: Float[np.ndarray, "N M"],
    start: int,
    num_frames: int,
    horizons: Sequence[int],
) -> Measures:
    """See `measures_of_rollouts`; without what is beyond the frames that there are."""
    most = mse.shape[1] - start - num_frames
    fitting = [horizon for horizon in horizons if horizon <= most]
    window = (start, num_frames, fitting)
    measures = measures_of_rollouts(mse, square, mean_image, *window)
    steps = () if fitting else ("valid_steps", "skilful_steps")
    return {name: values for name, values in measures.items() if name not in steps}


@torch.no_grad()
def measures_of_sampled_videos(
    model: SequenceModel, frames: Frames, seed: int
) -> Measures:
    """Sharpness, diversity and motion of sampled videos, against observed ones.

    Args:
        model: Model on the device on which to evaluate.
        frames: At least four test videos. Samples are as long as they are. Pictures of
            the later half of them, `NUM_KNOWN` at most, are those to which the nearest
            is sought.
        seed: Of the samples.

    Returns:
        See `hgnpipe.evaluation.samples.measures_of_pictures`; nothing if the model has
        no prior or there are fewer videos.
    """
    device, (num, length) = next(model.parameters()).device, frames.shape[:2]
    generator = torch.Generator(device).manual_seed(seed)
    sampled = sample_videos(model, NUM_VIDEOS, length - 1, generator)
    if len(sampled) == 0 or num < 4:
        return {}
    half, videos = num // 2, to_pixels(sampled, device)
    true = to_pixels(frames[: min(half, NUM_VIDEOS)], device)
    known = to_pixels(frames[half:][:NUM_KNOWN], device)
    return measures_of_pictures(videos, true, known)
