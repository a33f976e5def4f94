import h5py
import numpy as np
import pytest
from damage import edited
from test_portraying import HOW, assert_same, every_family, flow_of, moving, points

from hgnpipe.evaluation.portraits import (
    PORTRAIT,
    Portrait,
    grid_of,
    load_portrait,
    save_portrait,
)
from hgnpipe.evaluation.portraying import portray


def test_a_grid_runs_row_by_row_from_the_lower_left():
    expected = [(x, y) for y in (-2, 0, 2) for x in (-2, 0, 2)]
    np.testing.assert_array_equal(grid_of(2.0, 3), expected)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "portraits" / "portrait.h5"


@every_family
def test_a_portrait_survives_being_stored_bit_for_bit(path, family):
    portrait = portray(flow_of(family), points(), **HOW)
    save_portrait(path, portrait)
    loaded = load_portrait(path)
    assert isinstance(loaded, Portrait)
    assert_same(loaded, portrait)


def test_no_minimum_survives_being_stored_too(path):
    portrait = portray(moving(), points(), **HOW)
    steps = tuple(s._replace(minima=np.empty((0, 2))) for s in portrait.steps)
    save_portrait(path, portrait._replace(steps=steps))
    assert [step.minima.shape for step in load_portrait(path).steps] == [(0, 2)] * 2


def test_saving_leaves_only_the_portrait(path):
    save_portrait(path, portray(flow_of("realnvp"), points(), **HOW))
    assert list(path.parent.iterdir()) == [path]


def refusal(path):
    """The one line with which a file is refused."""
    with pytest.raises(ValueError) as error:
        load_portrait(path)
    assert "\n" not in str(error.value)
    return str(error.value)


def test_a_missing_portrait_is_named(path):
    assert refusal(path) == f"{path} does not exist."


def test_a_file_that_is_no_hdf5_is_named(path):
    path.parent.mkdir()
    path.write_bytes(b"portrait")
    assert refusal(path).startswith(f"{path} is damaged or not HDF5")


@pytest.mark.parametrize("format", [None, "hgnpipe points 1", "hgnpipe portrait 1"])
def test_hdf5_of_another_format_is_refused_with_the_format(path, format):
    path.parent.mkdir()
    with h5py.File(path, "w") as file:
        if format is not None:
            file.attrs["format"] = format
    expected = f"{path} is a file of format {format!r}; expected {PORTRAIT!r}."
    assert refusal(path).startswith(expected)


@pytest.mark.parametrize("part", ["density", "paths", "step1/minima", "step0"])
def test_a_file_that_lacks_a_part_is_named(path, part):
    save_portrait(path, portray(moving(), points(), **HOW))
    with edited(path) as file:
        del file[part]
    assert refusal(path).startswith(f"{path} lacks a part: ")
