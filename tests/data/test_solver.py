import numpy as np
import pytest
from scipy.integrate import solve_ivp

from hgnpipe.data import solver
from hgnpipe.data.solver import solve_each

TIMES = np.linspace(0, 3, 13)


def kepler(states):
    """A body around a fixed one; the closer it passes, the shorter the steps."""
    q, p = states[:, :2], states[:, 2:]
    return np.hstack([p, -q / np.linalg.norm(q, axis=1, keepdims=True) ** 3])


def orbits(num, nearest=0.1):
    """Starts at distance 1, at speeds from nearly standing still to circular."""
    speed = np.linspace(nearest, 1, num)
    return np.stack([np.ones(num), 0 * speed, 0 * speed, speed], axis=1)


def alone(initial, times, tolerance=1e-12):
    def rates(_, state):
        return kepler(state[None])[0]

    span = times[0], times[-1]
    return solve_ivp(
        rates, span, initial, "DOP853", times, rtol=tolerance, atol=tolerance
    ).y.T


@pytest.mark.parametrize("times", [TIMES, -TIMES, 1 + TIMES, TIMES[[0, -1]]])
def test_every_trajectory_is_as_if_scipy_had_solved_it_alone(times):
    initial = orbits(6)
    found = solve_each(kepler, initial, times, 1e-11)
    expected = np.stack([alone(state, times) for state in initial])
    np.testing.assert_allclose(found, expected, atol=1e-6)


@pytest.mark.parametrize("tolerance", [1e-6, 1e-8, 1e-10])
def test_errors_follow_the_tolerance(tolerance):
    initial = orbits(3, nearest=0.5)
    found = solve_each(kepler, initial, TIMES, tolerance)
    expected = np.stack([alone(state, TIMES, 1e-13) for state in initial])
    assert tolerance / 1e4 < abs(found - expected).max() < 100 * tolerance


def test_the_first_state_is_the_initial_one_exactly():
    initial = orbits(4)
    np.testing.assert_array_equal(
        solve_each(kepler, initial, TIMES, 1e-8)[:, 0], initial
    )


def test_one_hard_trajectory_does_not_slow_down_the_others():
    evaluated = []

    def rates(states):
        evaluated.append(len(states))
        return kepler(states)

    def work(initial):
        evaluated.clear()
        solve_each(rates, initial, TIMES, 1e-8)
        return sum(evaluated)

    easy, hard = np.repeat(orbits(2)[1:], 100, axis=0), orbits(2, nearest=1e-3)[:1]
    assert work(hard) > 3 * work(easy[:1])
    assert work(np.concatenate([easy, hard])) == work(easy) + work(hard)


@pytest.mark.parametrize("pool", [1, 2, 5, 100])
def test_the_size_of_the_pool_changes_nothing(monkeypatch, pool):
    initial = orbits(9)
    expected = solve_each(kepler, initial, TIMES, 1e-8)
    monkeypatch.setattr(solver, "POOL", pool)
    done = []
    found = solve_each(kepler, initial, TIMES, 1e-8, done.append)
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-9)
    assert sum(done) == 9


def test_a_state_that_no_step_can_leave_gives_no_numbers():
    def explode(states):  # dy/dt = y^2 reaches infinity at t = 1
        return np.square(states)

    done = []
    with np.errstate(all="ignore"):
        found = solve_each(explode, np.array([[1.0], [0.1]]), TIMES, 1e-8, done.append)
    assert np.isnan(found[0, -1])
    assert sum(done) == 2
    np.testing.assert_allclose(found[1, :, 0], 1 / (10 - TIMES), rtol=1e-6)
