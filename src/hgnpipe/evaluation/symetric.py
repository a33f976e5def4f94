"""SyMetric: is there a symplectic map from the learned phase space to the true one?

A polynomial from latent to true states is fitted; it should keep areas in phase space,
as changes of canonical coordinates do. The definition has limits:

* True coordinates must be independent. Where the momenta of two bodies add up to zero,
  no map to them is symplectic: pass the `moving_pairs` of the true states.
* A A* = I is weaker than A = E: wrong partners, q = (q1, p1), p = (q2, p2), pass.
* A linear map scales all areas alike: for one pair they only count beyond order 1.
* Standardising changes areas: maps that mix unequal pairs look less symplectic.

References:
    Higgins, Wirnsberger, Jaegle, Botev, SyMetric: Measuring the Quality of Learnt
    Hamiltonian Dynamics Inferred from Vision, NeurIPS 2021.
    Peng and Mohseni, Symplectic Model Reduction of Hamiltonian Systems, SIAM J. Sci.
    Comput. 38(1), 2016 (`moving_pairs`).
"""

import math
import warnings
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import Lasso
from sklearn.model_selection import GridSearchCV
from sklearn.preprocessing import PolynomialFeatures, StandardScaler

from hgnpipe.collection import require

MIN_R2, MAX_DEVIATION, WORST_DEVIATION = 0.9, 0.05, 1000.0
MAX_INFORMATIVE_VARIANCE = 0.5
PENALTIES = {"alpha": np.logspace(-4, -0.5, 10)}
MAX_NONLINEAR_DIMENSIONS = 32
NUM_POINTS = 10
SMALLEST_WEIGHT, JACOBIAN_OFFSET = 1e-3, 1e-6
DIVERGED = 1e30  # or not a number: the rollout has left the finite world

Latents = Float[np.ndarray, "N T k"]
Truth = Float[np.ndarray, "N T n"]


class SyMetric(NamedTuple):
    """Outcome for one batch of trajectories.

    Attributes:
        score: 1 if ``r2`` > 0.9 and ``deviation`` < 0.05, otherwise 0.
        r2: R^2 of the polynomial from latent to true states, mean over coordinates.
        deviation: How far the polynomial is from symplectic ("Sym"), 0 to 1000.
        order: Order of the polynomial; 0 if there was nothing to fit.
        num_pairs: Latent (q, p) pairs that entered.
    """

    score: float
    r2: float
    deviation: float
    order: int
    num_pairs: int


def symetric(
    q: Latents,
    p: Latents,
    true_q: Truth,
    true_p: Truth,
    *,
    variance: Float[np.ndarray, "2 k"] | None = None,
    max_order: int = 5,
    max_features: int = 2000,
    seed: int = 0,
) -> SyMetric:
    """SyMetric of the latent rollouts of a handful of trajectories (5 of 60 steps).

    The score is 0, without a fit, if no latent moves or a rollout has diverged.

    Args:
        q: Latent positions.
        p: Latent momenta.
        true_q: True positions at the same times.
        true_p: True momenta.
        variance: Posterior variance of q and p, batch mean, if the latents are those of
            a posterior: pairs that are close to the prior are left out.
        max_order: Highest order of the polynomial.
        max_features: An order above 1 with more monomials is not tried. The default
            allows order 5 up to 8 latent dimensions (4 pairs), order 4 up to 12.
        seed: Draws the points at which the Jacobian is taken.

    Raises:
        ValueError: If ``max_order`` is below 1 or a true coordinate does not move.
    """
    require(max_order >= 1, "max_order", max_order, "1 or more")
    truth = np.concatenate([true_q, true_p], axis=2)
    span = float(np.ptp(truth, axis=(0, 1)).min())
    require(0 < span < np.inf, "Range of a true coordinate", span, "positive, finite")
    keep = _pairs_to_keep(q, p, variance)
    if not keep.any():
        return SyMetric(0.0, 0.0, WORST_DEVIATION, order=0, num_pairs=0)
    x = _standardise(np.concatenate([q[..., keep], p[..., keep]], axis=2))
    powers, weights, r2 = _fit(x, _standardise(truth), max_order, max_features)
    rng = np.random.default_rng(seed)
    points = [path[rng.permutation(len(path))[:NUM_POINTS]] for path in x]
    deviation = _deviation(polynomial_jacobian(powers, weights, np.stack(points)))
    score = float(r2 > MIN_R2 and deviation < MAX_DEVIATION)
    return SyMetric(score, r2, deviation, int(powers.max()), int(keep.sum()))


