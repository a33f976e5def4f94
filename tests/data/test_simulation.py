import functools

import numpy as np
import pytest
from scipy.special import ellipk
from simulated import SIMULATED

from hgnpipe.data import simulation, solver
from hgnpipe.data.simulation import relative_drift, simulate, true_energy
from hgnpipe.systems import SYSTEMS, build_system

every_system = pytest.mark.parametrize("name", SIMULATED)
conserving = pytest.mark.parametrize(
    "name", [n for n in SIMULATED if n != "damped_mass_spring"]
)


def run(name, num=20, num_frames=31, seed=0, split="train", **options):
    return simulate(build_system(name, **options), num, num_frames, seed, split)


made_before = functools.cache(run)
"""As `run`, for looking only."""


def many(name):
    return made_before(name, 30)


def test_the_spring_swings_with_twice_the_unit_frequency():
    made = made_before("mass_spring")
    cos, sin = np.cos(2 * made.t)[:, None], np.sin(2 * made.t)[:, None]
    q0, p0 = made.q[:, :1], made.p[:, :1]
    np.testing.assert_allclose(made.q, q0 * cos + p0 * sin, atol=1e-6)
    np.testing.assert_allclose(made.p, p0 * cos - q0 * sin, atol=1e-6)


@pytest.mark.parametrize("amplitude", [0.05, 2.2])
def test_the_pendulum_returns_after_the_period_of_the_elliptic_integral(amplitude):
    options = {"radius": (amplitude, amplitude)}
    start = made_before("pendulum", 1, 2, **options)
    energy = true_energy(build_system("pendulum"), start.q[:, 0], start.p[:, 0]).item()
    period = float(4 * ellipk(energy / 6) / 6**0.5)
    made = run("pendulum", 1, 11, frame_dt=period / 10, **options)
    np.testing.assert_allclose(made.q[:, 10], made.q[:, 0], atol=1e-6)
    np.testing.assert_allclose(made.q[:, 5], -made.q[:, 0], atol=1e-6)


def test_two_undisturbed_bodies_stay_on_their_circle_and_close_it_in_time():
    options = {"orbit_noise": 1e-12, "radius": (1.2, 1.2)}
    made = run("two_body", 5, 13, frame_dt=4 * np.pi * 1.2**1.5 / 12, **options)
    radius = np.linalg.norm(made.q.reshape(5, 13, 2, 2), axis=-1)
    np.testing.assert_allclose(radius, 1.2, rtol=1e-6)
    np.testing.assert_allclose(made.q[:, 12], made.q[:, 0], atol=1e-5)
    np.testing.assert_allclose(made.q[:, 6], -made.q[:, 0], atol=1e-5)


@conserving
def test_the_energy_of_every_trajectory_stays(name):
    made = many(name)
    energy = true_energy(build_system(name), made.q, made.p)
    assert (abs(energy / energy[:, :1] - 1) <= 1e-6).all()


@every_system
def test_something_moves_in_every_trajectory(name):
    assert (np.ptp(many(name).q, axis=1).max(axis=-1) > 0.05).all()


@conserving
def test_the_drift_is_the_largest_relative_change_of_the_energy(name):
    made, system = many(name), build_system(name)
    q, p = made.q[:3, :2].copy(), made.p[:3, :2].copy()
    q[1, 1], p[1, 1] = q[2, 0], p[2, 0]
    energy = true_energy(system, q[:, 0], p[:, 0])
    drift = relative_drift(system, q, p)
    assert drift[[0, 2]].max() < 1e-6
    assert drift[1] == pytest.approx(abs(energy[2] - energy[1]) / abs(energy[1]))


def test_the_damped_spring_swings_as_its_closed_formula_says():
    made, rate = made_before("damped_mass_spring"), 0.3  # gamma / 2
    w = (4 - rate**2) ** 0.5
    q0, v0 = made.q[:, :1], 2 * made.p[:, :1]
    cos, sin = np.cos(w * made.t)[:, None], np.sin(w * made.t)[:, None]
    expected = np.exp(-rate * made.t)[:, None] * (q0 * cos + (v0 + rate * q0) / w * sin)
    np.testing.assert_allclose(made.q, expected, atol=1e-6)


def test_the_past_of_a_damped_spring_swings_higher():
    made = simulate(build_system("damped_mass_spring"), 3, 31, seed=0, num_before=10)
    energy = true_energy(build_system("damped_mass_spring"), made.q, made.p)
    assert (np.diff(energy) < 1e-9).all()
    assert (energy[:, 0] > 1.3 * energy[:, 10]).all()


def test_what_friction_takes_is_no_drift_and_what_the_solver_loses_is(monkeypatch):
    system, start = build_system("damped_mass_spring"), np.array([[1.0, 0.0]])
    t = np.linspace(0, 3, 31)
    assert simulation.solve(system, start, t)[1].max() <= 1e-6
    real = solver.solve_each
    lossy = lambda *arguments: real(*arguments) * np.linspace(1, 0.9, 31)[:, None]  # noqa: E731
    monkeypatch.setattr(solver, "solve_each", lossy)
    assert simulation.solve(system, start, t)[1].min() > 0.05


def test_the_energy_of_the_double_pendulum_stays_to_1e_8_over_ten_time_units():
    system = build_system("double_pendulum")
    made = simulate(system, 20, 67, seed=0)
    assert made.t[-1] >= 9.9 and relative_drift(system, made.q, made.p).max() < 1e-8


def test_trajectories_that_drift_are_solved_again_more_tightly(monkeypatch):
    monkeypatch.setattr(SYSTEMS.find("pendulum"), "MAX_DRIFT", 1e-11)
    made = run("pendulum", 5, 11)
    assert (relative_drift(build_system("pendulum"), made.q, made.p) <= 1e-11).all()


