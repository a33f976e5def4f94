import numpy as np
import pytest
from simulated import SIMULATED

from hgnpipe.data.rendering import BLOCK, render
from hgnpipe.systems import build_system

GREY = (81, 88, 93)
every_system = pytest.mark.parametrize("name", SIMULATED)


def some_positions(name, num=4):
    return build_system(name).sample_initial_states(np.random.default_rng(0), num)[0]


def bodies_at(*points):
    """Picture of two bodies at points of the plane."""
    q = np.array(points, dtype=float).reshape(1, 4)
    return render(build_system("two_body"), q, 32)[0]


def centroid(picture):
    """Row and column of the centre of what is not background."""
    weight = abs(picture.astype(float) - GREY).sum(-1)
    rows, columns = np.indices(weight.shape)
    return (rows * weight).sum() / weight.sum(), (columns * weight).sum() / weight.sum()


@pytest.mark.parametrize("image_size", [32, 64])
@pytest.mark.parametrize("quarters", range(5))
def test_a_disc_lies_where_its_body_is_to_a_fraction_of_a_pixel(image_size, quarters):
    pixel = 4 / image_size
    height = 0.3 + quarters * pixel / 4
    picture = render(build_system("mass_spring"), np.array([[height]]), image_size)[0]
    row, column = centroid(picture)
    assert row == pytest.approx((2 - height) / pixel - 0.5, abs=0.03)
    assert column == pytest.approx(image_size / 2 - 0.5, abs=0.03)


def test_a_body_that_is_high_up_is_in_the_first_rows():
    picture = render(build_system("mass_spring"), np.array([[1.4]]), 32)[0]
    assert centroid(picture)[0] < 8


def test_a_pendulum_that_swings_to_the_right_is_on_the_right():
    picture = render(build_system("pendulum"), np.array([[np.pi / 2]]), 32)[0]
    row, column = centroid(picture)
    assert (row, column) == pytest.approx((15.5, 23.5), abs=0.03)


@every_system
def test_the_covered_area_is_that_of_the_discs(name):
    system = build_system(name)
    q = some_positions(name)
    pixel = 2 * system.view / 64
    other = (render(system, q, 64) != GREY).any(-1) @ np.ones(64) @ np.ones(64)
    edge = 0.35
    num = len(system.colors)
    smallest, largest = (
        np.pi * (system.disc_radius + shift) ** 2 / pixel**2 for shift in (0, edge)
    )
    assert (smallest < other).all() and (other < num * largest).all()


@every_system
def test_a_large_picture_and_a_small_one_show_the_same(name):
    system, q = build_system(name), some_positions(name)
    large = render(system, q, 64).reshape(-1, 32, 2, 32, 2, 3).mean(axis=(2, 4))
    difference = abs(large - render(system, q, 32))
    assert difference.max() < 6
    assert difference.mean() < 0.3


@every_system
def test_the_background_is_grey(name):
    corners = render(build_system(name), some_positions(name), 32)[:, ::31, ::31]
    np.testing.assert_array_equal(corners, np.broadcast_to(GREY, corners.shape))


def test_every_body_shows_its_own_colour():
    picture = bodies_at((-1.5, 1.5), (1.5, 1.5))
    assert picture[8, 8].tolist() == [173, 146, 0]
    assert picture[8, 24].tolist() == [173, 0, 0]


def test_a_later_body_covers_an_earlier_one():
    covered, free = bodies_at((0, 0), (0, 0)), bodies_at((9, 9), (0, 0))
    assert covered[16, 16].tolist() == free[16, 16].tolist() == [173, 0, 0]


def test_a_body_outside_the_window_is_not_seen():
    picture = bodies_at((9, 9), (-9, 0))
    np.testing.assert_array_equal(picture, np.broadcast_to(GREY, picture.shape))


def test_edges_are_soft():
    row = render(build_system("mass_spring"), np.array([[0.0]]), 64)[0, 32, :, 0]
    assert len(np.unique(row)) > 6


@every_system
def test_videos_are_bytes_in_the_shape_of_their_positions(name):
    q = some_positions(name, 6)
    video = render(build_system(name), q.reshape(2, 3, -1), 16)
    assert video.dtype == np.uint8
    np.testing.assert_array_equal(
        video.reshape(6, 16, 16, 3), render(build_system(name), q, 16)
    )


@every_system
def test_a_picture_does_not_depend_on_the_others(name):
    system, q = build_system(name), some_positions(name)
    alone = np.concatenate([render(system, q[i : i + 1], 32) for i in range(len(q))])
    np.testing.assert_array_equal(render(system, q, 32), alone)


def test_a_picture_too_small_to_see_anything_is_refused():
    with pytest.raises(ValueError, match=r"image_size is 4.*8 or more"):
        render(build_system("mass_spring"), np.array([[0.0]]), 4)


def test_many_pictures_are_drawn_like_each_alone():
    q = some_positions("two_body", BLOCK + 3)
    together = render(build_system("two_body"), q, 8)
    for i in (0, BLOCK - 1, BLOCK, BLOCK + 2):
        alone = render(build_system("two_body"), q[i], 8)
        np.testing.assert_array_equal(together[i], alone)
