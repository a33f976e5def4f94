"""True trajectories of the systems (paper, Sec. 4 and A.4).

The motion is solved without noise; the noise of the observation is added afterwards.
Both are kept, so that the error that no model can avoid is known.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import torch
from jaxtyping import Float

from hgnpipe.collection import require
from hgnpipe.hamiltonian import motion
from hgnpipe.systems.base import System

SPLITS = ("train", "test", "long")
"""Independent draws; long ones are for training with targets beyond the window."""
TOLERANCES = (1e-8, 1e-10, 1e-12)
"""Of the solver: the first for all trajectories, the next for those that drift."""


class Trajectories(NamedTuple):
    """Solved motion of many copies of one system.

    Attributes:
        t: Times of the frames, ``(T,)``.
        q: Positions without noise, ``(N, T, n)``.
        p: Momenta without noise, ``(N, T, n)``.
        q_noisy: Positions with observation noise.
        p_noisy: Momenta with observation noise.
    """

    t: np.ndarray
    q: np.ndarray
    p: np.ndarray
    q_noisy: np.ndarray
    p_noisy: np.ndarray


def simulate(
    system: System,
    num: int,
    num_frames: int,
    seed: int,
    split: str = "train",
    progress: Callable[[int], object] = lambda count: None,
    num_before: int = 0,
) -> Trajectories:
    """Simulate ``num`` trajectories of ``num_frames`` frames.

    Args:
        system: What moves; its ``frame_dt`` separates two frames.
        num: Number of trajectories.
        num_frames: T, all frames together.
        seed: Together with the system and the split fixes every number.
        split: One of `SPLITS`.
        progress: Called with the number of trajectories done since the last call.
        num_before: Frames before the initial state; they are solved backwards.

    Raises:
        ValueError: If a count is too small or the split unknown.
        RuntimeError: If the energy of a trajectory drifts by more than the system's
            ``MAX_DRIFT`` at the solver's best accuracy.
    """
    require(num >= 1, "num", num, "1 or more")
    require(num_frames >= 2, "num_frames", num_frames, "2 or more")
    require(split in SPLITS, "split", split, ", ".join(SPLITS))
    legal = f"zero or positive, and less than num_frames - 1 ({num_frames - 1})"
    require(0 <= num_before < num_frames - 1, "num_before", num_before, legal)
    starts, noise = (
        np.random.default_rng(child)
        for child in random_source(seed, system, split).spawn(2)
    )
    t = system.frame_dt * (np.arange(num_frames) - num_before)
    initial = np.concatenate(system.sample_initial_states(starts, num), axis=1)
    states, drift = solve(system, initial, t[num_before:], progress)
    if num_before:
        past, drift_before = solve(system, initial, t[num_before::-1])
        states = np.concatenate([past[:, :0:-1], states], axis=1)
        drift = np.maximum(drift, drift_before)
    limit = system.MAX_DRIFT
    if not (exact := drift <= limit).all():
        raise RuntimeError(
            f"The energy of {(~exact).sum()} trajectories of {system.name} "
            f"drifts by up to {drift.max():.1e} (at most {limit:.0e} is allowed): "
            f"two bodies come too close. Start further apart, or end earlier (smaller "
            f"frame_dt)."
        )
    q, p = np.split(states, 2, axis=-1)
    # CHOICE (Sec. 4): the noise is on what is observed; the motion itself is clean.
    errors = system.draw_noise(noise, (*states.shape[:2], 2))
    return Trajectories(t, q, p, q + errors[:, :, 0], p + errors[:, :, 1])


def random_source(seed: int, system: System, purpose: str) -> np.random.SeedSequence:
    """Independent randomness for each seed, system and purpose.

    Raises:
        ValueError: If the seed is negative.
    """
    require(seed >= 0, "seed", seed, "zero or positive")
    words = f"{system.name} {purpose}".encode()
    return np.random.SeedSequence([seed, *words])


def true_energy(
    system: System, q: Float[np.ndarray, "*b n"], p: Float[np.ndarray, "*b n"]
) -> Float[np.ndarray, "*b"]:
    """Energy of states under the true Hamiltonian."""
    return system.hamiltonian(torch.from_numpy(q), torch.from_numpy(p)).numpy()


def relative_drift(
    system: System,
    q: Float[np.ndarray, "N T n"],
    p: Float[np.ndarray, "N T n"],
    work: Float[np.ndarray, "N T"] | float = 0.0,
) -> Float[np.ndarray, " N"]:
    """Largest change of the energy along each trajectory, relative to its start.

    Args:
        system: What moves.
        q: Positions.
        p: Momenta.
        work: What friction has done since the start; it is no drift.
    """
    energy = true_energy(system, q, p) - work
    start = energy[:, :1]
    return (np.abs(energy - start) / np.abs(start)).max(axis=1)


def solve(
    system: System,
    initial: Float[np.ndarray, "N m"],
    t: Float[np.ndarray, " T"],
    progress: Callable[[int], object] = lambda count: None,
) -> tuple[Float[np.ndarray, "N T m"], Float[np.ndarray, " N"]]:
    """Solve all trajectories, and once more, more tightly, those whose energy drifts.

    Args:
        system: What moves.
        initial: Positions and momenta at ``t[0]`` side by side.
        t: Times to solve for, rising or falling.
        progress: Called with the number of trajectories done since the last call.

    Returns:
        States at these times, and the relative drift of each trajectory's energy.
    """
    from hgnpipe.data.solver import solve_each  # SciPy's take half a second to import

    q, p = (torch.from_numpy(part) for part in np.split(initial, 2, axis=1))
    if system.friction(q, p) is not None:  # its work is one more coordinate
        initial = np.pad(initial, [(0, 0), (0, 1)])

    def solved(initial: np.ndarray, *how: Any) -> tuple[np.ndarray, np.ndarray]:
        made = solve_each(partial(true_rates, system), initial, t, *how)
        q, p, work = np.split(made, [num, 2 * num], axis=-1)
        return made, relative_drift(system, q, p, work.sum(axis=-1))

    num = q.shape[1]
    states, drift = solved(initial, TOLERANCES[0], progress)
    for tolerance in TOLERANCES[1:]:
        again = np.flatnonzero(~(drift <= system.MAX_DRIFT))
        if len(again) == 0:
            break
        states[again], drift[again] = solved(initial[again], tolerance)
    return states[..., : 2 * num], np.where(np.isnan(drift), np.inf, drift)


def true_rates(
    system: System, states: Float[np.ndarray, "N m"]
) -> Float[np.ndarray, "N m"]:
    """Time derivative of states (q, p), side by side: Hamilton's equations, friction.

    Where states have one more column, the work of friction, its derivative is last.
    """
    n = system.num_coordinates
    q, p, work = torch.from_numpy(states).tensor_split([n, 2 * n], dim=1)
    dq, dp = motion(system.hamiltonian, q, p)
    if (force := system.friction(q, p)) is None:
        return torch.cat([dq, dp], dim=1).numpy()
    power = (force * dq).sum(dim=1, keepdim=True)[:, : work.shape[1]]
    return torch.cat([dq, dp + force, power], dim=1).numpy()
