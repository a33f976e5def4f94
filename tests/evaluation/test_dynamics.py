import functools
import warnings

import numpy as np
import pytest

from hgnpipe.data.simulation import simulate
from hgnpipe.evaluation.dynamics import (
    as_rows,
    clean_skill,
    measures_of_energy,
    measures_of_map,
    measures_of_motion,
    measures_of_rollouts,
    span_beyond,
    valid_steps,
)
from hgnpipe.evaluation.energies import energy_drift
from hgnpipe.evaluation.rollouts import Played
from hgnpipe.systems import build_system

NUM, LENGTH = 30, 8


@pytest.fixture(autouse=True)
def no_warnings():
    """Nothing here may warn, whatever the numbers."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def random(*shape, seed=0):
    return np.random.default_rng(seed).random(shape)


@pytest.mark.parametrize(("end", "horizon"), [(0, 4), (1, 2), (3, 1), (2, 2)])
def test_the_frames_beyond_are_those_from_the_end_on(end, horizon):
    frames = np.arange(4)[span_beyond(4, end, horizon)]
    np.testing.assert_array_equal(frames, np.arange(end, end + horizon))


@pytest.mark.parametrize(("end", "horizon"), [(0, 5), (3, 2), (4, 1), (0, 0), (1, -1)])
def test_a_horizon_that_is_not_there_is_named(end, horizon):
    with pytest.raises(
        ValueError, match=f"horizon is {horizon}; .* between 1 and {4 - end}"
    ):
        span_beyond(4, end, horizon)


@pytest.mark.parametrize(
    ("mse", "expected"),
    [([0, 0], 1), ([1, 3], 0), ([3, 1], 0), ([1, 1], 0.5), ([8, 0], -1)],
)
def test_the_skill_on_clean_frames_is_that_of_the_mean_error(mse, expected):
    found = clean_skill(np.array(mse, float), np.array([1.0, 3.0]))
    assert found.mean() == pytest.approx(expected) and found.shape == (2,)


def test_the_skill_is_not_defined_where_the_mean_image_is_right():
    assert np.isnan(clean_skill(np.ones(3), np.zeros(3))).all()


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        ([0, 0, 0, 0], 4), ([1, 0, 0, 0], 0), ([0, 0, 1, 0], 2), ([0, 0, 0, 1], 3),
        ([0, 1, 0, 1], 1), ([0.5, 0.5, 0.5, 0.5], 4), ([0.2, 0.4, 0.6, 0.8], 2),
    ],
)  # fmt: skip
def test_valid_steps_are_those_before_the_error_first_passes(error, expected):
    assert valid_steps(np.array([error], float), 1.0, threshold=0.5) == [expected]


def test_the_usual_threshold_is_that_of_the_literature():
    error = np.array([[0.0249, 0.0251], [0.0251, 0.0249], [0.0, 0.0249]])
    np.testing.assert_array_equal(valid_steps(error, 1.0), [1, 0, 2])


def test_valid_steps_are_relative_to_the_scale_of_each_frame():
    error = np.array([[0.1, 0.1, 0.1]])
    scale = np.array([[1.0, 0.1, 0.3]])
    np.testing.assert_array_equal(valid_steps(error, scale, 0.5), [1])
    np.testing.assert_array_equal(valid_steps(error, 10 * scale, 0.5), [3])


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_an_error_that_is_no_number_is_not_valid(value):
    error = np.array([[0.0, 0.0, value, value]])
    np.testing.assert_array_equal(valid_steps(error, 1.0), [2])


def test_where_nothing_is_beyond_no_step_is_valid():
    np.testing.assert_array_equal(valid_steps(np.zeros((2, 0)), 1.0), [0, 0])


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_each_rollout_has_its_own_valid_steps(kind):
    error = np.triu(np.ones((4, 4)), k=1).astype(kind)
    np.testing.assert_array_equal(valid_steps(error, 1.0, 0.5), [1, 2, 3, 4])


def test_the_measured_energy_is_the_mean_over_the_rollout():
    true = random(NUM)
    ripple = np.tile([1.0, -1.0], LENGTH // 2)
    measures = measures_of_energy((true[:, None] + 5 * ripple), true)
    assert measures["energy_r2_linear"] == pytest.approx(1)
    assert {*measures} == {"energy_r2_linear", "energy_r2_monotone"}


def rollout_measures(mse, start=2, num_frames=3, horizons=(1, 3), **changes):
    scale = {"square": np.ones_like(mse), "mean_image": np.ones_like(mse), **changes}
    return measures_of_rollouts(
        mse, scale["square"], scale["mean_image"], start, num_frames, horizons
    )


def test_errors_are_means_over_their_part_of_the_time():
    mse = random(NUM, LENGTH)
    measures = rollout_measures(mse)
    expected = {
        "mse_before_2_x1e4": mse[:, :2], "mse_window_x1e4": mse[:, 2:5],
        "mse_beyond_1_x1e4": mse[:, 5:6], "mse_beyond_3_x1e4": mse[:, 5:8],
    }  # fmt: skip
    for name, part in expected.items():
        np.testing.assert_allclose(measures[name], 1e4 * part.mean(axis=1))


def test_skills_compare_with_the_mean_image_on_the_same_frames():
    mse, mean_image = random(NUM, LENGTH), random(NUM, LENGTH, seed=1) + 1
    measures = rollout_measures(mse, mean_image=mean_image)
    parts = {
        "skill_before_2": slice(0, 2), "skill_window": slice(2, 5),
        "skill_beyond_1": slice(5, 6), "skill_beyond_3": slice(5, 8),
    }  # fmt: skip
    assert {name for name in measures if name.startswith("skill_")} == {*parts}
    for name, part in parts.items():
        expected = 1 - mse[:, part].mean() / mean_image[:, part].mean()
        assert measures[name].mean() == pytest.approx(expected), name


def test_the_mean_image_has_no_skill():
    mse = random(NUM, LENGTH)
    measures = rollout_measures(mse, mean_image=mse)
    for name in ("skill_window", "skill_beyond_3", "skill_before_2"):
        assert measures[name].mean() == pytest.approx(0, abs=1e-12)


def test_steps_are_counted_from_the_end_of_the_window_on():
    mse = np.ones((2, LENGTH))
    mse[0, 5:7], mse[1, 5:] = 0.02, [0.4, 0.49, 0.51]
    measures = rollout_measures(mse)
    np.testing.assert_array_equal(measures["valid_steps"], [2, 0])
    np.testing.assert_array_equal(measures["skilful_steps"], [2, 2])


def test_valid_is_relative_to_the_frames_and_skilful_to_the_mean_image():
    mse = np.full((1, LENGTH), 0.1)
    square, mean_image = np.full((2, 1, LENGTH), 1.0)
    square[0, 5:7], mean_image[0, 5] = 5.0, 0.3
    mean_image[0, 6] = 0.1
    measures = rollout_measures(mse, square=square, mean_image=mean_image)
    assert (measures["valid_steps"], measures["skilful_steps"]) == ([2], [1])


def test_the_mean_image_is_never_skilful():
    mse = random(NUM, LENGTH)
    measures = rollout_measures(mse, mean_image=mse)
    np.testing.assert_array_equal(measures["skilful_steps"], np.zeros(NUM))


def test_without_frames_before_there_is_no_error_of_them():
    measures = rollout_measures(random(NUM, LENGTH), start=0)
    assert (
        not any("before" in name for name in measures) and "mse_window_x1e4" in measures
    )


def test_a_horizon_beyond_the_motion_is_named():
    with pytest.raises(ValueError, match="horizon is 4; it must be between 1 and 3"):
        rollout_measures(random(NUM, LENGTH), horizons=[4])


def played(num=NUM, length=LENGTH, **changes):
    usual = {
        "mse": random(num, length), "square": random(num, length),
        "energy": random(num, length - 2, seed=1), "q": random(num, length - 2, 3),
        "p": random(num, length - 2, 3, seed=2), "returned": random(num, seed=3),
        "halved": random(num, seed=4), "variance": None, "num_before": 2,
        "num_frames": 3,
    }  # fmt: skip
    return Played(**{**usual, **changes})


def test_what_a_model_cannot_do_or_does_not_have_is_left_out():
    bare = dict.fromkeys(("energy", "q", "p", "returned", "halved"))
    one = played(**bare)
    assert measures_of_motion(one) == {}
    assert measures_of_map(one, random(NUM, LENGTH, 1), random(NUM, LENGTH, 1), 2) == {}
    assert measures_of_energy(np.full((NUM, 3), np.nan), random(NUM)) == {}
    without_energy = measures_of_motion(played(energy=None))
    assert without_energy.keys() == {"reversibility_error", "speed_mse_x1e4"}


def test_the_measures_of_the_motion_are_those_of_the_rollouts():
    one = played()
    measures = measures_of_motion(one)
    np.testing.assert_array_equal(measures["reversibility_error"], one.returned)
    np.testing.assert_allclose(measures["speed_mse_x1e4"], 1e4 * one.halved)
    inside = energy_drift(one.energy[:, :3])
    np.testing.assert_array_equal(measures["energy_drift"], inside)
    beyond = energy_drift(one.energy)
    np.testing.assert_array_equal(measures["energy_drift_beyond"], beyond)
    assert (beyond > inside).any()


def test_latents_near_the_prior_count_as_collapsed():
    measures = measures_of_motion(played(variance=np.array([0.1, 0.49, 0.5, 1.0])))
    assert (measures["latents"], measures["latents_collapsed"]) == ([4], [2])
    assert measures["pairs_used"] == [1]


def test_a_model_without_a_posterior_has_no_count_of_latents():
    assert not {"latents", "latents_collapsed", "pairs_used"} & {
        *measures_of_motion(played())
    }


@functools.cache
def motion_of(name, num=10, num_frames=64):
    made = simulate(build_system(name), num, num_frames, seed=0)
    return made.q, made.p


def mapped(q, p, latent_q, latent_p, num_repeats=2, before=2, **changes):
    one = played(
        len(q), q.shape[1], num_before=before, q=latent_q[:, before:],
        p=latent_p[:, before:], **changes,
    )  # fmt: skip
    return measures_of_map(one, q, p, num_repeats)


def test_the_true_phase_space_is_symplectic_to_itself():
    q, p = motion_of("pendulum")
    measures = mapped(q, p, q, p)
    for name in ("symetric", "symetric_all"):
        np.testing.assert_array_equal(measures[name], [1, 1])
        assert (measures[f"{name}_r2"] > 0.9).all()
        assert (measures[f"{name}_deviation"] < 0.05).all()


def test_a_phase_space_that_says_nothing_is_not_symplectic_to_the_true_one():
    q, p = motion_of("pendulum")
    noise = np.random.default_rng(0).standard_normal((2, *q.shape))
    measures = mapped(q, p, *noise)
    np.testing.assert_array_equal(measures["symetric"], [0, 0])
    assert (measures["symetric_r2"] < 0.5).all()


@pytest.mark.parametrize("value", [0.5, np.nan])
def test_latents_that_stand_still_or_diverged_are_not_symplectic_to_anything(value):
    q, p = motion_of("pendulum")
    measures = mapped(q, p, np.full_like(q, value), np.full_like(p, value))
    for name in ("symetric", "symetric_all"):
        np.testing.assert_array_equal(measures[name], [0, 0])


def test_only_the_pairs_that_move_most_enter_the_first_map():
    q, p = motion_of("pendulum")
    noise = 1e-3 * np.random.default_rng(0).standard_normal((2, *q.shape[:2], 1))
    measures = mapped(
        q, p, *(np.concatenate([x, n], 2) for x, n in zip((q, p), noise, strict=True))
    )
    np.testing.assert_array_equal(measures["symetric"], [1, 1])


def test_states_are_compared_at_the_same_times(monkeypatch):
    q, p = motion_of("pendulum")
    seen = []

    def compare(*states, **options):
        seen.extend(states)
        return []

    monkeypatch.setattr("hgnpipe.evaluation.dynamics.repeated_symetric", compare)
    mapped(q, p, q, p, before=2)
    # Of all pairs; the projection onto moving pairs may turn the sign.
    for latent, true in ((seen[4], seen[6]), (seen[5], seen[7])):
        assert latent.shape == (10, 61, 1)
        np.testing.assert_array_equal(np.abs(latent), np.abs(true))


@pytest.mark.parametrize(("size", "known"), [(6, True), (4, False)])
def test_the_posterior_counts_where_it_is_that_of_the_state(monkeypatch, size, known):
    q, p = motion_of("pendulum")
    seen = []

    def compare(*states, variance, **options):
        seen.append(variance)
        return []

    monkeypatch.setattr("hgnpipe.evaluation.dynamics.repeated_symetric", compare)
    variance = np.linspace(0.1, 1, size)
    mapped(q, p, q.repeat(3, axis=2), p.repeat(3, axis=2), variance=variance)
    assert seen[0] is None
    if known:
        np.testing.assert_array_equal(seen[1], [variance[:3], variance[3:]])
    else:
        assert seen[1] is None


def test_there_is_a_value_for_each_batch_and_few_trajectories_are_enough():
    q, p = motion_of("pendulum", num=3)
    measures = mapped(q, p, q, p, num_repeats=3)
    names = [
        f"symetric{which}{part}"
        for which in ("", "_all")
        for part in ("", "_r2", "_deviation")
    ]
    assert {name: len(values) for name, values in measures.items()} == dict.fromkeys(
        names, 3
    )


def test_a_row_says_mean_spread_and_number():
    table = as_rows({"one": np.array([1.0, 3.0, 5.0]), "other": np.array([7.0])})
    assert table.measure.to_list() == ["one", "other"]
    assert table.value.to_list() == [3, 7] and table.num.to_list() == [3, 1]
    assert table.spread[0] == pytest.approx(np.sqrt(8 / 3)) and np.isnan(
        table.spread[1]
    )


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_value_that_is_not_finite_makes_a_mean_that_is_not(value):
    row = as_rows({"one": np.array([1.0, value, 5.0])}).iloc[0]
    assert not np.isfinite(row.value) and not np.isfinite(row.spread)
