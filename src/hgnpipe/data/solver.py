"""Many copies of one system, solved together, each with time steps of its own.

`scipy.integrate.solve_ivp` takes one step for everything that it is given: a thousand
trajectories would all move at the pace of the one whose bodies just meet. Here every
trajectory has its own step, and those that have arrived make room for others. Method,
coefficients and step control are those of `scipy.integrate.DOP853`.

References:
    Hairer, Norsett and Wanner, Solving Ordinary Differential Equations I, Sec. II.
"""

from collections.abc import Callable

import numpy as np
from jaxtyping import Float
from scipy.integrate import DOP853

Rates = Callable[[np.ndarray], np.ndarray]

POOL = 8000
"""Trajectories that move together: many share the cost of a call."""
SAFETY, SLOWEST, FASTEST = 0.9, 0.2, 10.0
EXPONENT = -1 / (DOP853.error_estimator_order + 1)


def solve_each(
    rates: Rates,
    initial: Float[np.ndarray, "N m"],
    t: Float[np.ndarray, " T"],
    tolerance: float,
    progress: Callable[[int], object] = lambda count: None,
) -> Float[np.ndarray, "N T m"]:
    """Solve dy/dt = rates(y) for every initial state.

    Args:
        rates: Time derivative of states ``(n, m)``, each by itself.
        initial: States at ``t[0]``.
        t: Times to solve for, rising or falling.
        tolerance: Relative and absolute error of one step, for each trajectory.
        progress: Called with the number of trajectories done since the last call.

    Returns:
        States at these times; not a number from where no step is short enough.
    """
    sign = np.sign(t[-1] - t[0])
    times = sign * (t - t[0])
    states = np.full((len(initial), len(t), initial.shape[1]), np.nan)
    states[:, 0] = initial

    def forward(y: np.ndarray) -> np.ndarray:
        return sign * rates(y)

    now, y, slope = np.zeros(len(initial)), initial.copy(), forward(initial)
    step = np.minimum(_first_step(y, slope, tolerance), times[-1])
    shown = np.ones(len(initial), dtype=int)  # times that each trajectory has passed
    active, waiting = np.empty(0, dtype=int), np.arange(len(initial))
    while len(active) or len(waiting):
        if len(active) <= POOL // 2:
            room = POOL - len(active)
            active, waiting = np.append(active, waiting[:room]), waiting[room:]
        h = np.minimum(step[active], times[-1] - now[active])
        end, stages, error = _try_step(forward, y[active], slope[active], h, tolerance)
        with np.errstate(divide="ignore"):
            factor = np.clip(SAFETY * error**EXPONENT, SLOWEST, FASTEST)
        step[active] = h * np.nan_to_num(factor, nan=SLOWEST)
        good = error < 1
        done = active[good]
        last = h[good] == times[-1] - now[done]
        now[done] = np.where(last, times[-1], now[done] + h[good])
        some = np.flatnonzero(good)[times[shown[done]] <= now[done]]
        if len(some):
            passed = active[some]
            path = _Interpolant(forward, y[passed], end[some], stages[:, some], h[some])
            _show(path, times, now[passed], passed, states, shown)
        y[done], slope[done] = end[good], stages[12, good]
        over = (now[active] >= times[-1]) | (step[active] < np.spacing(times[-1]))
        if over.any():
            progress(int(over.sum()))
        active = active[~over]
    return states


def _combine(weights: np.ndarray, stages: np.ndarray) -> Float[np.ndarray, "n m"]:
    return np.tensordot(weights, stages, 1)


def _first_step(
    y: Float[np.ndarray, "n m"], slope: Float[np.ndarray, "n m"], tolerance: float
) -> Float[np.ndarray, " n"]:
    """Step in which each state changes by a hundredth of itself; it soon adapts."""
    scale = tolerance * (1 + np.abs(y))
    size, speed = (np.linalg.norm(v / scale, axis=1) for v in (y, slope))
    return 0.01 * np.maximum(size, 1e-3) / np.maximum(speed, 1e-3)


def _try_step(
    rates: Rates,
    y: Float[np.ndarray, "n m"],
    slope: Float[np.ndarray, "n m"],
    h: Float[np.ndarray, " n"],
    tolerance: float,
) -> tuple[Float[np.ndarray, "n m"], Float[np.ndarray, "16 n m"], np.ndarray]:
    """State after one step, its stages, and its error relative to the tolerance."""
    stages = np.empty((len(DOP853.D[0]), *y.shape))
    stages[0] = slope
    column = h[:, None]
    for stage in range(1, DOP853.n_stages):
        mixed = _combine(DOP853.A[stage, :stage], stages[:stage])
        stages[stage] = rates(y + column * mixed)
    end = y + column * _combine(DOP853.B, stages[:12])
    stages[12] = rates(end)
    scale = tolerance * (1 + np.maximum(np.abs(y), np.abs(end)))
    fifth, third = (
        np.square(_combine(weights, stages[:13]) / scale).sum(axis=1)
        for weights in (DOP853.E5, DOP853.E3)
    )
    size = np.sqrt(np.maximum((fifth + 0.01 * third) * y.shape[1], 1e-300))
    return end, stages, h * fifth / size


class _Interpolant:
    """State anywhere within one step, to seventh order; takes three more stages."""

    def __init__(
        self,
        rates: Rates,
        y: Float[np.ndarray, "n m"],
        end: Float[np.ndarray, "n m"],
        stages: Float[np.ndarray, "16 n m"],
        h: Float[np.ndarray, " n"],
    ) -> None:
        column = h[:, None]
        for stage, weights in enumerate(DOP853.A_EXTRA, start=13):
            mixed = _combine(weights[:stage], stages[:stage])
            stages[stage] = rates(y + column * mixed)
        change = end - y
        self.y, self.h = y, h
        self.terms = [
            change,
            column * stages[0] - change,
            2 * change - column * (stages[12] + stages[0]),
            *(column * _combine(weights, stages) for weights in DOP853.D),
        ]

    def at(
        self, left: Float[np.ndarray, " k"], which: np.ndarray
    ) -> Float[np.ndarray, "k m"]:
        """States of the trajectories ``which``, a time ``left`` before their end."""
        x = (1 - left / self.h[which])[:, None]
        value = np.zeros_like(self.y[which])
        for i, term in enumerate(reversed(self.terms)):
            value = (value + term[which]) * (1 - x if i % 2 else x)
        return self.y[which] + value


def _show(
    path: _Interpolant,
    times: Float[np.ndarray, " T"],
    now: Float[np.ndarray, " n"],
    passed: np.ndarray,
    states: Float[np.ndarray, "N T m"],
    shown: np.ndarray,
) -> None:
    """Fill in ``states`` at the times that trajectories passed in their last step."""
    which = np.arange(len(passed))
    while len(which):
        rows = passed[which]
        moment = shown[rows]
        states[rows, moment] = path.at(now[which] - times[moment], which)
        shown[rows] += 1
        more = shown[rows] < len(times)
        which = which[more]
        which = which[times[shown[passed[which]]] <= now[which]]
