"""Check that HNN learns from true states: what is learned, and how it is judged."""

import numpy as np
import pytest

from hgnpipe.data.simulation import simulate, true_rates
from hgnpipe.evaluation.kept import load_followed, save_followed
from hgnpipe.evaluation.state_check import (
    fit_state_model,
    follow,
    follow_truth,
    learned_rates,
    measures_of_states,
    states_and_rates,
)
from hgnpipe.systems import build_system
from hgnpipe.training.options import TrainingOptions

SPRING = build_system("mass_spring", k=2.0, m=0.5, noise_std=0.1)
TIMES = SPRING.frame_dt * np.arange(13)
HORIZONS = [6, 12]


@pytest.fixture(scope="module")
def trajectories():
    return simulate(SPRING, 20, 31, seed=0)


@pytest.fixture(scope="module")
def initial(trajectories):
    return np.concatenate([trajectories.q[:, 0], trajectories.p[:, 0]], axis=1)


@pytest.fixture(scope="module")
def true(initial):
    return follow_truth(SPRING, initial, TIMES)


def judged(rates, initial, true):
    found = follow(rates, SPRING, initial, TIMES)
    return measures_of_states(rates, SPRING, found, true, HORIZONS)


def test_networks_see_noisy_states_and_the_rates_of_the_true_ones(trajectories):
    points = states_and_rates(SPRING, trajectories, 3)
    assert points.shape == (3 * 31, 4)
    q, p, dq, dp = points.T.reshape(4, 3, 31)
    np.testing.assert_array_equal(q, trajectories.q_noisy[:3, :, 0])
    np.testing.assert_array_equal(p, trajectories.p_noisy[:3, :, 0])
    np.testing.assert_allclose(dq, trajectories.p[:3, :, 0] / SPRING.m, atol=1e-12)
    np.testing.assert_allclose(dp, -SPRING.k * trajectories.q[:3, :, 0], atol=1e-12)


def test_the_true_motion_is_that_of_the_simulation(trajectories, true):
    expected = np.concatenate([trajectories.q, trajectories.p], axis=2)[:, :13]
    np.testing.assert_allclose(true.states, expected, atol=1e-5)
    drift = np.abs(true.energy - true.energy[:, :1]).max()
    assert drift < 1e-5


def test_who_knows_the_true_rates_has_no_error(initial, true):
    measures = judged(lambda states: true_rates(SPRING, states), initial, true)
    assert set(measures) == {
        "rate_mse", "state_mse_6", "state_mse_12", "true_energy_drift_6",
        "true_energy_drift_12",
    }  # fmt: skip
    for name, values in measures.items():
        assert values.shape == (20,) and values.max() < 1e-5, name


def test_who_stands_still_has_the_error_of_all_that_moves(initial, true):
    measures = judged(np.zeros_like, initial, true)
    for horizon in HORIZONS:
        path = true.states[:, : horizon + 1]
        expected = np.square(path - path[:, :1]).mean(axis=(1, 2))
        np.testing.assert_allclose(measures[f"state_mse_{horizon}"], expected)
    # With H = q^2 + p^2, dq = 2 p and dp = -2 q: 4 times half the energy.
    near = true.energy[:, :7].mean(axis=1)
    np.testing.assert_allclose(measures["rate_mse"], 2 * near, rtol=1e-5)
    assert not measures["true_energy_drift_12"].any()


def test_friction_drifts_by_the_energy_that_it_takes(initial, true):
    def rates(states):
        return true_rates(SPRING, states) - 0.5 * states

    left = np.exp(-TIMES[HORIZONS])  # of H = q^2 + p^2, which falls like exp(-t)
    energy = true.energy[:, 0]
    measures = judged(rates, initial, true)
    for horizon, part in zip(HORIZONS, left, strict=True):
        expected = (1 - part) * energy / energy.std()
        found = measures[f"true_energy_drift_{horizon}"]
        np.testing.assert_allclose(found, expected, rtol=1e-3)


def test_both_learn_two_bodies_and_hnn_keeps_the_energy_far_better():
    # Measured, seeds 0 to 2: rates 0.0007 and 0.0017 (still: 0.117), drift 0.2 and 15.
    system = build_system("two_body")
    known, new = simulate(system, 100, 31, 0), simulate(system, 20, 2, 0, "test")
    points = states_and_rates(system, known, 100)
    initial = np.concatenate([new.q[:, 0], new.p[:, 0]], axis=1)
    t = system.frame_dt * np.arange(13)
    true = follow_truth(system, initial, t)
    how = TrainingOptions(
        num_iterations=300, batch_size=128, learning_rate=1e-3, decay=0.5
    )
    found = {"still": np.zeros_like}
    for name in ("hnn", "mlp"):
        found[name] = learned_rates(fit_state_model(name, points, how, seed=0))
    measures = {
        name: measures_of_states(
            rates, system, follow(rates, system, initial, t), true, [12]
        )
        for name, rates in found.items()
    }
    error = {name: of["rate_mse"].mean() for name, of in measures.items()}
    assert max(error["hnn"], error["mlp"]) < 0.2 * error["still"]
    drift = {name: of["true_energy_drift_12"].mean() for name, of in measures.items()}
    assert drift["hnn"] < 0.3 * drift["mlp"]


def test_a_training_is_the_same_again_and_differs_by_seed(trajectories):
    points = states_and_rates(SPRING, trajectories, 2)
    how = TrainingOptions(num_iterations=2, batch_size=8, learning_rate=1e-3)
    one, again, other = (
        learned_rates(fit_state_model("hnn", points, how, seed))(points[:, :2])
        for seed in (0, 0, 1)
    )
    assert np.array_equal(one, again) and not np.array_equal(one, other)


def test_motions_come_back_from_their_file(true, tmp_path):
    save_followed(tmp_path / "states.h5", {"true": true}, TIMES)
    motions, t = load_followed(tmp_path / "states.h5")
    np.testing.assert_array_equal(t, TIMES)
    assert list(motions) == ["true"]
    for found, expected in zip(motions["true"], true, strict=True):
        np.testing.assert_array_equal(found, expected)