def test_a_drift_that_no_accuracy_removes_is_an_error(monkeypatch):
    monkeypatch.setattr(SYSTEMS.find("pendulum"), "MAX_DRIFT", -1.0)
    with pytest.raises(RuntimeError, match="energy of 3 trajectories of Pendulum"):
        run("pendulum", 3, 3)


def test_a_trajectory_that_the_solver_gave_up_is_an_error(monkeypatch):
    def give_up(rates, initial, t, *rest):
        return np.full((len(initial), len(t), initial.shape[1]), np.nan)

    monkeypatch.setattr(solver, "solve_each", give_up)
    with pytest.raises(RuntimeError, match=r"3 trajectories of Pendulum.* up to inf"):
        run("pendulum", 3, 3)


@every_system
@pytest.mark.parametrize("coordinate", ["q", "p"])
def test_the_observation_noise_has_the_stated_spread(name, coordinate):
    made = many(name)._asdict()
    noise = made[f"{coordinate}_noisy"] - made[coordinate]
    assert noise.std() == pytest.approx(build_system(name).noise_std, rel=0.1)
    assert abs(noise.mean()) < 0.1 * build_system(name).noise_std


def test_without_noise_the_motion_is_that_with_noise_and_is_seen_as_it_is():
    noisy, clean = (
        simulate(build_system("mass_spring", noise_std=std), 5, 6, seed=0)
        for std in (0.1, 0.0)
    )
    for coordinate in ("q", "p"):
        seen, true = (getattr(clean, f"{coordinate}{s}") for s in ("_noisy", ""))
        np.testing.assert_array_equal(seen, true)
        np.testing.assert_array_equal(true, getattr(noisy, coordinate))


def test_the_noise_is_independent_of_everything_else():
    made = run("mass_spring", 400)
    noise_q, noise_p = made.q_noisy - made.q, made.p_noisy - made.p
    others = [
        (noise_q, noise_p),
        (noise_q[:, 1:], noise_q[:, :-1]),
        (noise_q[1:], noise_q[:-1]),
        (noise_q, made.q),
    ]
    for one, other in others:
        assert abs(np.corrcoef(one.ravel(), other.ravel())[0, 1]) < 0.04


def test_without_noise_the_observation_is_the_motion():
    made = run("two_body", 3, 5, noise_std=0)
    np.testing.assert_array_equal(made.q_noisy, made.q)
    np.testing.assert_array_equal(made.p_noisy, made.p)


@every_system
def test_the_same_seed_gives_the_same_bytes(name):
    for one, other in zip(run(name, 3, 5), run(name, 3, 5), strict=True):
        assert one.tobytes() == other.tobytes()


@pytest.mark.parametrize("other", [{"seed": 1}, {"split": "test"}, {"seed": 256}])
def test_another_seed_or_split_shares_neither_motion_nor_noise(other):
    one, two = made_before("mass_spring"), run("mass_spring", **other)
    assert not np.isclose(one.q[:, 0], two.q[:, 0].T, rtol=1e-9).any()
    assert not np.isclose(one.q_noisy - one.q, two.q_noisy - two.q, rtol=1e-9).any()


def test_two_systems_with_one_seed_share_no_random_numbers():
    one, two = made_before("mass_spring"), run("pendulum")
    noise = [made.q_noisy - made.q for made in (one, two)]
    assert not np.isclose(*noise, rtol=1e-6).any()


@every_system
def test_shapes_are_videos_by_frames_by_coordinates(name):
    made, n = run(name, 3, 5), build_system(name).num_coordinates
    assert [x.shape for x in made] == [(5,)] + 4 * [(3, 5, n)]


def test_frames_are_apart_as_the_system_says():
    np.testing.assert_allclose(
        run("pendulum", 1, 4, frame_dt=0.3).t, [0, 0.3, 0.6, 0.9]
    )


@conserving
def test_frames_before_the_initial_state_lie_on_the_same_motion(name):
    system, plain = build_system(name), made_before(name, 3, 6)
    made = simulate(system, 3, 9, seed=0, num_before=3)
    np.testing.assert_allclose(made.t, system.frame_dt * np.arange(-3, 6))
    np.testing.assert_allclose(made.q[:, 3:], plain.q, atol=1e-6)
    np.testing.assert_allclose(made.p[:, 3:], plain.p, atol=1e-6)
    assert relative_drift(system, made.q, made.p).max() < 1e-6
    onwards = simulate(system, 3, 9, seed=0)
    assert np.abs(onwards.q[:, 3:] - plain.q).max() > 0.01


@pytest.mark.parametrize("num_before", [-1, 4, 5])
def test_frames_before_leave_some_for_after(num_before):
    with pytest.raises(ValueError, match=f"num_before is {num_before}.*than .*4"):
        simulate(build_system("mass_spring"), 1, 5, seed=0, num_before=num_before)


def test_progress_counts_every_trajectory():
    done = []
    made = simulate(build_system("mass_spring"), 10, 3, 0, progress=done.append)
    assert sum(done) == 10
    expected = made.q[:, 0] * np.cos(0.2) + made.p[:, 0] * np.sin(0.2)
    np.testing.assert_allclose(made.q[:, 1], expected, atol=1e-6)


@pytest.mark.parametrize(
    ("option", "value"), [("num", 0), ("num_frames", 1), ("split", "trian")]
)
def test_a_bad_value_is_answered_with_its_option(option, value):
    with pytest.raises(ValueError, match=f"(?i){option}.*{value}"):
        run("mass_spring", **{option: value})
