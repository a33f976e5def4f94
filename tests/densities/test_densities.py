import math
from functools import cache

import numpy as np
import pytest
from scipy.stats import chi2, chisquare, kstest

from hgnpipe.targets import TABLE, TARGETS, build_target, check_target

every_target = pytest.mark.parametrize("kind", TARGETS)

REACH, SPACING = 6.0, 0.06
"""Half width of the square that holds every target, and grid to integrate on: its cells
fit into the squares of the checkerboard."""
CELLS = 20
"""Large cells along one side of it, to count samples in."""


def draw(target, num=20_000, seed=0):
    return target.sample(np.random.default_rng(seed), num)


@cache
def log_density_on_grid(kind):
    """In the middles of the cells of the grid, x first."""
    line = np.arange(-REACH + SPACING / 2, REACH, SPACING)
    x, y = np.meshgrid(line, line, indexing="ij")
    points = np.stack([x.ravel(), y.ravel()], axis=1)
    return build_target(kind).log_density(points).reshape(len(line), len(line))


def shares(kind):
    """Probability of every cell of the grid."""
    return np.exp(log_density_on_grid(kind)) * SPACING**2


@every_target
def test_the_density_integrates_to_one(kind):
    assert shares(kind).sum() == pytest.approx(1, abs=1e-6)


@every_target
def test_samples_fall_into_large_cells_as_often_as_the_density_says(kind):
    small = len(shares(kind)) // CELLS
    cells = shares(kind).reshape(CELLS, small, CELLS, small).sum((1, 3)).ravel()
    edges = np.linspace(-REACH, REACH, CELLS + 1)
    samples = draw(build_target(kind))
    counts = np.histogram2d(*samples.T, bins=(edges, edges))[0].ravel()
    expected = cells * len(samples)
    surplus, common = counts - expected, expected > 10
    squares = surplus[common] ** 2 / expected[common]
    assert chi2.sf(squares.sum(), len(squares)) > 1e-3
    rarely = expected[~common].sum()
    assert abs(surplus[~common].sum()) <= 4 * math.sqrt(rarely) + 1e-6


@every_target
def test_the_mean_log_density_of_samples_is_minus_the_entropy(kind):
    found = build_target(kind).log_density(draw(build_target(kind)))
    logs, p = log_density_on_grid(kind), shares(kind)
    entropy = -(p[p > 0] * logs[p > 0]).sum()
    error = found.std() / math.sqrt(len(found))
    assert abs(found.mean() + entropy) < 4 * error + 1e-9


@every_target
def test_the_density_of_samples_is_never_zero(kind):
    target = build_target(kind)
    assert np.isfinite(target.log_density(draw(target, 3000))).all()


@every_target
def test_the_dimension_is_that_of_the_samples(kind):
    target = build_target(kind)
    assert draw(target, 7).shape == (7, target.num_dims)


@every_target
def test_the_generator_alone_fixes_the_samples(kind):
    samples = []
    for global_seed, seed in ((0, 5), (1, 5), (1, 6)):
        np.random.seed(global_seed)
        samples.append(draw(build_target(kind), 50, seed))
    np.testing.assert_array_equal(samples[0], samples[1])
    assert not (samples[1] == samples[2]).any()


@every_target
def test_the_density_of_a_point_does_not_depend_on_the_points_beside_it(kind):
    target, points = build_target(kind), draw(build_target(kind), 2500)
    together = target.log_density(points)
    alone = [target.log_density(point[None])[0] for point in points[[0, 999, 1000, -1]]]
    np.testing.assert_allclose(together[[0, 999, 1000, -1]], alone, rtol=1e-12)


@pytest.mark.parametrize("num_modes", [1, 2, 3, 4, 8, 12])
def test_modes_are_where_the_density_is_highest_all_around(num_modes):
    target = build_target("modes", num_modes=num_modes)
    assert target.modes.shape == (num_modes, 2)
    angle = np.linspace(0, 2 * np.pi, 16, endpoint=False)
    around = 0.1 * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    for mode in target.modes:
        at_mode = target.log_density(mode[None])
        assert (target.log_density(mode + around) < at_mode).all()


@pytest.mark.parametrize("num_modes", [2, 3, 8])
def test_modes_lie_evenly_on_their_circle_and_share_the_samples(num_modes):
    target = build_target("modes", num_modes=num_modes, radius=3.0, std=0.1)
    np.testing.assert_allclose(np.linalg.norm(target.modes, axis=1), 3)
    neighbours = target.modes - np.roll(target.modes, 1, axis=0)
    side = 6 * math.sin(math.pi / num_modes)
    np.testing.assert_allclose(np.linalg.norm(neighbours, axis=1), side)
    samples = draw(target, 4000)
    offset = samples[:, None] - target.modes
    nearest = np.linalg.norm(offset, axis=-1).argmin(1)
    assert chisquare(np.bincount(nearest, minlength=num_modes)).pvalue > 1e-3
    spread = offset[np.arange(len(samples)), nearest].std(0)
    np.testing.assert_allclose(spread, 0.1, rtol=0.05)


@pytest.mark.parametrize("kind", sorted(set(TARGETS) - {"modes"}))
def test_a_target_without_separate_modes_names_none(kind):
    assert build_target(kind).modes is None


