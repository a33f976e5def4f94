import math
from functools import cache

import numpy as np
import pytest
from scipy.stats import chi2, chisquare, kstest

from hgnpipe.data.points import TABLE, check_density
from hgnpipe.densities import DENSITIES, build_density

every_density = pytest.mark.parametrize("kind", DENSITIES.names())

REACH, SPACING = 6.0, 0.06
"""Half width of the square that holds every density, grid to integrate on: its cells
fit into the squares of the checkerboard."""
CELLS = 20
"""Large cells along one side of it, to count samples in."""


def draw(density, num=20_000, seed=0):
    return density.sample(np.random.default_rng(seed), num)


@cache
def log_density_on_grid(kind):
    """In the middles of the cells of the grid, x first."""
    line = np.arange(-REACH + SPACING / 2, REACH, SPACING)
    x, y = np.meshgrid(line, line, indexing="ij")
    points = np.stack([x.ravel(), y.ravel()], axis=1)
    return build_density(kind).log_density(points).reshape(len(line), len(line))


def shares(kind):
    """Probability of every cell of the grid."""
    return np.exp(log_density_on_grid(kind)) * SPACING**2


@every_density
def test_the_density_integrates_to_one(kind):
    assert shares(kind).sum() == pytest.approx(1, abs=1e-6)


@every_density
def test_samples_fall_into_large_cells_as_often_as_the_density_says(kind):
    small = len(shares(kind)) // CELLS
    cells = shares(kind).reshape(CELLS, small, CELLS, small).sum((1, 3)).ravel()
    edges = np.linspace(-REACH, REACH, CELLS + 1)
    samples = draw(build_density(kind))
    counts = np.histogram2d(*samples.T, bins=(edges, edges))[0].ravel()
    expected = cells * len(samples)
    surplus, common = counts - expected, expected > 10
    squares = surplus[common] ** 2 / expected[common]
    assert chi2.sf(squares.sum(), len(squares)) > 1e-3
    rarely = expected[~common].sum()
    assert abs(surplus[~common].sum()) <= 4 * math.sqrt(rarely) + 1e-6


@every_density
def test_the_mean_log_density_of_samples_is_minus_the_entropy(kind):
    found = build_density(kind).log_density(draw(build_density(kind)))
    logs, p = log_density_on_grid(kind), shares(kind)
    entropy = -(p[p > 0] * logs[p > 0]).sum()
    error = found.std() / math.sqrt(len(found))
    assert abs(found.mean() + entropy) < 4 * error + 1e-9


@every_density
def test_the_density_of_samples_is_never_zero(kind):
    density = build_density(kind)
    assert np.isfinite(density.log_density(draw(density, 3000))).all()


@every_density
def test_the_dimension_is_that_of_the_samples(kind):
    density = build_density(kind)
    assert draw(density, 7).shape == (7, density.num_dims)


@every_density
def test_the_generator_alone_fixes_the_samples(kind):
    samples = []
    for global_seed, seed in ((0, 5), (1, 5), (1, 6)):
        np.random.seed(global_seed)
        samples.append(draw(build_density(kind), 50, seed))
    np.testing.assert_array_equal(samples[0], samples[1])
    assert not (samples[1] == samples[2]).any()


@every_density
def test_the_density_of_a_point_does_not_depend_on_the_points_beside_it(kind):
    density, points = build_density(kind), draw(build_density(kind), 2500)
    together = density.log_density(points)
    alone = [
        density.log_density(point[None])[0] for point in points[[0, 999, 1000, -1]]
    ]
    np.testing.assert_allclose(together[[0, 999, 1000, -1]], alone, rtol=1e-12)


@pytest.mark.parametrize("num_modes", [1, 2, 3, 4, 8, 12])
def test_modes_are_where_the_density_is_highest_all_around(num_modes):
    density = build_density("modes", num_modes=num_modes)
    assert density.modes.shape == (num_modes, 2)
    angle = np.linspace(0, 2 * np.pi, 16, endpoint=False)
    around = 0.1 * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    for mode in density.modes:
        at_mode = density.log_density(mode[None])
        assert (density.log_density(mode + around) < at_mode).all()


@pytest.mark.parametrize("num_modes", [2, 3, 8])
def test_modes_lie_evenly_on_their_circle_and_share_the_samples(num_modes):
    density = build_density("modes", num_modes=num_modes, radius=3.0, std=0.1)
    np.testing.assert_allclose(np.linalg.norm(density.modes, axis=1), 3)
    neighbours = density.modes - np.roll(density.modes, 1, axis=0)
    side = 6 * math.sin(math.pi / num_modes)
    np.testing.assert_allclose(np.linalg.norm(neighbours, axis=1), side)
    samples = draw(density, 4000)
    offset = samples[:, None] - density.modes
    nearest = np.linalg.norm(offset, axis=-1).argmin(1)
    assert chisquare(np.bincount(nearest, minlength=num_modes)).pvalue > 1e-3
    spread = offset[np.arange(len(samples)), nearest].std(0)
    np.testing.assert_allclose(spread, 0.1, rtol=0.05)


@pytest.mark.parametrize("kind", sorted(set(DENSITIES.names()) - {"modes"}))
def test_a_density_without_separate_modes_names_none(kind):
    assert build_density(kind).modes is None