def repeated_symetric(
    q: Latents,
    p: Latents,
    true_q: Truth,
    true_p: Truth,
    *,
    num_repeats: int = 20,
    trajectories_per_repeat: int = 5,
    seed: int = 0,
    **options: Any,
) -> list[SyMetric]:
    """SyMetric of random batches, disjoint until there are too few trajectories left.

    States and ``options`` are those of `symetric`.

    Raises:
        ValueError: If there are too few trajectories; also see `symetric`.
    """
    require(num_repeats >= 1, "num_repeats", num_repeats, "1 or more")
    num, size = len(q), trajectories_per_repeat
    require(1 <= size <= num, "trajectories_per_repeat", size, f"in 1 to {num}")
    rng = np.random.default_rng(seed)
    num_rounds = math.ceil(num_repeats / (num // size))
    rounds = [rng.permutation(num)[: num - num % size] for _ in range(num_rounds)]
    batches = np.concatenate(rounds).reshape(-1, size)[:num_repeats]
    return [
        symetric(
            *(states[batch] for states in (q, p, true_q, true_p)),
            seed=int(rng.integers(2**32)),
            **options,
        )
        for batch in batches
    ]


def moving_pairs(
    q: Latents, p: Latents, *, share: float = 0.99, max_pairs: int
) -> tuple[Float[np.ndarray, "N T m"], Float[np.ndarray, "N T m"]]:
    """Project onto the fewest pairs that hold nearly all of the motion.

    Positions and momenta are projected onto the same orthonormal directions, so that
    the projection is symplectic ("cotangent lift" of Peng and Mohseni). To choose the
    directions both count alike: q -> s q, p -> p / s changes nothing but units.
    Trajectories that have diverged are projected, but have no say.

    Args:
        q: Positions.
        p: Momenta.
        share: Share of the variance to be held, mean of positions and momenta.
        max_pairs: Most pairs, even if they hold less.

    Raises:
        ValueError: If an option is out of range.
    """
    require(0 < share <= 1, "share", share, "above 0 and at most 1")
    require(max_pairs >= 1, "max_pairs", max_pairs, "1 or more")
    settled = (np.abs([q, p]) < DIVERGED).all(axis=(0, 2, 3))
    if not settled.any():
        return q[..., :1], p[..., :1]
    covariance = np.zeros((q.shape[2], q.shape[2]))
    for states in (q[settled], p[settled]):
        flat = states.reshape(-1, q.shape[2]).astype(np.float64)
        centred = flat - flat.mean(axis=0)
        covariance += centred.T @ centred / (np.square(centred).sum() or 1.0)
    variances, directions = np.linalg.eigh(covariance)
    held = np.cumsum(variances[::-1])
    num_pairs = 1 + int(np.sum(held < (share - 1e-12) * held[-1]))
    basis = directions[:, ::-1][:, : min(num_pairs, max_pairs)]
    with np.errstate(invalid="ignore", over="ignore"):
        return q @ basis, p @ basis


def polynomial_jacobian(
    powers: Int[np.ndarray, "F D"],
    weights: Float[np.ndarray, "E F"],
    x: Float[np.ndarray, "*M D"],
) -> Float[np.ndarray, "*M E D"]:
    """Derivatives of E polynomials, weighted sums of F monomials, by D variables."""
    columns = []
    for variable, power in enumerate(powers.T):
        lowered = powers[power > 0]
        lowered[:, variable] -= 1
        monomials = np.prod(x[..., None, :] ** lowered, axis=-1)
        columns.append(monomials @ (weights * power)[:, power > 0].T)
    return np.stack(columns, axis=-1)


def _pairs_to_keep(
    q: Latents, p: Latents, variance: Float[np.ndarray, "2 k"] | None
) -> Bool[np.ndarray, " k"]:
    """Pairs that move and are away from the prior (if any is); none after diverging."""
    both = np.stack([q, p])
    if not np.all(np.abs(both) < DIVERGED):
        return np.zeros(q.shape[2], dtype=bool)
    moving = (np.ptp(both, axis=(1, 2)) > 0).any(axis=0)
    if variance is None:
        return moving
    certain = (variance < MAX_INFORMATIVE_VARIANCE).any(axis=0)
    return moving & (certain | ~certain.any())


def _standardise(states: Float[np.ndarray, "N T D"]) -> Float[np.ndarray, "N T D"]:
    # CHOICE (definition): q and p of a pair each by its own scale, see limits above.
    flat = states.reshape(-1, states.shape[2]).astype(np.float64)
    return StandardScaler().fit_transform(flat).reshape(states.shape)


def _fit(
    x: np.ndarray, y: np.ndarray, max_order: int, max_features: int
) -> tuple[np.ndarray, np.ndarray, float]:
    """Powers, weights and R^2 of the first order that explains y, else of the last."""
    num = x.shape[2]
    x, y = x.reshape(-1, num), y.reshape(-1, y.shape[2])
    highest = 1 if num > MAX_NONLINEAR_DIMENSIONS else max_order
    for order in range(1, highest + 1):
        if order > 1 and math.comb(num + order, order) - 1 > max_features:
            break
        features = PolynomialFeatures(order, include_bias=False)
        monomials = features.fit_transform(x)
        search = GridSearchCV(Lasso(), PENALTIES, cv=2, scoring="explained_variance")
        with warnings.catch_warnings():
            # At weak penalties the many correlated monomials of a high order do not
            # settle within Lasso's 1,000 sweeps; the validation score judges the fit.
            warnings.simplefilter("ignore", ConvergenceWarning)
            lasso = search.fit(monomials, y).best_estimator_
        r2 = float(lasso.score(monomials, y))
        if r2 > MIN_R2:
            break
    weights = np.where(np.abs(lasso.coef_) < SMALLEST_WEIGHT, 0.0, lasso.coef_)
    return features.powers_, weights, r2


def _deviation(jacobians: Float[np.ndarray, "N M E D"]) -> float:
    """Mean squared difference of A A* and I, where A = J E J^T, after normalisation."""
    form = np.kron([[0.0, 1.0], [-1.0, 0.0]], np.eye(jacobians.shape[3] // 2))
    jacobians = jacobians + JACOBIAN_OFFSET
    brackets = jacobians @ form @ jacobians.swapaxes(2, 3)
    products = brackets @ (jacobians @ form.T @ jacobians.swapaxes(2, 3))
    scale = np.abs(products).max(axis=(2, 3)).mean(axis=1)[:, None, None, None]
    products = products / np.where(scale > 0, scale, 1.0)
    deviation = np.square(products - np.eye(jacobians.shape[2])).mean()
    return min(float(deviation), WORST_DEVIATION)
