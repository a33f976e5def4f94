import re

import numpy as np
import pytest
import torch
from simulated import SIMULATED

from hgnpipe.hamiltonian import force, velocity
from hgnpipe.systems import SYSTEMS, build_system

every_system = pytest.mark.parametrize("name", SIMULATED)
gravity = pytest.mark.parametrize("name", ["two_body", "three_body"])
one_body = pytest.mark.parametrize("name", ["mass_spring", "pendulum"])


def draw(name, num=2000, **options):
    rng = np.random.default_rng(0)
    return build_system(name, **options).sample_initial_states(rng, num)


def in_the_plane(x):
    return x.reshape(len(x), -1, 2)


def attraction(q):
    """Newton's law for unit masses, body by body."""
    bodies, pull = in_the_plane(q), np.zeros_like(in_the_plane(q))
    for i in range(bodies.shape[1]):
        for j in range(bodies.shape[1]):
            if i != j:
                arrow = bodies[:, j] - bodies[:, i]
                distance = np.hypot(arrow[:, 0], arrow[:, 1])[:, None]
                pull[:, i] += arrow / distance**3
    return pull.reshape(q.shape)


def spring_between(q):
    return -2 * q - 0.5 * (q - q[:, ::-1])


BY_HAND = {
    "duffing": (lambda p: p, lambda q: -q - 3 * q**3),
    "damped_mass_spring": (lambda p: 2 * p, lambda q: -2 * q),
    "coupled_springs": (lambda p: 2 * p, spring_between),
    "mass_spring": (lambda p: 2 * p, lambda q: -2 * q),
    "pendulum": (lambda p: 2 * p, lambda q: -3 * np.sin(q)),
    "two_body": (lambda p: p, attraction),
    "three_body": (lambda p: p, attraction),
}
RADIUS_AND_NOISE = {
    "mass_spring": ((0.1, 1.0), 0.1),
    "pendulum": ((1.3, 2.3), 0.1),
    "two_body": ((0.5, 1.5), 0.05),
    "three_body": ((0.9, 1.2), 0.2),
}


