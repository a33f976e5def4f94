"""Are the learned dynamics right? Measures beyond the frames that a model was shown.

A model can fit the videos of its training window and still not know how the system
moves. So its rollouts are followed further, run backwards and at another speed
(`hgnpipe.evaluation.rollouts`), and its energy is compared with the true one. All
errors are against frames without noise.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from jaxtyping import Float

from hgnpipe.collection import require
from hgnpipe.evaluation.energies import energy_drift, energy_r2
from hgnpipe.evaluation.rollouts import Played
from hgnpipe.evaluation.symetric import (
    MAX_INFORMATIVE_VARIANCE,
    moving_pairs,
    repeated_symetric,
)

Measures = dict[str, Float[np.ndarray, " _"]]
"""Measures by name, with a value per rollout, per batch, or one alone."""

VALID = 0.025
"""Relative error at which a prediction stops being valid, as in the literature."""


def span_beyond(num: int, end: int, horizon: int) -> slice:
    """The ``horizon`` frames of ``num`` from index ``end`` on.

    Raises:
        ValueError: If there are not so many.
    """
    most = num - end
    require(1 <= horizon <= most, "horizon", horizon, f"between 1 and {most}")
    return slice(end, end + horizon)


def clean_skill(
    mse: Float[np.ndarray, " N"], mean_image: Float[np.ndarray, " N"]
) -> Float[np.ndarray, " N"]:
    """1 - MSE / MSE of the mean image: 1 is the true video, 0 is collapsed.

    For errors against frames without noise, where the truth has none. Relative to the
    mean of the mean image's errors over the rollouts, so that the mean over the
    rollouts is the skill of the mean error. NaN where the mean image has no error.
    """
    level = mean_image.mean(dtype=np.float64)
    return 1 - mse / level if level > 0 else np.full_like(mse, np.nan)


def valid_steps(
    error: Float[np.ndarray, "N M"],
    scale: Float[np.ndarray, "N M"] | float,
    threshold: float = VALID,
) -> Float[np.ndarray, " N"]:
    """Valid prediction time: steps before the relative error first passes a threshold.

    Args:
        error: Error of the frames after the training window, in the order of time.
        scale: What it is relative to. In the literature the mean square of the frame,
            with a threshold of 0.025: on a grey background even the mean image can
            stay below it, so look at that row too.
        threshold: Largest valid relative error.

    Returns:
        Number of valid steps; M where the error never passes. An error that is not a
        number has passed.
    """
    most = error.shape[1]
    valid = error <= threshold * scale
    steps = np.where(valid, most, np.arange(most))
    return steps.min(axis=1, initial=most).astype(float)


def measures_of_rollouts(
    mse: Float[np.ndarray, "N M"],
    square: Float[np.ndarray, "N M"],
    mean_image: Float[np.ndarray, "N M"],
    start: int,
    num_frames: int,
    horizons: Sequence[int],
) -> Measures:
    """Errors of rollouts inside and outside of the training window.

    Args:
        mse: Error of each frame, in the order of time.
        square: Mean square of each true frame.
        mean_image: Error of the mean image.
        start: Index of the first frame of the training window.
        num_frames: Length of the training window.
        horizons: Frames beyond the window over which errors are averaged.

    Returns:
        A value per rollout: errors times 1e4, of the window, beyond and before, and for
        each of them the `clean_skill`; ``valid_steps`` as in the literature, and
        ``skilful_steps``, before the error passes half of the mean image's.
    """
    end = start + num_frames
    parts = {"window": slice(start, end)}
    for horizon in horizons:
        parts[f"beyond_{horizon}"] = span_beyond(mse.shape[1], end, horizon)
    if start > 0:
        parts[f"before_{start}"] = slice(0, start)
    errors = {name: mse[:, part].mean(axis=1) for name, part in parts.items()}
    beyond = slice(end, None)
    return {
        **{f"mse_{name}_x1e4": 1e4 * error for name, error in errors.items()},
        **{
            f"skill_{name}": clean_skill(error, mean_image[:, parts[name]].mean(axis=1))
            for name, error in errors.items()
        },
        "valid_steps": valid_steps(mse[:, beyond], square[:, beyond]),
        "skilful_steps": valid_steps(mse[:, beyond], mean_image[:, beyond], 0.5),
    }


def measures_of_motion(played: Played) -> Measures:
    """Reversibility, consistency of speeds, conservation of energy; used latents.

    Returns:
        A value per rollout: ``reversibility_error``, ``speed_mse_x1e4``,
        ``energy_drift`` inside the training window and beyond it. For models with a
        posterior: how many latent dimensions there are, how many collapsed, that is,
        have a posterior variance of 0.5 or more (the prior's is 1), and ``pairs_used``,
        half of how many did not: a pair (q, p) takes two. What a model cannot do or
        does not have is left out.
    """
    measures = {}
    if played.returned is not None:
        measures["reversibility_error"] = played.returned
    if played.halved is not None:
        measures["speed_mse_x1e4"] = 1e4 * played.halved
    if played.energy is not None:
        shown = played.energy[:, : played.num_frames]
        measures["energy_drift"] = energy_drift(shown)
        measures["energy_drift_beyond"] = energy_drift(played.energy)
    if played.variance is not None:
        collapsed = float((played.variance >= MAX_INFORMATIVE_VARIANCE).sum())
        measures["latents"] = np.array([float(played.variance.size)])
        measures["latents_collapsed"] = np.array([collapsed])
        measures["pairs_used"] = np.array([(played.variance.size - collapsed) / 2])
    return measures


def measures_of_energy(
    energy: Float[np.ndarray, "N T"], true: Float[np.ndarray, " N"]
) -> Measures:
    """R^2 of the true energy given the learned one, mean over the rollout.

    Nothing for a model that has no energy: all of it is NaN.
    """
    if np.isnan(energy).all():
        return {}
    r2 = energy_r2(energy.mean(axis=1), true)
    return {f"energy_r2_{fit}": np.array([value]) for fit, value in r2.items()}


def measures_of_map(
    played: Played,
    q: Float[np.ndarray, "N M n"],
    p: Float[np.ndarray, "N M n"],
    num_repeats: int,
    num_steps: int = 60,
) -> Measures:
    """SyMetric of the first 60 steps (`hgnpipe.evaluation.symetric`), per batch.

    Nothing for a model that has no states.

    ``symetric`` is of those latent pairs that move, at most as many as the true ones;
    ``symetric_all`` of all latent pairs, which above 32 dimensions means a linear map.

    Args:
        played: Rollouts.
        q: True positions at the same times.
        p: True momenta.
        num_repeats: Batches of five trajectories.
        num_steps: Steps from the first frame on, at most.
    """
    if played.q is None or played.p is None:
        return {}
    span = slice(0, num_steps + 1)
    shown = slice(played.num_before, played.num_before + num_steps + 1)
    latent, true = (played.q[:, span], played.p[:, span]), (q[:, shown], p[:, shown])
    true = moving_pairs(*true, max_pairs=q.shape[2])
    variance = played.variance
    if variance is not None:  # known for the state only if that is the posterior's
        is_state = variance.size == 2 * latent[0].shape[2]
        variance = variance.reshape(2, -1) if is_state else None
    moving = moving_pairs(*latent, max_pairs=true[0].shape[2])
    compared = {"symetric": (moving, None), "symetric_all": (latent, variance)}
    measures = {}
    for name, (states, known) in compared.items():
        outcomes = repeated_symetric(
            *states,
            *true,
            num_repeats=num_repeats,
            trajectories_per_repeat=min(5, len(q)),
            variance=known,
        )
        for part in ("score", "r2", "deviation"):
            suffix = "" if part == "score" else f"_{part}"
            measures[name + suffix] = np.array([getattr(o, part) for o in outcomes])
    return measures


def as_rows(measures: Measures) -> pd.DataFrame:
    """A row per measure: mean, standard deviation and number of its values."""
    rows = [(name, *_mean_and_spread(values)) for name, values in measures.items()]
    return pd.DataFrame(rows, columns=["measure", "value", "spread", "num"])


def _mean_and_spread(values: np.ndarray) -> tuple[float, float, int]:
    """Mean, standard deviation (NaN where it means nothing) and number of values."""
    if len(values) == 1 or not np.isfinite(values).all():
        return float(values.mean()), np.nan, len(values)
    return float(values.mean()), float(values.std()), len(values)
