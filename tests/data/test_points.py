import h5py
import numpy as np
import pytest
from damage import edited

from hgnpipe.data.points import (
    POINTS,
    SPLITS,
    TABLE,
    PointSets,
    check_density,
    draw_points,
    load_points,
    save_points,
    split_points,
)
from hgnpipe.densities import DENSITIES, build_density

SIZES = {"train": 30, "validation": 20, "test": 10}

every_density = pytest.mark.parametrize("kind", DENSITIES.names())


def drawn(kind="modes", seed=0, options=None, **sizes):
    return draw_points(kind, options or {}, {**SIZES, **sizes}, seed)


def numbered(num=50):
    """Rows that tell their numbers, in columns of different mean and width."""
    rows = np.arange(num, dtype=float)
    return np.stack([rows, 100 - 3 * rows, rows**2 / 10], axis=1)


def in_table_units(part, scaling):
    return part * scaling["std"] + scaling["mean"]


def refusal(read, *arguments):
    """The one line with which something is refused."""
    with pytest.raises(ValueError) as error:
        read(*arguments)
    assert "\n" not in str(error.value)
    return str(error.value)


# Draws from a density


@every_density
def test_every_split_has_the_size_it_is_told(kind):
    points = drawn(kind)
    assert {split: len(getattr(points, split)) for split in SPLITS} == SIZES


@every_density
def test_the_seed_alone_fixes_the_points(kind):
    np.random.seed(0)
    one = drawn(kind, 5)
    np.random.seed(1)
    for name, values in drawn(kind, 5)._asdict().items():
        np.testing.assert_array_equal(values, getattr(one, name))
    assert not (drawn(kind, 6).train == one.train).any()


def test_no_point_is_in_two_splits():
    points = drawn(train=500, validation=500, test=500)
    together = np.concatenate([points.train, points.validation, points.test])
    assert len(np.unique(together, axis=0)) == 1500


def test_splits_do_not_follow_each_other():
    points = drawn(train=2000, validation=2000, test=2000)
    columns = [points.train[:, 0], points.validation[:, 0], points.test[:, 0]]
    correlation = np.corrcoef(columns)
    assert np.abs(correlation - np.eye(3)).max() < 0.1


@pytest.mark.parametrize("split", SPLITS)
def test_the_size_of_one_split_leaves_the_others_as_they_were(split):
    before, after = drawn(), drawn(**{split: 45})
    for other in set(SPLITS) - {split}:
        np.testing.assert_array_equal(getattr(before, other), getattr(after, other))


@every_density
def test_held_out_points_come_with_their_true_log_density(kind):
    points, density = drawn(kind), build_density(kind)
    expected = density.log_density(points.test)
    np.testing.assert_array_equal(points.log_density, expected)
    expected = density.log_density(points.validation)
    np.testing.assert_array_equal(points.validation_log_density, expected)


def test_the_modes_of_the_density_come_with_its_points():
    options = {"num_modes": 3, "radius": 1.5}
    expected = build_density("modes", **options).modes
    np.testing.assert_array_equal(drawn(options=options).modes, expected)
    assert drawn("rings").modes.shape == (0, 2)


def test_a_bad_density_is_refused():
    with pytest.raises(ValueError, match="Unknown density 'mode'"):
        drawn("mode")
    with pytest.raises(ValueError, match="num_modes is 0"):
        drawn(options={"num_modes": 0})


# Splits of a table


@pytest.mark.parametrize("held_out", [0.1, 0.2, 0.4])
def test_every_row_of_a_table_is_in_exactly_one_split(held_out):
    points, scaling = split_points(numbered(), 0, held_out=held_out)
    parts = [points.train, points.validation, points.test]
    rows = np.concatenate([in_table_units(part, scaling) for part in parts])
    np.testing.assert_allclose(rows[rows[:, 0].argsort()], numbered(), atol=1e-9)


@pytest.mark.parametrize("held_out", [0.1, 0.2, 0.4])
def test_both_held_out_splits_have_the_share_they_are_told(held_out):
    points, _ = split_points(numbered(), 0, held_out=held_out)
    num = round(held_out * 50)
    assert [len(part) for part in points[:3]] == [50 - 2 * num, num, num]


