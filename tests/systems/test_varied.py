"""Systems whose constants are drawn for each trajectory."""

import colorsys
import dataclasses
import functools
import inspect
import re

import numpy as np
import pytest
import torch
from simulated import SIMULATED

from hgnpipe.config.sense import check_seen
from hgnpipe.data.extended import extend
from hgnpipe.data.rendering import render
from hgnpipe.data.simulation import relative_drift, simulate, true_energy, true_rates
from hgnpipe.systems import SYSTEMS, build_system
from hgnpipe.systems.base import COLORS

every_system = pytest.mark.parametrize("name", SIMULATED)
COMMON = {"noise_std", "frame_dt", "view"}
SPRING = {"m": [0.4, 1.0], "k": [1.5, 3.0], "hue": [0, 1]}


def ranges(name):
    """All that a kind of system can draw, around its defaults."""
    parameters = inspect.signature(SYSTEMS.find(name)).parameters.items()
    defaults = {k: p.default for k, p in parameters if k not in COMMON}
    numbers = {k: v for k, v in defaults.items() if isinstance(v, float)}
    return {k: [0.9 * v, 1.1 * v] for k, v in numbers.items()} | {"hue": [0, 1]}


def varied(name, **options):
    return build_system(name, **{**ranges(name), **options})


@functools.cache
def made(name):
    """Few trajectories of a system that draws all that it can, for looking only."""
    return simulate(varied(name), 4, 7, seed=0)


def alone(name, constants):
    """The system of one trajectory, by the ordinary way."""
    names = [option for option in ranges(name) if option != "hue"]
    return build_system(name, **dict(zip(names, map(float, constants), strict=False)))


@every_system
def test_a_trajectory_moves_as_the_system_with_its_constants_does(name):
    system, motion = varied(name), made(name)
    n = system.num_moving
    for q, p in zip(motion.q, motion.p, strict=True):
        one = alone(name, q[0, n:])
        rates = np.split(true_rates(system, np.concatenate([q, p], axis=1)), 2, axis=1)
        moving = np.concatenate([q[:, :n], p[:, :n]], axis=1)
        expected = np.split(true_rates(one, moving), 2, axis=1)
        for found, known in zip(rates, expected, strict=True):
            np.testing.assert_allclose(found[:, :n], known, rtol=1e-9, atol=1e-12)
        assert (rates[0][:, n:] == 0).all()
        np.testing.assert_array_equal(system.bodies(q), one.bodies(q[:, :n]))


@every_system
def test_the_energy_is_that_with_the_constants_of_the_trajectory(name):
    system, motion = varied(name), made(name)
    n, energy = system.num_moving, true_energy(system, motion.q, motion.p)
    for q, p, e in zip(motion.q, motion.p, energy, strict=True):
        expected = true_energy(alone(name, q[0, n:]), q[:, :n], p[:, :n])
        np.testing.assert_allclose(e, expected, rtol=1e-12)


@every_system
def test_the_energy_of_every_trajectory_stays_unless_there_is_friction(name):
    system, motion = varied(name), made(name)
    drift = relative_drift(system, motion.q, motion.p)
    limit = system.MAX_DRIFT
    assert limit == SYSTEMS.find(name).MAX_DRIFT
    assert (drift > 1e-3 if name == "damped_mass_spring" else drift <= limit).all()


@every_system
def test_constants_stay_within_their_ranges_and_are_seen_without_noise(name):
    system, motion = varied(name), made(name)
    constants = motion.q[..., system.num_moving :]
    assert (constants == constants[:, :1]).all()
    ends = dict(ranges(name))
    hues = [ends.pop("hue")] * len(system.colors)
    low, high = np.array([*ends.values(), *hues]).T
    assert ((low <= constants[:, 0]) & (constants[:, 0] <= high)).all()
    assert (np.ptp(constants[:, 0], axis=0) > 0.01 * (high - low)).all()
    for seen, true in ((motion.q_noisy, motion.q), (motion.p_noisy, motion.p)):
        rest = (x[..., system.num_moving :] for x in (seen, true))
        np.testing.assert_array_equal(*rest)
        assert (system.moving(seen) != system.moving(true)).all()


def test_the_period_of_every_spring_is_that_of_its_mass_and_constant():
    system = build_system("mass_spring", **SPRING)
    t = simulate(system, 50, 31, seed=0)
    k, m = t.q[:, :1, 1], t.q[:, :1, 2]  # in the order of the class
    w = np.sqrt(k / m)
    assert (np.ptp(w), w.min() > 1.2, w.max() < 2.8) == (
        pytest.approx(1.2, abs=0.3),
        1,
        1,
    )
    expected = t.q[:, :1, 0] * np.cos(w * t.t) + t.p[:, :1, 0] / (m * w) * np.sin(
        w * t.t
    )
    np.testing.assert_allclose(t.q[..., 0], expected, atol=1e-5)
    period = float(2 * np.pi * np.sqrt(m[0, 0] / k[0, 0]))
    one = build_system("mass_spring", **SPRING, frame_dt=period / 4)
    q = simulate(one, 1, 5, seed=0).q[0, :, 0]
    np.testing.assert_allclose(q[[4, 2]], [q[0], -q[0]], atol=1e-6)


