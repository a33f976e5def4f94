"""The map from latent to true states, fitted on videos whose true motion is known.

With it, what a model makes up by itself can be judged by the true laws of motion.
"""

import math
import warnings
from functools import partial
from itertools import product
from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from scipy.linalg import LinAlgWarning
from sklearn.decomposition import PCA
from sklearn.linear_model import Ridge
from sklearn.metrics import r2_score
from sklearn.model_selection import GroupKFold, cross_val_predict
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, PolynomialFeatures

MAX_DIMENSIONS = 40
"""Principal components of the latent states that enter, at most."""
MAX_FEATURES = 600
"""A degree above 1 with more monomials is not tried."""
DEGREES = (1, 2, 3)
PENALTIES = (1e-5, 1e-2, 1e1)
FOLDS = 5

Latents = Float[np.ndarray, "N T d"]
Truth = Float[np.ndarray, "N T m"]


class StateMap(NamedTuple):
    """A polynomial from latent to true states.

    Attributes:
        fit: The polynomial; None if there were not two motions, or one had diverged.
        r2: R^2 on held-out motions, mean over the coordinates; NaN without a fit.
        held_out: What it makes of each motion when fitted on others, as the truth.
    """

    fit: Pipeline | None
    r2: float
    held_out: np.ndarray

    def __call__(self, latent: Latents) -> Truth:
        """True states that belong to latent ones; NaN where those are not finite."""
        size = self.held_out.shape[2]
        flat = latent.reshape(-1, latent.shape[2]).astype(np.float64)
        states = np.full((len(flat), size), np.nan)
        known = np.isfinite(flat).all(axis=1)
        if self.fit is not None and known.any():
            states[known] = self.fit.predict(flat[known])
        return states.reshape(*latent.shape[:2], size)


def fit_state_map(latent: Latents, true: Truth) -> StateMap:
    """Fit the polynomial of degree 1 to 3 that is best on held-out motions.

    It is a ridge regression on the monomials of the leading principal components. They
    are not scaled to equal variance: directions in which latent states hardly vary have
    no say, and cannot run away where samples go further along them.

    Args:
        latent: Latent states of some motions, q and p side by side.
        true: True states at the same times.
    """
    num, length, size = latent.shape
    if num < 2 or not np.isfinite(latent).all():
        return StateMap(None, np.nan, np.full_like(true, np.nan))
    x, y = latent.reshape(-1, size).astype(np.float64), true.reshape(num * length, -1)
    motions = np.repeat(np.arange(num), length)
    folds = GroupKFold(min(FOLDS, num))
    scale = np.sqrt(x.var(axis=0).sum() / size) or 1.0
    components = min(size, MAX_DIMENSIONS, (len(x) - length * -(-num // FOLDS)))
    best = StateMap(None, -np.inf, true)
    for degree, penalty in product(DEGREES, PENALTIES):
        if degree > 1 and math.comb(components + degree, degree) > MAX_FEATURES:
            continue
        fit = _polynomial(scale, components, degree, penalty)
        with warnings.catch_warnings():
            # Monomials may be nearly dependent: what is left out judges the fit.
            warnings.simplefilter("ignore", LinAlgWarning)
            predicted = cross_val_predict(fit, x, y, groups=motions, cv=folds)
            r2 = float(r2_score(y, predicted))
            if r2 > best.r2:
                best = StateMap(fit.fit(x, y), r2, predicted.reshape(true.shape))
    return best


def _polynomial(scale: float, components: int, degree: int, penalty: float) -> Pipeline:
    return make_pipeline(
        FunctionTransformer(partial(np.multiply, 1 / scale)),
        PCA(components, svd_solver="covariance_eigh"),
        PolynomialFeatures(degree, include_bias=False),
        Ridge(penalty),
    )