@pytest.mark.parametrize("num_squares", [2, 6])
def test_neighbours_on_the_checkerboard_have_different_colours(num_squares):
    target = build_target("checkerboard", num_squares=num_squares, half_width=2.0)
    side = 4 / num_squares
    middle = side * (np.arange(num_squares) + 0.5) - 2
    x, y = np.meshgrid(middle, middle, indexing="ij")
    points = np.stack([x.ravel(), y.ravel()], axis=1)
    dark = np.isfinite(target.log_density(points)).reshape(x.shape)
    assert (dark[1:] != dark[:-1]).all() and (dark[:, 1:] != dark[:, :-1]).all()
    np.testing.assert_allclose(target.log_density(points).max(), -math.log(8))


def test_nothing_is_outside_of_the_checkerboard():
    points = np.array([[3.1, 0.1], [-3.1, -0.1], [0.1, 3.1], [7.6, 7.6], [-9.1, -9.1]])
    assert (build_target("checkerboard").log_density(points) == -np.inf).all()


@pytest.mark.parametrize("num_rings", [1, 3])
def test_rings_have_evenly_spaced_radii_and_equal_line_density(num_rings):
    target = build_target("rings", num_rings=num_rings, radius=3.0, std=0.05)
    distance = np.linalg.norm(draw(target), axis=1)
    radii = 3 * np.arange(1, num_rings + 1) / num_rings
    nearest = np.abs(distance[:, None] - radii).argmin(1)
    assert np.abs(distance - radii[nearest]).max() < 0.3
    share = np.bincount(nearest) / len(distance)
    np.testing.assert_allclose(share, radii / radii.sum(), rtol=0.05)


def test_two_moons_are_each_other_turned_around():
    target = build_target("two_moons")
    points = draw(target, 500)
    np.testing.assert_allclose(target.log_density(points), target.log_density(-points))


@pytest.mark.parametrize("num_arms", [1, 2, 3])
def test_arms_of_a_spiral_are_each_other_turned_by_their_angle(num_arms):
    target = build_target("spirals", num_arms=num_arms)
    points, angle = draw(target, 500), 2 * np.pi / num_arms
    cos, sin = np.cos(angle), np.sin(angle)
    turned = points @ np.array([[cos, sin], [-sin, cos]])
    np.testing.assert_allclose(
        target.log_density(turned), target.log_density(points), atol=1e-8
    )


@pytest.mark.parametrize("num_turns", [1.0, 2.5])
def test_a_spiral_goes_from_a_tenth_of_its_radius_to_its_radius(num_turns):
    target = build_target("spirals", num_turns=num_turns, radius=4.0, std=0.02)
    distance = np.linalg.norm(draw(target), axis=1)
    assert distance.min() == pytest.approx(0.4, abs=0.1)
    assert distance.max() == pytest.approx(4.0, abs=0.1)


def test_an_arm_of_a_spiral_has_the_same_line_density_all_along():
    options = {"num_arms": 1, "num_turns": 1.2, "radius": 4.0, "std": 0.02}
    distance = np.linalg.norm(draw(build_target("spirals", **options), 2000), axis=1)
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


@pytest.mark.parametrize("build", [lambda k, o: build_target(k, **o), check_target])
@pytest.mark.parametrize(("kind", "name", "value", "legal"), BAD)
def test_a_bad_option_is_one_line_that_names_it(build, kind, name, value, legal):
    with pytest.raises(ValueError) as error:
        build(kind, {name: value})
    assert str(error.value) == f"{name} is {value}; it must be {legal}."


@every_target
@pytest.mark.parametrize("build", [lambda k, o: build_target(k, **o), check_target])
def test_an_unknown_option_is_answered_with_the_known_ones(build, kind):
    message = f"^Unknown option 'colour' of target '{kind}'. Known: \\w+"
    with pytest.raises(ValueError, match=message):
        build(kind, {"colour": 3})


@every_target
def test_a_target_that_can_be_built_passes_the_check(kind):
    check_target(kind, {})


def test_an_unknown_target_is_answered_with_the_known_ones():
    with pytest.raises(ValueError, match=r"^Unknown target 'mods'. Known: check.*mod"):
        build_target("mods")


def test_the_check_knows_tables_beside_the_targets():
    known = ", ".join(sorted([*TARGETS, TABLE]))
    with pytest.raises(ValueError, match=f"^Unknown target 'tabel'. Known: {known}.$"):
        check_target("tabel", {})


@pytest.mark.parametrize(
    "options",
    [
        {}, {"held_out": 0.1}, {"columns": None}, {"columns": ["x", "y"]},
    ],
)  # fmt: skip
def test_a_table_is_checked_without_being_opened(options):
    check_target(TABLE, {"file": "not/there.csv", **options})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "Missing option 'file' of target 'table'"),
        ({"file": 3}, "'file' of target 'table' is 3; it must be str"),
        ({"file": "a.csv", "column": ["x"]}, "Unknown option 'column' .*columns"),
        ({"file": "a.csv", "columns": "x"}, "'columns' of target 'table' is 'x'"),
        ({"file": "a.csv", "columns": [1]}, r"'columns' of target 'table' is \[1\]"),
        ({"file": "a.csv", "held_out": "0.1"}, "'held_out' of target 'table'"),
        ({"file": "a.csv", "held_out": 0.0}, "held_out is 0.0; it must be above 0 and"),
        ({"file": "a.csv", "held_out": 0.5}, "held_out is 0.5;.* and below 0.5"),
    ],
)
def test_a_table_that_is_badly_described_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        check_target(TABLE, options)