def test_constants_are_uniform_in_their_range():
    q, p = build_system("mass_spring", **SPRING).sample_initial_states(
        np.random.default_rng(0), 2000
    )
    for values, (low, high) in zip(q.T[1:], ([1.5, 3], [0.4, 1], [0, 1]), strict=True):
        counts, _ = np.histogram(values, bins=4, range=(low, high))
        assert counts.sum() == 2000 and (abs(counts - 500) < 100).all()
    assert abs(np.corrcoef(q.T) - np.eye(4)).max() < 0.08
    assert (p[:, 1:] == 0).all()


@pytest.mark.parametrize("name", ["mass_spring", "two_body"])
def test_the_same_seed_gives_the_same_bytes(name):
    again = simulate(varied(name), 4, 7, seed=0)
    for one, other in zip(made(name), again, strict=True):
        assert one.tobytes() == other.tobytes()


def test_other_constants_leave_the_other_draws_as_they_are():
    starts = {}
    for number, options in enumerate(
        (SPRING, {**SPRING, "m": [0.4, 0.9]}, {"hue": [0, 1]}, {"k": [1.5, 3.0]})
    ):
        system = build_system("mass_spring", **options)
        t = simulate(system, 5, 3, seed=0)
        noise = t.q_noisy[..., 0] - t.q[..., 0]
        starts[number] = [t.q[:, 0, 0], t.p[:, 0, 0], *noise.T]
        starts[number] += [t.q[:, 0, -1], t.q[:, 0, 1]]
    for number in (1, 2, 3):
        np.testing.assert_allclose(starts[number][:5], starts[0][:5], atol=1e-12)
    hue, k = -2, -1
    np.testing.assert_array_equal(starts[1][hue], starts[0][hue])
    np.testing.assert_array_equal(starts[2][hue], starts[0][hue])
    np.testing.assert_array_equal(starts[3][k], starts[0][k])


def test_another_kind_draws_other_constants():
    one, two = (
        simulate(build_system(name, hue=[0, 1]), 5, 2, seed=0).q[:, 0, -1]
        for name in ("mass_spring", "pendulum")
    )
    assert not np.isclose(one, two).any()


def test_past_and_future_have_the_constants_of_the_trajectory():
    system = build_system("mass_spring", **SPRING)
    known = simulate(system, 6, 5, seed=0)
    motion = extend(system, known, 10, 20)
    np.testing.assert_array_equal(
        motion.q[..., 1:], known.q[:, :1, 1:] * np.ones((35, 1))
    )
    k, m = known.q[:, :1, 1], known.q[:, :1, 2]
    w = np.sqrt(k / m)
    q0, p0 = known.q[:, :1, 0], known.p[:, :1, 0]
    expected = q0 * np.cos(w * motion.t) + p0 / (m * w) * np.sin(w * motion.t)
    np.testing.assert_allclose(motion.q[..., 0], expected, atol=1e-4)
    assert motion.exact.all()


@pytest.mark.parametrize("name", ["mass_spring", "two_body", "three_body"])
def test_frames_show_the_hue_that_is_drawn_as_bright_as_ever(name):
    system = build_system(name, hue=[0, 1], disc_radius=0.3)
    q = np.zeros((3, 1, system.num_coordinates))
    num = len(system.colors)
    far = np.array([[-2, -2], [2, 2], [-2, 2]])[:num] if num > 1 else np.zeros((1, 1))
    q[..., : system.num_moving] = far.ravel()
    hues = np.random.default_rng(0).uniform(size=(3, num))
    q[:, 0, system.num_moving :] = hues
    frames, places = render(system, q, 64), system.bodies(q)
    for video in range(3):
        for body, color in enumerate(COLORS[:num]):
            x, y = (places[video, 0, body] * [1, -1] / system.view + 1) * 32
            _, saturation, value = colorsys.rgb_to_hsv(*color)
            expected = colorsys.hsv_to_rgb(hues[video, body], saturation, value)
            shown = frames[video, 0, int(y), int(x)]
            np.testing.assert_allclose(shown, expected, atol=3)


def test_a_hue_beyond_the_circle_goes_on_around_it():
    system = build_system("mass_spring", hue=[0.9, 1.1])
    q = np.array([[0.3, 0.95], [0.3, 1.05], [0.3, 0.05]])
    colors = system.colors_of(q)[:, 0]
    np.testing.assert_allclose(colors[1], colors[2])
    assert colors[0, 2] > colors[0, 1] == 0 == colors[1, 2] < colors[1, 1]


