import numpy as np
import pytest

from hgnpipe.data.windows import cut, held_out, to_square


def ramp(height, width, num=2):
    """Grey that grows from left to right, and a green that grows downwards."""
    x = np.broadcast_to(np.linspace(0, 255, width), (height, width))
    y = np.broadcast_to(np.linspace(0, 255, height)[:, None], (height, width))
    frame = np.stack([x, y, x], axis=-1).round().astype(np.uint8)
    return np.repeat(frame[None], num, axis=0)


def test_the_middle_square_is_kept():
    made = to_square(ramp(16, 48), 16)
    np.testing.assert_array_equal(made, ramp(16, 48)[:, :, 16:32])


def test_all_is_kept_between_borders_of_the_colour_of_the_edge():
    frames = np.full((2, 8, 16, 3), (10, 20, 30), np.uint8)
    frames[:, 2:6, 4:12] = 200
    made = to_square(frames, 16, "pad")
    np.testing.assert_array_equal(made[:, 4:12], frames)
    assert (made[:, :4] == (10, 20, 30)).all() and (made[:, 12:] == (10, 20, 30)).all()


@pytest.mark.parametrize("size", [12, 40])
def test_pictures_are_resized_smoothly(size):
    made = to_square(ramp(64, 64), size).astype(int)
    assert made.shape == (2, size, size, 3)
    assert abs(made - ramp(size, size)).max() <= 12


def test_fine_stripes_become_grey_and_no_coarse_ones():
    frames = np.zeros((1, 96, 96, 3), np.uint8)
    frames[:, :, ::2] = 255
    made = to_square(frames, 16)
    assert abs(made[:, 2:-2, 2:-2].astype(int) - 127).max() < 15


def test_windows_do_not_overlap_and_leave_out_what_is_too_short():
    frames = np.arange(11, dtype=np.uint8)[:, None, None, None] * np.ones(
        (1, 8, 8, 3), np.uint8
    )
    assert cut(frames, 4)[..., 0, 0, 0].tolist() == [[0, 1, 2, 3], [4, 5, 6, 7]]
    assert cut(frames, 4, step=3)[..., 0, 0, 0].tolist() == [[0, 3, 6, 9]]
    starts = cut(frames, 4, step=2, stride=1)[:, 0, 0, 0, 0]
    assert starts.tolist() == [0, 1, 2, 3, 4]
    assert cut(frames, 12).shape == (0, 12, 8, 8, 3)


def test_whole_videos_are_held_out_the_same_ones_each_time():
    names = [f"{number}.mp4" for number in range(20)]
    first = held_out(names, 0.25, seed=0)
    assert len(first) == 5 and first < {*names}
    assert held_out(names[::-1], 0.25, seed=0) == first
    assert held_out(names, 0.25, seed=1) != first
    assert len(held_out(names[:2], 0.01, 0)) == len(held_out(names[:2], 0.99, 0)) == 1


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: to_square(ramp(8, 8), 4), "image_size is 4"),
        (lambda: to_square(ramp(8, 8), 8, "stretch"), "fit is 'stretch'.*crop or pad"),
        (lambda: cut(ramp(8, 8), 1), "num_frames is 1"),
        (lambda: cut(ramp(8, 8), 2, 0), "frame_step is 0"),
        (lambda: cut(ramp(8, 8), 2, 1, 0), "stride is 0"),
        (lambda: held_out(["a"], 0.5, 0), "number of videos is 1.*2 or more"),
        (lambda: held_out(["a", "a"], 0.5, 0), "unique"),
        (lambda: held_out(["a", "b"], 1.0, 0), "share is 1.0"),
    ],
)
def test_what_cannot_be_is_answered_with_what_is_legal(call, message):
    with pytest.raises(ValueError, match=message):
        call()
