"""How well a flow fits held-out points, and what is true of its map (paper, Sec. 3.3).

Log-densities are in nats. Held-out figures of NHF are bounds that get tighter with the
number of importance samples; those of RNVP are exact. Points far from what a flow has
learned may have a log-density of minus infinity (`hgnpipe.flows.base.finite_or_none`):
means leave such points out, and say how many they are.
"""

import copy
from collections.abc import Callable, Sequence

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from hgnpipe.collection import require
from hgnpipe.evaluation.minima import local_minima, matched
from hgnpipe.flows.base import Flow
from hgnpipe.hamiltonian import State

CHUNK = 2**14
"""Points times importance samples that are evaluated at a time."""
LOWEST = float(np.log(np.finfo(np.float64).tiny))
"""Ln of the smallest number, -708: what a point without a density counts as where flows
are compared."""

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

    Either is finite or minus infinity. The samples of the momentum depend on ``seed``
    alone. ``progress`` is called after every chunk with the number of points in it.

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
    for part in torch.from_numpy(points).to(like.device).split(size):
        with torch.no_grad():
            density = flow.log_density(part, num_importance_samples, generator)
        found.append(torch.stack(density).double().cpu())
        progress(len(part))
    bound, estimate = torch.cat(found, dim=1).numpy()
    return bound, estimate


def watched_likelihood(
    flow: Flow, points: Float[np.ndarray, "N d"], num_importance_samples: int, seed: int
) -> dict[str, float]:
    """Negative log-likelihoods by which the training of a flow is watched.

    Returns:
        Means over the points, `LOWEST` standing for points without a density, so that
        fewer of them are better: ``held_out``, ``held_out_bound``; and how many points
        have none, ``held_out_unjudged``.
    """
    found = held_out_log_density(flow, points, num_importance_samples, seed)
    bound, estimate = (np.where(np.isfinite(v), v, LOWEST) for v in found)
    unjudged = num_unjudged(found[1])
    names = ("held_out_bound", "held_out", "held_out_unjudged")
    return dict(zip(names, (-bound.mean(), -estimate.mean(), unjudged), strict=True))


def num_unjudged(values: Float[np.ndarray, " N"]) -> int:
    """How many of some values are not finite."""
    return int((~np.isfinite(values)).sum())


def averaged(measure: str, values: Float[np.ndarray, " N"]) -> Measure:
    """Name of a measure, its mean over the points, and the standard error of that.

    Over those points where it is finite; infinite where there are none.
    """
    judged = values[np.isfinite(values)]
    if not len(judged):
        return measure, np.inf, np.nan
    error = judged.std(ddof=1) / np.sqrt(len(judged)) if len(judged) > 1 else np.nan
    return measure, judged.mean(), error


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
    Each has its ``num_unjudged``: how many points it leaves out.
    """
    rows = []
    for count in counts:
        bound, estimate = held_out_log_density(flow, points, count, seed, progress)
        if not flow.exact:
            rows += counted(f"_{count}", -estimate)
    rows += counted("", -estimate) + counted("_bound", -bound)
    rows.append(("num_importance_samples", 0 if flow.exact else counts[-1], np.nan))
    if np.isfinite(truth).all():
        rows.append(averaged("excess", truth - estimate))
        rows.append(averaged("excess_bound", truth - bound))
    return rows


def counted(name: str, nll: Float[np.ndarray, " N"]) -> list[Measure]:
    """Mean of a negative log-likelihood, and how many points it leaves out."""
    unjudged = (f"num_unjudged{name}", num_unjudged(nll), np.nan)
    return [averaged(f"nll{name}", nll), unjudged]


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
    """Largest distance of a coordinate from itself after the flow and its inverse.

    Infinite where one of them gives no number.
    """
    with torch.no_grad():
        back = flow.inverse(flow(states))
    return largest(torch.cat(states) - torch.cat(back))


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
    return {"log_volume_change": largest(volume), **measured}


def largest(values: Tensor) -> float:
    """Largest magnitude; infinite where one is no number."""
    return values.abs().nan_to_num(nan=torch.inf, posinf=torch.inf).max().item()


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