def test_rows_are_shuffled_by_the_seed_alone():
    def order(seed):
        points, scaling = split_points(numbered(), seed)
        return in_table_units(points.train, scaling)[:, 0].round().tolist()

    np.random.seed(0)
    one = order(5)
    np.random.seed(1)
    assert order(5) == one
    assert order(6) != one != sorted(one)


def test_points_are_standardised_by_the_training_split_alone():
    points, scaling = split_points(numbered(), 0)
    np.testing.assert_allclose(points.train.mean(0), 0, atol=1e-12)
    np.testing.assert_allclose(points.train.std(0), 1)
    rows = in_table_units(points.train, scaling)
    np.testing.assert_allclose(scaling["mean"], rows.mean(0))
    np.testing.assert_allclose(scaling["std"], rows.std(0))
    for held_out in (points.validation, points.test):
        assert np.abs(held_out.mean(0)).min() > 1e-3


def test_nobody_knows_the_density_and_the_modes_of_a_table():
    points, _ = split_points(numbered(), 0)
    assert len(points.log_density) == len(points.test)
    assert len(points.validation_log_density) == len(points.validation)
    assert np.isnan(points.log_density).all()
    assert np.isnan(points.validation_log_density).all()
    assert points.modes.shape == (0, 3)


@pytest.mark.parametrize("constant", [0.0, 0.1, -3.0])
def test_a_constant_column_is_named(constant):
    rows = numbered()
    rows[:, 1] = constant
    assert refusal(split_points, rows, 0).startswith("Column 2 has the same value")


def test_a_column_that_is_constant_but_for_rounding_is_named():
    rows = numbered()
    rows[:, 1] = np.where(np.arange(50) % 2, 0.1 + 0.2, 0.3)
    assert refusal(split_points, rows, 0).startswith("Column 2 has the same value")


@pytest.mark.parametrize("unit", [2.0**660, 2.0**-660, 2.0**1010, 2.0**-1040])
def test_the_unit_of_a_column_does_not_matter(unit):
    rows = np.round(np.random.default_rng(0).standard_normal((50, 2)), 3)
    rows[:, 1] = np.round(rows[:, 1] * 2**10)
    expected, plain = split_points(rows, 0)
    found, scaling = split_points(rows * [1.0, unit], 0)
    for one, other in zip(found[:3], expected[:3], strict=True):
        np.testing.assert_array_equal(one, other)
    assert scaling["std"] == pytest.approx([plain["std"][0], plain["std"][1] * unit])


@pytest.mark.parametrize("size", [1e6, 1e9, -1e12])
def test_small_differences_of_large_numbers_are_differences(size):
    rows = numbered()
    points, _ = split_points(rows + np.array([0, size, 0]), 0)
    np.testing.assert_allclose(points.train, split_points(rows, 0)[0].train, atol=1e-5)


def test_ordinary_points_are_standardised_by_plain_mean_and_deviation():
    rows = np.random.default_rng(1).normal([3, -1e4, 1e-3], [2, 50, 1e-5], (400, 3))
    points, scaling = split_points(rows, 0)
    order = np.random.default_rng([0, len(SPLITS)]).permutation(400)
    test, validation, train = np.split(rows[order], [80, 160])
    mean, std = train.mean(0), train.std(0)
    assert (scaling["mean"], scaling["std"]) == (mean.tolist(), std.tolist())
    for found, part in zip(points[:3], (train, validation, test), strict=True):
        np.testing.assert_array_equal(found, (part - mean) / std)


def test_a_value_beside_which_the_others_are_nothing_is_named():
    rows = numbered()
    rows[7, 2] = -1e200
    message = refusal(split_points, rows, 0)
    assert message.startswith("Column 3 has a value, 1e+200 in magnitude, so far from")


def test_a_held_out_value_that_has_no_number_once_standardised_is_named():
    rows = numbered()
    rows[:, 1] *= 1e-200
    points, scaling = split_points(rows, 0)
    first = in_table_units(points.test, scaling)[0, 0].round()
    rows[int(first), 1] = 1e200
    message = refusal(split_points, rows, 0)
    assert message.startswith("Column 2 has a value, 1e+200 in magnitude, so far from")


def test_a_far_row_is_a_row():
    rows = np.random.default_rng(0).standard_normal((50, 2))
    rows[9] = 3000, 0
    points, _ = split_points(rows, 0)
    assert len(np.unique(points.train[:, 0])) == len(points.train)


