"""Is the learned energy conserved, and does it say anything about the true one?"""

import warnings

import numpy as np
from jaxtyping import Float
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LinearRegression
from sklearn.metrics import r2_score
from sklearn.model_selection import KFold, cross_val_predict


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


def _ratio(values: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """Values relative to the standard deviation of others, NaN if those are equal."""
    # The standard deviation of equal numbers need not be zero: their mean is rounded.
    if not np.ptp(scale) > 0:
        return np.full_like(values, np.nan)
    return values / scale.astype(np.float64).std()
