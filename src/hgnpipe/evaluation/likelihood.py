"""How well a flow fits held-out points, and what is true of its map (paper, Sec. 3.3).

Log-densities are in nats. Held-out figures of NHF are bounds that get tighter with the
number of importance samples; those of RNVP are exact.
"""

import copy
from collections.abc import Callable, Sequence

import numpy as np
import torch
from jaxtyping import Float
from scipy.optimize import minimize
from torch import Tensor

from hgnpipe.collection import require
from hgnpipe.flows.base import Flow
from hgnpipe.hamiltonian import State, gradient

CHUNK = 2**14
"""Points times importance samples that are evaluated at a time."""

NUM_STARTS = 200
"""Test points from which descents into the minima of a potential start."""

Energy = Callable[[Tensor], Tensor]
Measure = tuple[str, float, float]
"""Name, value, and the standard error of the value; NaN where it has none."""


def held_out_log_density(
    flow: Flow,
    points: Float[np.ndarray, "N d"],
    num_importance_samples: int,
    seed: int,
    progress: Callable[[int], None] = lambda _: None,
) -> tuple[Float[np.ndarray, " N"], Float[np.ndarray, " N"]]:
    """Bound and importance-weighted estimate of ln p at every point.

    The samples of the momentum depend on ``seed`` alone. ``progress`` is called after
    every chunk with the number of points in it.

    Raises:
        ValueError: If the points are of another dimension than the flow, or the number
            of samples is not positive.
    """
    num_dims, num = points.shape[1], num_importance_samples
    legal = f"that of the flow, {flow.num_dims}"
    require(num_dims == flow.num_dims, "dimension of the points", num_dims, legal)
    require(num >= 1, "num_importance_samples", num, "1 or more")
    like = next(flow.parameters())
    generator = torch.Generator(like.device).manual_seed(seed)
    size = max(1, CHUNK // num_importance_samples)
    found: list[Tensor] = []
    for part in torch.from_numpy(points).to(like).split(size):
        with torch.no_grad():
            density = flow.log_density(part, num_importance_samples, generator)
        found.append(torch.stack(density).double().cpu())
        progress(len(part))
    bound, estimate = torch.cat(found, dim=1).numpy()
    return bound, estimate


def averaged(measure: str, values: Float[np.ndarray, " N"]) -> Measure:
    """Name of a measure, its mean over the points, and the standard error of that."""
    return measure, values.mean(), values.std(ddof=1) / np.sqrt(len(values))


def measures_of_likelihood(
    flow: Flow,
    points: Float[np.ndarray, "N d"],
    truth: Float[np.ndarray, " N"],
    counts: Sequence[int],
    seed: int,
    progress: Callable[[int], None] = lambda _: None,
) -> list[Measure]:
    """Negative log-likelihood, and its excess over ``truth``, the true ln p, if known.

    With every number of importance samples in ``counts``; the last one gives ``nll``.
    """
    rows = []
    for count in counts:
        bound, estimate = held_out_log_density(flow, points, count, seed, progress)
        if not flow.exact:
            rows.append(averaged(f"nll_{count}", -estimate))
    rows.append(averaged("nll", -estimate))
    rows.append(averaged("nll_bound", -bound))
    rows.append(("num_importance_samples", 0 if flow.exact else counts[-1], np.nan))
    if np.isfinite(truth).all():
        rows.append(averaged("excess", truth - estimate))
        rows.append(averaged("excess_bound", truth - bound))
    return rows


def gaussian_log_density(
    train: Float[np.ndarray, "N d"], points: Float[np.ndarray, "M d"]
) -> Float[np.ndarray, " M"]:
    """Ln p of a Gaussian with mean and covariance of the training points."""
    mean = torch.from_numpy(train.mean(0))
    # A little on the diagonal: columns may depend on each other.
    covariance = torch.from_numpy(np.atleast_2d(np.cov(train.T)))
    covariance += 1e-9 * covariance.trace() * torch.eye(len(mean), dtype=torch.float64)
    gaussian = torch.distributions.MultivariateNormal(mean, covariance)
    return gaussian.log_prob(torch.from_numpy(points)).numpy()


def log_volume_change(
    step: Callable[[State], State], states: State
) -> Float[Tensor, " B"]:
    """Ln |det J| of a map of phase space at every state, ``(B, d)`` each, by autodiff.

    Zero where the map keeps volumes (paper, Eq. 5).
    """
    num_dims = states.q.shape[1]

    def moved(point: Tensor) -> Tensor:
        q, p = point.split(num_dims)
        return torch.cat(step(State(q[None], p[None])), dim=1)[0]

    points = torch.cat(states, dim=1)
    with torch.no_grad():
        jacobian = torch.vmap(torch.func.jacfwd(moved))(points)
    return torch.linalg.slogdet(jacobian).logabsdet


def inversion_error(flow: torch.nn.Module, states: State) -> float:
    """Largest distance of a coordinate from itself after the flow and its inverse."""
    with torch.no_grad():
        back = flow.inverse(flow(states))
    pairs = zip(states, back, strict=True)
    return max((one - other).abs().max().item() for one, other in pairs)


def structure(flow: torch.nn.Module, num: int, seed: int) -> dict[str, float]:
    """What the paper claims of the map of NHF, measured at ``num`` draws of the prior.

    Returns:
        ``log_volume_change``, the largest |ln |det J||, in float64; and
        ``inversion_error_float32`` and ``_float64``, see `inversion_error`.
    """
    measured = {}
    for name, dtype in (("float32", torch.float32), ("float64", torch.float64)):
        exact = copy.deepcopy(flow).to("cpu", dtype)
        states = exact.sample_prior(num, torch.Generator().manual_seed(seed))
        measured[f"inversion_error_{name}"] = inversion_error(exact, states)
    volume = log_volume_change(exact, states)
    return {"log_volume_change": volume.abs().max().item(), **measured}


def measures_of_map(
    flow: torch.nn.Module,
    starts: Float[np.ndarray, "N d"],
    modes: Float[np.ndarray, "K d"],
    num: int,
    seed: int,
) -> list[Measure]:
    """See `structure`; and the minima of the potential energy of every step of NHF."""
    rows = [(k, v, np.nan) for k, v in structure(flow, num, seed).items()]
    exact = copy.deepcopy(flow).to("cpu").double()
    for number, hamiltonian in enumerate(exact.hamiltonians, start=1):
        minima = local_minima(hamiltonian.potential, starts)
        rows.append((f"num_minima_{number}", len(minima), np.nan))
        if len(modes):
            name, share = f"modes_with_minimum_{number}", matched(minima, modes)
            rows.append((name, share, np.nan))
    if len(modes):
        rows.append(("num_modes", len(modes), np.nan))
    return rows


def local_minima(
    energy: Energy,
    starts: Float[np.ndarray, "N d"],
    tolerance: float = 0.05,
    margin: float = 0.25,
) -> Float[np.ndarray, "M d"]:
    """Local minima of an energy, reached by descent from many starts.

    Args:
        energy: Maps ``(B, d)`` to ``(B,)``; it may know its ``gradient``.
        starts: Where the descents begin, ``(N, d)``.
        tolerance: Minima closer than this share of the box around the starts are one.
        margin: The region that counts is that box, wider by this share of its size on
            every side. What runs out of it has no minimum.

    Returns:
        Distinct minima, those that most starts lead to first.
    """
    low, high = starts.min(0), starts.max(0)
    size = high - low
    bounds = np.stack([low - margin * size, high + margin * size], axis=1)

    minima: list[np.ndarray] = []
    counts: list[int] = []
    for start in starts:
        end = _descend(energy, _descend(energy, start, bounds), bounds)
        at_edge = (np.abs(end[:, None] - bounds) < 1e-6 * size[:, None]).any()
        if at_edge or not _is_minimum(energy, end):
            continue
        near = [(np.abs(end - known) < tolerance * size).all() for known in minima]
        if any(near):
            counts[near.index(True)] += 1
        else:
            minima.append(end)
            counts.append(1)
    order = np.argsort(counts, kind="stable")[::-1]
    return np.array(minima).reshape(-1, starts.shape[1])[order]


def _descend(energy: Energy, start: np.ndarray, bounds: np.ndarray) -> np.ndarray:
    """End of a descent; it may stop early, so go on from there."""

    def value_and_slope(x: np.ndarray) -> tuple[float, np.ndarray]:
        point = torch.from_numpy(x)[None]
        with torch.no_grad():
            return energy(point).item(), gradient(energy, point)[0].numpy()

    options = {"ftol": 1e-14, "gtol": 1e-9, "maxiter": 1000}
    how = {"jac": True, "bounds": bounds, "options": options, "method": "L-BFGS-B"}
    return minimize(value_and_slope, start, **how).x


def _is_minimum(energy: Energy, point: np.ndarray) -> bool:
    """Whether the slope is nothing beside what the curvature makes nearby."""
    x = torch.from_numpy(point)

    def slope(x: Tensor) -> Tensor:
        return gradient(energy, x[None])[0]

    with torch.no_grad():
        curvature = torch.linalg.eigvalsh(torch.func.jacfwd(slope)(x)).min()
        return bool(curvature > 1e-9 and slope(x).abs().max() < 1e-3 * curvature)


def matched(minima: Float[np.ndarray, "M d"], modes: Float[np.ndarray, "K d"]) -> float:
    """Share of modes that have a minimum nearer to them than to any other mode.

    Only minima count that are nearer to their mode than half of the distance between
    that mode and the next.
    """
    if not len(minima) or not len(modes):
        return 0.0
    distance = np.linalg.norm(minima[:, None] - modes, axis=-1)
    between = np.linalg.norm(modes[:, None] - modes, axis=-1)
    np.fill_diagonal(between, np.inf)
    reach = between.min(1) / 2
    nearest = distance.argmin(1)
    close = distance.min(1) < reach[nearest]
    return len(set(nearest[close].tolist())) / len(modes)