def test_frames_show_the_radius_that_is_drawn():
    system = build_system("mass_spring", disc_radius=[0.3, 0.6])
    small, large = render(system, np.array([[0.0, 0.3], [0.0, 0.6]]), 32)
    for picture, radius in ((small, 0.3), (large, 0.6)):
        plain = build_system("mass_spring", disc_radius=radius)
        np.testing.assert_array_equal(picture, render(plain, np.zeros((1, 1)), 32)[0])


@every_system
def test_a_picture_does_not_depend_on_the_others(name):
    q = made(name).q_noisy
    pictures = render(varied(name), q, 16)
    mixed = np.random.default_rng(0).permutation(q.reshape(-1, q.shape[-1]))
    order = [np.flatnonzero((q.reshape(mixed.shape) == one).all(1))[0] for one in mixed]
    flat = pictures.reshape(-1, *pictures.shape[2:])
    np.testing.assert_array_equal(render(varied(name), mixed, 16), flat[order])


@every_system
def test_its_options_rebuild_a_system(name):
    system = varied(name, radius=[0.7, 0.8], view=5)
    options = system.options()
    assert build_system(name, **options) == system != varied(name)
    assert (options["view"], options["hue"]) == (5, (0, 1))
    other = dataclasses.replace(system, noise_std=0.3)
    assert other.options()["noise_std"] == 0.3


def test_options_in_another_order_are_the_same_system():
    turned = dict(reversed(SPRING.items()))
    assert build_system("mass_spring", **turned) == build_system(
        "mass_spring", **SPRING
    )


@every_system
def test_a_system_without_ranges_is_the_plain_one(name):
    system = build_system(name, radius=[1.0, 1.2])
    assert type(system) is SYSTEMS.find(name)
    assert system.num_moving == system.num_coordinates


@every_system
def test_the_camera_must_see_what_varies(name):
    check_seen(varied(name))
    with pytest.raises(ValueError, match=r"disc_radius is 9.*at most view"):
        check_seen(varied(name, disc_radius=[0.2, 9.0]))


@pytest.mark.parametrize("friction", [True, False])
def test_friction_is_that_of_the_trajectory(friction):
    name = "damped_mass_spring" if friction else "mass_spring"
    system = build_system(name, m=[0.5, 1.0], **({"gamma": [0, 2]} if friction else {}))
    q = torch.tensor([[1.0, 0.5, 1.5], [1.0, 0.5, 0.5]], dtype=torch.float64)
    p = torch.tensor([[2.0, 7.0, 7.0], [3.0, 7.0, 7.0]], dtype=torch.float64)
    if not friction:
        assert system.friction(q[:, :2], p[:, :2]) is None
        return
    expected = [[-3.0, 0, 0], [-1.5, 0, 0]]
    names = [*system.ranges]
    q[:, 1:] = torch.stack([{"m": q[:, 1], "gamma": q[:, 2]}[n] for n in names], 1)
    assert system.friction(q, p).tolist() == expected


PAIR = "list of two finite ones, low <= high"
WRONG = [
    ("m", [2.0, 0.5], f"a number, or a {PAIR}"),
    ("m", [0.5], PAIR),
    ("m", [0.5, 1.0, 2.0], PAIR),
    ("m", ["0.5", 1.0], PAIR),
    ("m", [True, 2], PAIR),
    ("m", [0.5, float("inf")], PAIR),
    ("m", [float("nan"), 1.0], PAIR),
    ("hue", [1, 0], f"it must be a {PAIR}"),
    ("hue", 0.5, PAIR),
    ("hue", "red", PAIR),
    ("noise_std", [0.1, 0.2], "it must be a number"),
    ("frame_dt", [0.1, 0.2], "it must be a number"),
    ("view", [1.0, 2.0], "it must be a number"),
]


@pytest.mark.parametrize(("option", "value", "legal"), WRONG)
def test_a_wrong_range_is_answered_with_what_is_legal(option, value, legal):
    named = rf"'{option}' of system 'mass_spring' is {re.escape(repr(value))}; .*"
    with pytest.raises(ValueError, match=named + re.escape(legal)) as caught:
        build_system("mass_spring", **{option: value})
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("ends", [[-1.0, 1.0], [-2.0, -1.0]])
def test_both_ends_must_be_legal_values(ends):
    with pytest.raises(ValueError, match=rf"m is {ends[0]}; it must be positive"):
        build_system("mass_spring", m=ends)
    assert build_system("mass_spring", k=ends).ranges == {"k": tuple(ends)}


def test_a_mistake_beside_a_range_is_said_as_without_one():
    with pytest.raises(ValueError, match=r"'gravity'.*Known: .*noise_std"):
        build_system("mass_spring", m=[0.5, 1.0], gravity=1.0)
    with pytest.raises(ValueError, match="noise_std is -1"):
        build_system("mass_spring", m=[0.5, 1.0], noise_std=-1.0)


@pytest.mark.parametrize("option", ["hue", "frame_dt"])
def test_videos_of_others_have_no_constants_to_draw(option):
    with pytest.raises(ValueError, match=option):
        build_system("videos", train="a", **{option: [0.1, 1.0]})