@pytest.mark.parametrize("name", BY_HAND)
def test_the_energy_gives_the_equations_of_motion_derived_by_hand(name):
    q, p = draw(name, 5)
    system, point = build_system(name), (torch.from_numpy(q), torch.from_numpy(p))
    by_hand_velocity, by_hand_force = BY_HAND[name]
    moved, pulled = (rate(system.hamiltonian, *point) for rate in (velocity, force))
    np.testing.assert_allclose(moved.numpy(), by_hand_velocity(p), rtol=1e-9)
    np.testing.assert_allclose(pulled.numpy(), by_hand_force(q), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(
    ("name", "options", "q", "p", "energy"),
    [
        ("mass_spring", {}, [0.5], [2.0], 0.25 + 4),
        ("mass_spring", {"k": 6.0, "m": 2.0}, [0.5], [2.0], 0.75 + 1),
        ("pendulum", {}, [np.pi / 2], [2.0], 3 + 4),
        ("pendulum", {"m": 2.0, "g": 1.0, "length": 3.0}, [np.pi], [6.0], 24 + 1),
        ("duffing", {"k": -1.0}, [2.0], [2.0], -2 + 12 + 2),
        ("coupled_springs", {}, [1.0, -1.0], [1.0, 2.0], 2 + 1 + 5),
        ("double_pendulum", {}, [0.0, 0.0], [1.0, 2.0], (1 + 8 - 4) / 2),
        ("double_pendulum", {"m": 2.0}, [np.pi / 2, 0.0], [1.0, 2.0], 9 / 8 + 12),
        ("two_body", {}, [3, 0, 0, 4], [1, 2, 0, 2], 4.5 - 0.2),
        ("two_body", {"m": 2.0, "g": 3.0}, [3, 0, 0, 4], [1, 2, 0, 2], 2.25 - 2.4),
        ("three_body", {}, [0, 0, 3, 0, 0, 4], [1, 0, 0, 1, 0, 1], 1.5 - 47 / 60),
    ],
)
def test_the_energy_is_that_of_the_paper(name, options, q, p, energy):
    point = torch.tensor([q, p], dtype=torch.float64).split(1)
    assert build_system(name, **options).hamiltonian(*point).item() == pytest.approx(
        energy
    )


@pytest.mark.parametrize("name", RADIUS_AND_NOISE)
def test_radius_and_noise_are_those_of_the_paper(name):
    system = build_system(name)
    assert (system.radius, system.noise_std) == RADIUS_AND_NOISE[name]


@one_body
def test_one_body_starts_uniformly_in_radius_and_angle(name):
    q, p = draw(name)
    low, high = RADIUS_AND_NOISE[name][0]
    share = (np.hypot(q, p) - low) / (high - low)
    turn = (np.arctan2(p, q) / (2 * np.pi)) % 1
    for uniform in (share, turn):
        counts, _ = np.histogram(uniform, bins=4, range=(0, 1))
        assert counts.sum() == 2000
        assert (abs(counts - 500) < 100).all()


@gravity
def test_bodies_start_on_a_regular_polygon_within_the_range_of_radii(name):
    bodies = in_the_plane(draw(name)[0])
    radius = np.linalg.norm(bodies, axis=-1)
    low, high = RADIUS_AND_NOISE[name][0]
    np.testing.assert_allclose(radius, radius[:, :1] * np.ones(bodies.shape[1]))
    np.testing.assert_allclose(bodies.sum(axis=1), 0, atol=1e-12)
    assert low <= radius.min() < low + 0.01 and high - 0.01 < radius.max() <= high


@gravity
def test_the_first_body_starts_at_any_angle(name):
    first = in_the_plane(draw(name)[0])[:, 0]
    counts, _ = np.histogram(np.arctan2(first[:, 1], first[:, 0]), bins=4)
    assert (abs(counts - 500) < 100).all()


@gravity
def test_the_total_momentum_is_zero(name):
    np.testing.assert_allclose(in_the_plane(draw(name)[1]).sum(axis=1), 0, atol=1e-12)


@pytest.mark.parametrize(("name", "speed"), [("two_body", 0.5), ("three_body", 0.7598)])
def test_the_undisturbed_speed_is_that_of_a_circular_orbit(name, speed):
    q, p = (in_the_plane(x) for x in draw(name, orbit_noise=1e-9))
    radius = np.linalg.norm(q, axis=-1)
    expected = speed / np.sqrt(radius)
    np.testing.assert_allclose(np.linalg.norm(p, axis=-1), expected, rtol=1e-4)
    np.testing.assert_allclose((q * p).sum(-1), 0, atol=1e-8)


@gravity
def test_bodies_circle_in_the_same_direction(name):
    q, p = (in_the_plane(x) for x in draw(name, orbit_noise=1e-9))
    spin = q[..., 0] * p[..., 1] - q[..., 1] * p[..., 0]
    assert (np.sign(spin) == np.sign(spin[0, 0])).all()


@gravity
def test_orbits_can_be_exactly_circular(name):
    assert build_system(name, orbit_noise=0.0).orbit_noise == 0


def test_two_bodies_share_one_speed_factor_of_the_stated_spread():
    q, p = (in_the_plane(x) for x in draw("two_body"))
    factor = np.linalg.norm(p, axis=-1) * np.sqrt(np.linalg.norm(q, axis=-1)) / 0.5
    np.testing.assert_allclose(factor[:, 0], factor[:, 1])
    assert factor[:, 0].mean() == pytest.approx(1, abs=0.005)
    assert factor[:, 0].std() == pytest.approx(0.05, rel=0.1)


def test_three_bodies_are_disturbed_independently_within_the_stated_bound():
    rng = np.random.default_rng
    calm, wild = (
        build_system("three_body", orbit_noise=noise).sample_initial_states(
            rng(0), 2000
        )[1]
        for noise in (1e-9, 0.2)
    )
    change = in_the_plane(wild - calm)
    bound = 0.2 * abs(in_the_plane(calm))
    removed = bound.mean(axis=1, keepdims=True)
    assert (abs(change) <= bound + removed + 1e-9).all()
    assert abs(np.corrcoef(change[:, 0].T)[0, 1]) < 0.1
    assert (change.std(axis=0) > 0.03).all()


def test_no_pendulum_goes_over_the_top():
    q, p = draw("pendulum")
    energy = build_system("pendulum").hamiltonian(
        torch.from_numpy(q), torch.from_numpy(p)
    )
    assert (energy < 6).all()


def test_the_two_bobs_obey_the_textbook_equations_of_the_double_pendulum():
    """Angular accelerations by Lagrange's equations, unit masses and lengths."""
    q, p = (torch.from_numpy(x) for x in draw("double_pendulum", 50))
    system = build_system("double_pendulum")

    def moved(q, p):
        return velocity(system.hamiltonian, q, p), force(system.hamiltonian, q, p)

    (w, pulled), h = moved(q, p), 1e-6
    ahead, behind = (moved(q + s * w, p + s * pulled)[0] for s in (h, -h))
    (a1, a2), (w1, w2) = ((ahead - behind) / (2 * h)).T, w.T
    (q1, q2), g, c, s = q.T, 3.0, (q[:, 0] - q[:, 1]).cos(), (q[:, 0] - q[:, 1]).sin()
    first = 2 * a1 + a2 * c + w2**2 * s + 2 * g * q1.sin()
    second = a2 + a1 * c - w1**2 * s + g * q2.sin()
    assert max(abs(first).max(), abs(second).max()) < 1e-6
    assert min(abs(a1).max(), abs(a2).max()) > 1


def test_the_second_bob_hangs_from_the_first():
    q = np.array([[np.pi / 2, 0.0]])
    bodies = build_system("double_pendulum", length=2.0).bodies(q)
    np.testing.assert_allclose(bodies, [[[2, 0], [2, -2]]], atol=1e-12)


def test_friction_is_against_the_motion():
    q = p = torch.tensor([[2.0]], dtype=torch.float64)
    assert build_system("damped_mass_spring", gamma=0.5).friction(q, p).item() == -1
    assert build_system("mass_spring").friction(q, p) is None


@pytest.mark.parametrize("option", ["k", "g"])
def test_constants_that_may_be_negative_are_any_finite_number(option):
    name = {"k": "mass_spring", "g": "pendulum"}[option]
    assert getattr(build_system(name, **{option: -3.0}), option) == -3
    with pytest.raises(ValueError, match=f"{option}.* is inf.*finite"):
        build_system(name, **{option: float("inf")})


@every_system
def test_a_system_says_how_many_coordinates_it_has(name):
    q, p = draw(name, 3)
    assert q.shape == p.shape == (3, build_system(name).num_coordinates)


@every_system
def test_each_body_has_a_colour_of_its_own(name):
    system, (q, _) = build_system(name), draw(name, 3)
    num_bodies = system.bodies(q).shape[-2]
    assert system.bodies(q).shape == (3, num_bodies, 2)
    assert len(set(system.colors)) == len(system.colors) == num_bodies


@every_system
def test_discs_start_within_the_window(name):
    system, (q, _) = build_system(name), draw(name)
    assert abs(system.bodies(q)).max() + system.disc_radius <= system.view


@every_system
def test_bodies_of_a_video_are_those_of_its_frames(name):
    system, (q, _) = build_system(name), draw(name, 6)
    video = system.bodies(q.reshape(2, 3, -1))
    np.testing.assert_array_equal(video.reshape(6, -1, 2), system.bodies(q))


def test_the_spring_moves_its_mass_up_and_down():
    bodies = build_system("mass_spring").bodies(np.array([[0.7]]))
    np.testing.assert_allclose(bodies, [[[0, 0.7]]])


def test_the_pendulum_hangs_from_the_origin_and_swings_to_the_right():
    bodies = build_system("pendulum", length=2.0).bodies(np.array([[0.0], [np.pi / 6]]))
    np.testing.assert_allclose(bodies, [[[0, -2]], [[1, -(3**0.5)]]])


@every_system
def test_its_options_rebuild_a_system(name):
    system = build_system(name, radius=(0.7, 0.8), view=5.0)
    assert build_system(name, **system.options()) == system


@every_system
def test_options_may_come_as_yaml_writes_them(name):
    system = build_system(name, radius=[1, 1.5], view=4)
    assert (system.radius, system.view) == ((1, 1.5), 4)


@every_system
@pytest.mark.parametrize(
    ("option", "value", "legal"),
    [
        ("radius", (1.0, 0.5), "low <= high"),
        ("radius", (0.0, 0.5), "0 < low"),
        ("radius", (1.0,), "."),
        ("radius", 1.0, "."),
        ("noise_std", -0.1, "zero or positive"),
        ("noise_std", "0.1", "."),
        ("frame_dt", 0.0, "positive"),
        ("view", -1.0, "positive"),
        ("disc_radius", 0, "positive"),
        ("disc_radius", "1e-1", "."),
        ("view", float("inf"), "finite"),
    ],
)
def test_a_bad_value_is_answered_with_its_option_and_what_is_legal(
    name, option, value, legal
):
    named = rf"{option}.* is {re.escape(repr(value))}; it must be .*{legal}"
    with pytest.raises(ValueError, match=named):
        build_system(name, **{option: value})


@pytest.mark.parametrize(
    "name", [n for n in SIMULATED if "m" in SYSTEMS.find(n).POSITIVE]
)
@pytest.mark.parametrize(("value", "legal"), [(-0.5, "positive"), ("1e-1", ".")])
def test_a_bad_mass_is_answered_with_what_is_legal(name, value, legal):
    named = rf"m.* is {re.escape(repr(value))}; it must be .*{legal}"
    with pytest.raises(ValueError, match=named):
        build_system(name, m=value)


def test_an_unknown_system_is_answered_with_the_known_ones():
    with pytest.raises(ValueError, match=f"pendulun.*{'.*'.join(SYSTEMS.names())}"):
        build_system("pendulun")


@every_system
def test_an_unknown_option_is_named(name):
    with pytest.raises(ValueError, match="'gravity'"):
        build_system(name, gravity=1.0)


@every_system
def test_what_follows_from_the_system_is_no_option(name):
    with pytest.raises(ValueError, match="'num_coordinates'"):
        build_system(name, num_coordinates=7)
