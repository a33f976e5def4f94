import numpy as np
import pytest
import torch

from hgnpipe.data.stored import check_points, check_videos

SHAPE = (2, 3, 8, 8, 3)

pytestmark = pytest.mark.usefixtures("unchecked")


def refusal(check, *arguments):
    """The one line with which something is refused."""
    with pytest.raises(ValueError) as error:
        check(*arguments)
    assert "\n" not in str(error.value)
    return str(error.value)


def test_videos_as_they_are_stored_are_fine():
    check_videos(np.zeros(SHAPE, np.uint8))
    check_videos(np.zeros((0, *SHAPE[1:]), np.uint8))


@pytest.mark.parametrize("dtype", [float, np.float32, np.uint16, np.int8, int, bool])
def test_videos_of_another_type_are_refused_with_what_they_are(dtype):
    message = refusal(check_videos, np.zeros(SHAPE, dtype))
    assert f"ndarray of {np.dtype(dtype)} (2, 3, 8, 8, 3); they must be" in message
    assert "uint8, RGB values from 0 to 255, (videos, frames, S, S, 3)" in message


@pytest.mark.parametrize(
    "shape", [SHAPE[1:], (2, 3, 3, 8, 8), (2, 3, 8, 4, 3), (2, 3, 8, 8, 1), ()]
)
def test_videos_of_another_shape_are_refused_with_it(shape):
    message = refusal(check_videos, np.zeros(shape, np.uint8))
    assert message.startswith(f"Videos are ndarray of uint8 {shape}; ")


@pytest.mark.parametrize(
    ("videos", "kind"),
    [
        (torch.zeros(SHAPE, dtype=torch.uint8), "Tensor of torch.uint8 (2, 3, 8, 8"),
        ([[[0]]], "list"),
        ("videos.h5", "str"),
        (None, "NoneType"),
    ],
)
def test_what_is_no_array_is_refused_with_what_it_is(videos, kind):
    assert refusal(check_videos, videos).startswith(f"Videos are {kind}")


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.int64, np.uint8])
def test_points_of_any_precision_are_fine(dtype):
    check_points(np.ones((3, 2), dtype), 2)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e39])
def test_a_point_that_single_precision_does_not_have_is_named(value):
    points = np.ones((4, 2))
    points[2, 1] = value
    message = refusal(check_points, points, 2)
    assert message.startswith(f"Point 2 is [1.0, {value}]; its coordinates must be")


@pytest.mark.parametrize(
    ("points", "message"),
    [
        (np.ones(5), r"Points are ndarray of float64 (5,); they must be an array of"),
        (np.ones((5, 2), complex), r"Points are ndarray of complex128 (5, 2)"),
        (np.full((5, 2), "1"), r"Points are ndarray of <U1 (5, 2)"),
        (torch.ones(5, 2), r"Points are Tensor of torch.float32 (5, 2)"),
        ([[1.0, 2.0]], "Points are list"),
        (np.ones((0, 2)), "number of points is 0; it must be 1 or more."),
        (np.ones((5, 3)), "dimension of the points is 3; it must be that of the flow"),
    ],
)
def test_what_are_no_points_is_refused_with_what_it_is(points, message):
    assert refusal(check_points, points, 2).startswith(message)
