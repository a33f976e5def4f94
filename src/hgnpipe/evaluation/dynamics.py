"""Are the learned dynamics right? Measures beyond the frames that a model was shown.

A model can fit the videos of its training window and still not know how the system
moves. So its rollouts are followed further, run backwards and at another speed
(`hgnpipe.evaluation.rollouts`), and its energy is compared with the true one. All
errors are against frames without noise.
"""

import warnings
from collections.abc import Sequence

import numpy as np
import pandas as pd
from jaxtyping import Float
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LinearRegression
from sklearn.metrics import r2_score
from sklearn.model_selection import KFold, cross_val_predict

from hgnpipe.collection import require
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


def mse_beyond(
    mse: Float[np.ndarray, "N M"], end: int, horizon: int
) -> Float[np.ndarray, " N"]:
    """Mean error of the ``horizon`` frames from index ``end`` on.

    Raises:
        ValueError: If there are not so many.
    """
    most = mse.shape[1] - end
    require(1 <= horizon <= most, "horizon", horizon, f"between 1 and {most}")
    return mse[:, end : end + horizon].mean(axis=1)


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


def energy_drift(energy: Float[np.ndarray, "N T"]) -> Float[np.ndarray, " N"]:
    """Largest change of the learned energy along each rollout, without scale.

    Relative to the standard deviation of the first energies over the rollouts, because
    scale and origin of a learned energy mean nothing. NaN if all energies are equal.
    """
    change = np.abs(energy - energy[:, :1]).max(axis=1)
    return _ratio(change, energy[:, 0])


def energy_r2(
    learned: Float[np.ndarray, " N"], true: Float[np.ndarray, " N"]
) -> dict[str, float]:
    """How well the learned energy predicts the true one, R^2 on held-out rollouts.

    ``linear`` fits a line, ``monotone`` any monotone function (isotonic regression):
    a learned energy that orders the rollouts rightly has R^2 = 1 by the second only.
    Each tenth of the rollouts is predicted from the other nine, so that what has
    nothing to do with the truth is at zero or just below. NaN below ten rollouts.
    """
    learned, true = learned.astype(np.float64), true.astype(np.float64)
    if len(learned) < 10 or not np.isfinite(learned).all():
        return {"linear": np.nan, "monotone": np.nan}
    # A learned energy may be tiny: without its scale, the fit would be the mean.
    scaled = _ratio(learned - learned.mean(), learned)
    if np.isnan(scaled).any():  # the same energy everywhere
        return {"linear": 0.0, "monotone": 0.0}
    folds = KFold(10, shuffle=True, random_state=0)
    fits = {
        "linear": LinearRegression(),
        "monotone": IsotonicRegression(increasing="auto", out_of_bounds="clip"),
    }
    with warnings.catch_warnings():
        # The monotone fit warns where it cannot tell rising from falling: what is left
        # out judges it.
        warnings.simplefilter("ignore")
        predicted = {
            name: cross_val_predict(fit, scaled[:, None], true, cv=folds)
            for name, fit in fits.items()
        }
    return {name: float(r2_score(true, values)) for name, values in predicted.items()}


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
        A value per rollout: errors times 1e4; ``valid_steps`` as in the literature,
        and ``skilful_steps``, before the error passes half of the mean image's.
    """
    end = start + num_frames
    beyond = slice(end, None)
    errors = {
        f"mse_beyond_{horizon}_x1e4": 1e4 * mse_beyond(mse, end, horizon)
        for horizon in horizons
    }
    if start > 0:
        errors[f"mse_before_{start}_x1e4"] = 1e4 * mse[:, :start].mean(axis=1)
    return {
        "mse_window_x1e4": 1e4 * mse[:, start:end].mean(axis=1),
        **errors,
        "valid_steps": valid_steps(mse[:, beyond], square[:, beyond]),
        "skilful_steps": valid_steps(mse[:, beyond], mean_image[:, beyond], 0.5),
    }


def measures_of_motion(played: Played) -> Measures:
    """Reversibility, consistency of speeds, conservation of energy; used latents.

    Returns:
        A value per rollout: ``reversibility_error``, ``speed_mse_x1e4``,
        ``energy_drift`` inside the training window and beyond it. For models with a
        posterior: how many latent dimensions there are and how many collapsed, that
        is, have a posterior variance of 0.5 or more (the prior's is 1).
    """
    measures = {
        "reversibility_error": played.returned,
        "speed_mse_x1e4": 1e4 * played.halved,
        "energy_drift": energy_drift(played.energy[:, : played.num_frames]),
        "energy_drift_beyond": energy_drift(played.energy),
    }
    if played.variance is not None:
        collapsed = float((played.variance >= MAX_INFORMATIVE_VARIANCE).sum())
        measures["latents"] = np.array([float(played.variance.size)])
        measures["latents_collapsed"] = np.array([collapsed])
    return measures


def measures_of_energy(
    energy: Float[np.ndarray, "N T"], true: Float[np.ndarray, " N"]
) -> Measures:
    """R^2 of the true energy given the learned one, mean over the rollout."""
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

    ``symetric`` is of those latent pairs that move, at most as many as the true ones;
    ``symetric_all`` of all latent pairs, which above 32 dimensions means a linear map.

    Args:
        played: Rollouts.
        q: True positions at the same times.
        p: True momenta.
        num_repeats: Batches of five trajectories.
        num_steps: Steps from the first frame on, at most.
    """
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


def _ratio(values: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """Values relative to the standard deviation of others, NaN if those are equal."""
    # The standard deviation of equal numbers need not be zero: their mean is rounded.
    if not np.ptp(scale) > 0:
        return np.full_like(values, np.nan)
    return values / scale.astype(np.float64).std()
