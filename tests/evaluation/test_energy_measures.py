import warnings

import numpy as np
import pytest

from hgnpipe.evaluation.energies import energy_drift, energy_r2

NUM, LENGTH = 30, 8


@pytest.fixture(autouse=True)
def no_warnings():
    """Nothing here may warn, whatever the numbers."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def random(*shape, seed=0):
    return np.random.default_rng(seed).random(shape)


def test_the_drift_is_the_largest_change_from_the_start_over_the_spread():
    energy = np.array([[1.0, 1.5, 0.0], [3.0, 3.0, 3.5]])
    np.testing.assert_allclose(energy_drift(energy), [1.0, 0.5])


@pytest.mark.parametrize("scale", [-1e6, 1e-9, 3.0])
@pytest.mark.parametrize("offset", [0.0, -2.0])
def test_the_drift_knows_neither_scale_nor_origin_of_the_energy(scale, offset):
    energy = random(NUM, LENGTH)
    changed = scale * (energy + offset)
    np.testing.assert_allclose(energy_drift(changed), energy_drift(energy), rtol=1e-6)


def test_an_energy_that_stays_does_not_drift():
    energy = random(NUM, 1).repeat(LENGTH, axis=1)
    np.testing.assert_array_equal(energy_drift(energy), np.zeros(NUM))


@pytest.mark.parametrize("kind", [np.float32, np.float64])
@pytest.mark.parametrize("value", [0.0, 0.1, 1e-9])
def test_the_drift_of_equal_energies_is_not_defined(value, kind):
    drift = energy_drift(np.full((50, LENGTH), value, kind))
    assert drift.shape == (50,) and np.isnan(drift).all()


def test_a_single_rollout_has_no_defined_drift():
    assert np.isnan(energy_drift(random(1, LENGTH))).all()


def test_a_line_explains_all_of_the_energy():
    true = random(NUM)
    found = energy_r2(3 * true - 2, true)
    assert found["linear"] == pytest.approx(1)
    assert found["monotone"] > 0.9


@pytest.mark.parametrize("sign", [1, -1])
def test_a_monotone_relation_is_found_that_no_line_fits(sign):
    true = random(300)
    found = energy_r2(sign * np.exp(12 * true), true)
    assert found["monotone"] > 0.99
    assert found["linear"] < 0.7


def test_rollouts_in_the_order_of_their_energy_are_left_out_at_random():
    true = np.sort(random(300))
    assert energy_r2(np.exp(3 * true), true)["monotone"] > 0.998


def test_energies_in_the_right_order_differ_from_those_that_are_not():
    true = random(300)
    found = energy_r2(np.abs(true - 0.5), true)
    assert max(found.values()) < 0.3


def test_a_line_may_fall():
    true = random(NUM)
    found = energy_r2(-true, true)
    assert found["linear"] == pytest.approx(1) and found["monotone"] > 0.9


@pytest.mark.parametrize("seed", range(5))
def test_an_unrelated_energy_explains_nothing(seed):
    learned, true = random(2, 200, seed=seed)
    assert all(-0.5 < r2 < 0.1 for r2 in energy_r2(learned, true).values())


@pytest.mark.parametrize("kind", [np.float32, np.float64])
@pytest.mark.parametrize(
    ("scale", "offset"), [(1e-9, 0.0), (-1e-9, 0.0), (1e9, 0.0), (1.0, 100.0)]
)
def test_the_share_knows_neither_scale_nor_origin_of_the_learned_energy(
    scale, offset, kind
):
    true = random(100)
    learned = true + 0.3 * random(100, seed=1)
    expected = energy_r2(learned, true)
    found = energy_r2((scale * learned + offset).astype(kind), true)
    assert 0.5 < expected["linear"] < 0.99
    for fit, value in expected.items():
        assert found[fit] == pytest.approx(value, abs=0.01)


def test_the_share_knows_neither_scale_nor_origin_of_the_true_energy():
    true = random(100)
    learned = true + 0.3 * random(100, seed=1)
    expected = energy_r2(learned, true)
    assert energy_r2(learned, 1e6 * true - 3e6) == pytest.approx(expected)


@pytest.mark.parametrize("value", [0.0, 0.1, 1e-9])
def test_a_constant_energy_explains_nothing_at_all(value):
    assert energy_r2(np.full(100, value), random(100)) == {"linear": 0, "monotone": 0}


def test_below_ten_rollouts_nothing_can_be_said():
    assert np.isnan(list(energy_r2(random(9), random(9)).values())).all()
    assert np.isfinite(list(energy_r2(random(10), random(10)).values())).all()


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_of_a_diverged_energy_nothing_can_be_said(value):
    learned = random(NUM)
    learned[3] = value
    assert np.isnan(list(energy_r2(learned, random(NUM)).values())).all()


def test_what_explains_the_seen_but_not_the_unseen_is_no_share():
    # One rollout far away: a line through it explains it, but only if it was seen.
    learned, true = random(2, NUM)
    learned[0], true[0] = 1e3, 1e3
    assert energy_r2(learned, true)["linear"] < 0.9