def test_a_column_that_is_mostly_zero_is_a_column():
    rows = numbered()
    rows[:, 1] = np.where(np.arange(50) % 5, 0, rows[:, 0])
    assert np.isfinite(split_points(rows, 0)[0].train).all()


@pytest.mark.parametrize(("held_out", "fewest"), [(0.2, 10), (0.1, 20), (0.3, 7)])
def test_too_few_rows_are_answered_with_how_many_it_takes(held_out, fewest):
    split_points(numbered(fewest), 0, held_out=held_out)
    with pytest.raises(ValueError) as error:
        split_points(numbered(fewest - 1), 0, held_out=held_out)
    expected = f"number of rows is {fewest - 1}; it must be {fewest} or more."
    assert str(error.value) == expected


# Files


@pytest.fixture
def path(tmp_path):
    return tmp_path / "densities" / "points.h5"


@pytest.mark.parametrize("source", ["density", "table"])
def test_points_and_their_origin_survive_being_stored(path, source):
    points = drawn() if source == "density" else split_points(numbered(), 0)[0]
    origin = {"kind": "modes", "options": {"num_modes": 8}, "seed": 3, "mean": [0.5]}
    save_points(path, points, origin)
    loaded, told = load_points(path)
    assert told == origin
    assert isinstance(loaded, PointSets)
    for name, values in points._asdict().items():
        np.testing.assert_array_equal(getattr(loaded, name), values)
        assert getattr(loaded, name).dtype == values.dtype


def test_other_programs_find_the_points_by_their_names(path):
    save_points(path, drawn(), {})
    with h5py.File(path) as file:
        assert file.attrs["format"] == POINTS
        assert set(file) == set(PointSets._fields)
        assert file["train"].shape == (30, 2)


def test_saving_leaves_only_the_points(path):
    save_points(path, drawn(), {})
    assert list(path.parent.iterdir()) == [path]


def test_missing_points_are_named(path):
    assert refusal(load_points, path) == f"{path} does not exist."


@pytest.mark.parametrize(("content", "what"), [(b"", "empty"), (b"points", "text")])
def test_a_file_that_is_no_hdf5_is_named(path, content, what):
    path.parent.mkdir()
    path.write_bytes(content)
    assert refusal(load_points, path).startswith(
        f"{path} is {what}; expected {POINTS!r}"
    )


@pytest.mark.parametrize("format", [None, "hgnpipe points 1", "hgnpipe dataset 1"])
def test_hdf5_of_another_format_is_refused_with_the_format(path, format):
    path.parent.mkdir()
    with h5py.File(path, "w") as file:
        if format is not None:
            file.attrs["format"] = format
    what = f"a file of format {format!r}" if format else "HDF5 of another program"
    expected = f"{path} is {what}; expected {POINTS!r}."
    assert refusal(load_points, path).startswith(expected)


@pytest.mark.parametrize("name", PointSets._fields)
def test_a_file_that_lacks_a_part_is_named_with_the_part(path, name):
    save_points(path, drawn(), {})
    with edited(path) as file:
        del file[name]
    message = refusal(load_points, path)
    assert message.startswith(f"{path} lacks a part: ") and name in message


# Descriptions of a table


@pytest.mark.parametrize(
    "options",
    [
        {}, {"held_out": 0.1}, {"columns": None}, {"columns": ["x", "y"]},
        {"columns": [0, 2]}, {"columns": [0, "y"]},
    ],
)  # fmt: skip
def test_a_table_is_checked_without_being_opened(options):
    check_density(TABLE, {"file": "not/there.csv", **options})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "Missing option 'file' of density 'table'"),
        ({"file": 3}, "'file' of density 'table' is 3; it must be text"),
        ({"file": "a.csv", "column": ["x"]}, "Unknown option 'column' .*columns"),
        ({"file": "a.csv", "columns": "x"}, "'columns' of density 'table' is 'x'"),
        ({"file": "a.csv", "columns": [1.5]}, r"'columns' .* 'table' is \[1.5\]"),
        ({"file": "a.csv", "held_out": "0.1"}, "'held_out' of density 'table'"),
        ({"file": "a.csv", "held_out": 0.0}, "held_out is 0.0; it must be above 0 and"),
        ({"file": "a.csv", "held_out": 0.5}, "held_out is 0.5;.* and below 0.5"),
    ],
)
def test_a_table_that_is_badly_described_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        check_density(TABLE, options)
