"""The paper's check that its HNN learns from true states (Sec. 4).

As Greydanus et al. did: an energy against a perceptron that says the rates of change.
"""

import copy
from collections.abc import Callable, Mapping, Sequence
from typing import TypedDict

import numpy as np
import torch
from jaxtyping import Float

from hgnpipe.data.simulation import Trajectories, solve, true_energy, true_rates
from hgnpipe.data.solver import Rates, solve_each
from hgnpipe.evaluation.dynamics import Measures, energy_drift
from hgnpipe.evaluation.kept import Followed
from hgnpipe.hamiltonian import State
from hgnpipe.nn.state_space import STATE_MODELS, StateModel
from hgnpipe.systems.base import System
from hgnpipe.training.batches import PointBatches
from hgnpipe.training.loop import fit
from hgnpipe.training.options import TrainingOptions

TOLERANCE = 1e-7
"""Of the solver, for learned motion: errors are then those of what was learned."""


class StateCheck(TypedDict):
    """What is learned from states, and how it is judged.

    Attributes:
        seeds: Of weights, and of the order of the data.
        num_train: Trajectories to learn from, at most.
        num_test: Trajectories to judge by, at most.
        horizons: Steps of a rollout, one frame each, over which it is judged.
        training: How to train, see `hgnpipe.training.options.TrainingOptions`.
    """

    seeds: list[int]
    num_train: int
    num_test: int
    horizons: list[int]
    training: dict


def states_and_rates(
    system: System, trajectories: Trajectories, num: int
) -> Float[np.ndarray, "M d"]:
    """What networks of states learn from: every frame of ``num`` trajectories.

    Returns:
        Noisy q and p, and the time derivatives of the true ones, side by side.
    """
    # CHOICE (Sec. 4, A.3): "the ground truth state and its time derivatives". As in the
    # code of Greydanus et al. the state has noise; the derivative is that of the motion
    # without noise, and no finite difference.
    noisy = _flat(trajectories.q_noisy[:num], trajectories.p_noisy[:num])
    clean = _flat(trajectories.q[:num], trajectories.p[:num])
    return np.concatenate([noisy, true_rates(system, clean)], axis=1)


def fit_state_model(
    name: str,
    points: Float[np.ndarray, "M d"],
    training: TrainingOptions,
    seed: int,
    report: Callable[[int, Mapping[str, float]], None] | None = None,
) -> StateModel:
    """Network of `hgnpipe.nn.state_space.STATE_MODELS`, trained on points."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = STATE_MODELS[name](points.shape[1] // 2)
    fit(model, PointBatches(points), training, seed=seed, report=report)
    return model


def learned_rates(model: StateModel) -> Rates:
    """Time derivative of states side by side, in double precision."""
    exact = copy.deepcopy(model).double()

    def rates(states: np.ndarray) -> np.ndarray:
        q, p = torch.from_numpy(states).chunk(2, dim=1)
        return torch.cat(exact.rates(State(q, p)), dim=1).detach().numpy()

    return rates


def follow_truth(
    system: System, initial: Float[np.ndarray, "N m"], t: Float[np.ndarray, " T"]
) -> Followed:
    """True motion from first states."""
    return _followed(system, solve(system, initial, t)[0])


def follow(
    rates: Rates,
    system: System,
    initial: Float[np.ndarray, "N m"],
    t: Float[np.ndarray, " T"],
) -> Followed:
    """Learned motion from first states."""
    return _followed(system, solve_each(rates, initial, t, TOLERANCE))


def measures_of_states(
    rates: Rates,
    system: System,
    found: Followed,
    true: Followed,
    horizons: Sequence[int],
) -> Measures:
    """How right a learned motion is, a value per trajectory.

    Args:
        rates: Learned time derivatives.
        system: What moves.
        found: The learned motion.
        true: The true one, from the same first states.
        horizons: Numbers of steps to judge.

    Returns:
        ``rate_mse``: squared error of the time derivatives at true states, mean over
        coordinates and the steps of the shortest horizon. For every horizon, here 30:
        ``state_mse_30``, squared distance from the true state, mean over coordinates
        and steps, and ``true_energy_drift_30``, largest change of the *true* energy
        along the learned motion, relative to the standard deviation of the energy over
        the trajectories.
    """
    near = true.states[:, : min(horizons) + 1]
    flat = near.reshape(-1, near.shape[-1])
    error = np.square(rates(flat) - true_rates(system, flat)).reshape(near.shape)
    measures = {"rate_mse": error.mean(axis=(1, 2))}
    distance = np.square(found.states - true.states).mean(axis=2)
    for horizon in horizons:
        span = slice(0, horizon + 1)
        measures[f"state_mse_{horizon}"] = distance[:, span].mean(axis=1)
        measures[f"true_energy_drift_{horizon}"] = energy_drift(found.energy[:, span])
    return measures


def _followed(system: System, states: Float[np.ndarray, "N T m"]) -> Followed:
    return Followed(states, true_energy(system, *np.split(states, 2, axis=-1)))


def _flat(q: np.ndarray, p: np.ndarray) -> Float[np.ndarray, "M m"]:
    """States of all trajectories and frames below each other."""
    return np.concatenate([q, p], axis=-1).reshape(-1, 2 * q.shape[-1])
