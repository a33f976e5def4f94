import warnings

import numpy as np
import pytest

from hgnpipe.data.simulation import simulate
from hgnpipe.evaluation.state_map import fit_state_map
from hgnpipe.systems import build_system

NUM, LENGTH = 30, 8


@pytest.fixture(autouse=True)
def no_warnings():
    """Nothing here may warn, whatever the numbers."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def true_states(name="pendulum", num=NUM):
    made = simulate(build_system(name), num, LENGTH, seed=0)
    return np.concatenate([made.q, made.p], axis=2)


TURN = np.array([[0.8, 0.6], [-0.6, 0.8]])
MAPS = {
    "a turn": lambda x: x @ TURN,
    "another scale": lambda x: 1e-3 * x + 3,
    "bent": lambda x: np.stack([x[..., 0], x[..., 1] + 0.2 * x[..., 0] ** 2], axis=2),
    "bent twice": lambda x: np.stack([x[..., 0], x[..., 1] + x[..., 0] ** 3], axis=2),
    "with still ones": lambda x: np.concatenate([x, 0 * x, 0 * x + 1], axis=2),
    "of many": lambda x: x @ np.random.default_rng(0).normal(size=(2, 500)),
}


@pytest.mark.parametrize("name", MAPS)
def test_a_map_that_is_there_is_found(name):
    true = true_states()
    found = fit_state_map(MAPS[name](true).astype(np.float32), true)
    assert found.r2 > 0.999
    np.testing.assert_allclose(found.held_out, true, atol=0.1)


@pytest.mark.parametrize("name", MAPS)
def test_the_map_is_good_for_motions_that_were_not_there(name):
    true, other = np.split(true_states(num=2 * NUM), 2)
    found = fit_state_map(MAPS[name](true), true)
    np.testing.assert_allclose(found(MAPS[name](other)), other, atol=0.2)


def test_what_says_nothing_has_no_share():
    noise = np.random.default_rng(0).normal(size=(NUM, LENGTH, 30))
    assert -0.5 < fit_state_map(noise, true_states()).r2 < 0.1


def test_a_motion_is_not_known_from_its_own_frames():
    # Latents that name the motion, with noise, but not what it does: on other frames
    # of the same motion they tell much, on other motions nothing.
    rng = np.random.default_rng(0)
    true = np.repeat(rng.normal(size=(NUM, 1, 2)), LENGTH, axis=1)
    names = np.repeat(np.eye(NUM)[:, None], LENGTH, axis=1)
    assert fit_state_map(names, true).r2 < 0.1


def test_where_latents_hardly_vary_they_have_no_say():
    true, rng = true_states(), np.random.default_rng(0)
    idle = 1e-4 * rng.normal(size=(NUM, LENGTH, 3))
    found = fit_state_map(np.concatenate([true, idle], axis=2), true)
    far = np.concatenate([true, rng.normal(size=idle.shape)], axis=2)
    np.testing.assert_allclose(found(far), true, atol=0.2)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_latents_that_are_no_numbers_have_no_state(value):
    true = true_states()
    broken = true.copy()
    broken[3, 2] = value
    states = fit_state_map(true, true)(broken)
    assert np.isnan(states[3, 2]).all() and np.isfinite(np.delete(states, 3, 0)).all()
    without = fit_state_map(broken, true)
    assert np.isnan(without.r2) and np.isnan(without(true)).all()


def test_one_motion_is_not_enough_and_two_are():
    true = true_states()
    assert np.isnan(fit_state_map(true[:1], true[:1]).r2)
    assert np.isfinite(fit_state_map(true[:2], true[:2]).r2)