@pytest.mark.parametrize("num_squares", [2, 6])
def test_neighbours_on_the_checkerboard_have_different_colours(num_squares):
    density = build_density("checkerboard", num_squares=num_squares, half_width=2.0)
    side = 4 / num_squares
    middle = side * (np.arange(num_squares) + 0.5) - 2
    x, y = np.meshgrid(middle, middle, indexing="ij")
    points = np.stack([x.ravel(), y.ravel()], axis=1)
    dark = np.isfinite(density.log_density(points)).reshape(x.shape)
    assert (dark[1:] != dark[:-1]).all() and (dark[:, 1:] != dark[:, :-1]).all()
    np.testing.assert_allclose(density.log_density(points).max(), -math.log(8))


def test_nothing_is_outside_of_the_checkerboard():
    points = np.array([[3.1, 0.1], [-3.1, -0.1], [0.1, 3.1], [7.6, 7.6], [-9.1, -9.1]])
    assert (build_density("checkerboard").log_density(points) == -np.inf).all()


@pytest.mark.parametrize("num_rings", [1, 3])
def test_rings_have_evenly_spaced_radii_and_equal_line_density(num_rings):
    density = build_density("rings", num_rings=num_rings, radius=3.0, std=0.05)
    distance = np.linalg.norm(draw(density), axis=1)
    radii = 3 * np.arange(1, num_rings + 1) / num_rings
    nearest = np.abs(distance[:, None] - radii).argmin(1)
    assert np.abs(distance - radii[nearest]).max() < 0.3
    share = np.bincount(nearest) / len(distance)
    np.testing.assert_allclose(share, radii / radii.sum(), rtol=0.05)


def test_two_moons_are_each_other_turned_around():
    density = build_density("two_moons")
    points = draw(density, 500)
    np.testing.assert_allclose(
        density.log_density(points), density.log_density(-points)
    )


@pytest.mark.parametrize("num_arms", [1, 2, 3])
def test_arms_of_a_spiral_are_each_other_turned_by_their_angle(num_arms):
    density = build_density("spirals", num_arms=num_arms)
    points, angle = draw(density, 500), 2 * np.pi / num_arms
    cos, sin = np.cos(angle), np.sin(angle)
    turned = points @ np.array([[cos, sin], [-sin, cos]])
    np.testing.assert_allclose(
        density.log_density(turned), density.log_density(points), atol=1e-8
    )


@pytest.mark.parametrize("num_turns", [1.0, 2.5])
def test_a_spiral_goes_from_a_tenth_of_its_radius_to_its_radius(num_turns):
    density = build_density("spirals", num_turns=num_turns, radius=4.0, std=0.02)
    distance = np.linalg.norm(draw(density), axis=1)
    assert distance.min() == pytest.approx(0.4, abs=0.1)
    assert distance.max() == pytest.approx(4.0, abs=0.1)


def test_an_arm_of_a_spiral_has_the_same_line_density_all_along():
    options = {"num_arms": 1, "num_turns": 1.2, "radius": 4.0, "std": 0.02}
    distance = np.linalg.norm(draw(build_density("spirals", **options), 2000), axis=1)
    turn = 2 * np.pi * 1.2

    def length(share):
        """Of an arm from the middle to a share of the radius."""
        return share * np.hypot(1, turn * share) + np.arcsinh(turn * share) / turn

    found = length(distance / 4) - length(0.1)
    assert kstest(found / (length(1.0) - length(0.1)), "uniform").pvalue > 1e-3


BAD = [
    ("checkerboard", "num_squares", 3, "an even number, 2 or more"),
    ("checkerboard", "num_squares", 0, "an even number, 2 or more"),
    ("checkerboard", "half_width", 0.0, "positive"),
    ("modes", "num_modes", 0, "1 or more"),
    ("modes", "radius", 0.0, "positive"),
    ("modes", "std", -0.1, "positive"),
    ("two_moons", "radius", -1.0, "positive"),
    ("two_moons", "std", 0.0, "positive"),
    ("rings", "num_rings", 0, "1 or more"),
    ("rings", "radius", 0.0, "positive"),
    ("rings", "std", 0.0, "positive"),
    ("spirals", "num_arms", 0, "1 or more"),
    ("spirals", "num_turns", 0.0, "positive"),
    ("spirals", "radius", 0.0, "positive"),
    ("spirals", "std", 0.0, "positive"),
]


@pytest.mark.parametrize("build", [lambda k, o: build_density(k, **o), check_density])
@pytest.mark.parametrize(("kind", "name", "value", "legal"), BAD)
def test_a_bad_option_is_one_line_that_names_it(build, kind, name, value, legal):
    with pytest.raises(ValueError) as error:
        build(kind, {name: value})
    assert str(error.value) == f"{name} is {value}; it must be {legal}."


@every_density
@pytest.mark.parametrize("build", [lambda k, o: build_density(k, **o), check_density])
def test_an_unknown_option_is_answered_with_the_known_ones(build, kind):
    message = f"^Unknown option 'colour' of density '{kind}'. Known: \\w+"
    with pytest.raises(ValueError, match=message):
        build(kind, {"colour": 3})


@every_density
def test_a_density_that_can_be_built_passes_the_check(kind):
    check_density(kind, {})


def test_an_unknown_density_is_answered_with_the_known_ones():
    with pytest.raises(ValueError, match=r"^Unknown density 'mods'. Known: check.*mod"):
        build_density("mods")


def test_the_check_knows_tables_beside_the_densities():
    known = ", ".join(sorted([*DENSITIES.names(), TABLE]))
    with pytest.raises(ValueError, match=f"^Unknown density 'tabel'. Known: {known}.$"):
        check_density("tabel", {})
