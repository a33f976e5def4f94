import base64
import re
from pathlib import Path

import imageio_ffmpeg
import matplotlib.pyplot as plt
import numpy as np
import pytest
from PIL import Image

from hgnpipe.reporting.plotting import figure_style, message
from hgnpipe.reporting.strips import (
    FRAMES_PER_SECOND,
    GAP,
    film_strips,
    record,
    save_animation,
)

SIZE, LENGTH = 8, 7
CELL = SIZE + GAP


@pytest.fixture(autouse=True)
def style():
    with figure_style():
        yield
    plt.close("all")


@pytest.fixture
def axes():
    return plt.subplots()[1]


def video(seed, length=LENGTH):
    rng = np.random.default_rng(seed)
    return rng.integers(0, 255, (length, SIZE, SIZE, 3), np.uint8)  # 255 is the gap


def sheet(axes):
    (image,) = axes.images
    return np.asarray(image.get_array())


def cells(axes, rows, columns):
    """Pixels of each frame of the strips, by row and column."""
    shape = (rows, CELL, columns, CELL, 3)
    return sheet(axes).reshape(shape).swapaxes(1, 2)[:, :, :SIZE, :SIZE]


@pytest.mark.parametrize("every", [1, 2, 3, 10])
def test_a_strip_holds_every_few_frames_of_its_video(axes, every):
    videos = [video(0), video(1)]
    film_strips(axes, [("one", videos[0]), ("other", videos[1])], every, SIZE, LENGTH)
    found = cells(axes, 2, len(range(0, LENGTH, every)))
    for row, frames in zip(found, videos, strict=True):
        np.testing.assert_array_equal(row, frames[::every])


def test_between_the_frames_it_is_white(axes):
    film_strips(axes, [("one", video(0)), ("other", video(1))], 2, SIZE, LENGTH)
    white = (sheet(axes) == 255).all(axis=2)
    inside = np.arange(2 * CELL)[:, None] % CELL < SIZE
    inside = inside & (np.arange(4 * CELL) % CELL < SIZE)
    np.testing.assert_array_equal(white, ~inside)


def test_pixels_are_shown_as_they_are(axes):
    film_strips(axes, [("one", video(0))], 2, SIZE, LENGTH)
    assert axes.images[0].get_interpolation() == "nearest"
    assert sheet(axes).dtype == np.uint8


def test_a_short_video_leaves_its_end_white(axes):
    film_strips(axes, [("one", video(0)), ("short", video(1, 3))], 2, SIZE, LENGTH)
    found = cells(axes, 2, 4)
    np.testing.assert_array_equal(found[1, :2], video(1, 3)[::2])
    assert (found[1, 2:] == 255).all()


def test_rows_are_named_at_their_middle(axes):
    film_strips(axes, [("one", video(0)), ("other", None)], 2, SIZE, LENGTH)
    assert [text.get_text() for text in axes.get_yticklabels()] == ["one", "other"]
    np.testing.assert_allclose(axes.get_yticks(), [SIZE / 2, CELL + SIZE / 2])


def test_columns_are_numbered_by_their_frames(axes):
    film_strips(axes, [("one", video(0))], 3, SIZE, LENGTH)
    assert [text.get_text() for text in axes.get_xticklabels()] == ["0", "3", "6"]
    np.testing.assert_allclose(axes.get_xticks(), np.arange(3) * CELL + SIZE / 2)


def test_a_row_that_is_missing_says_so_and_stays_white(axes):
    strips = [("one", video(0)), ("missing", None), ("other", video(1))]
    film_strips(axes, strips, 2, SIZE, LENGTH)
    assert (cells(axes, 3, 4)[1] == 255).all()
    (text,) = axes.texts
    assert text.get_text() == "not run"
    assert text.get_position()[1] == pytest.approx(CELL + SIZE / 2)


def test_rows_that_are_there_say_nothing(axes):
    film_strips(axes, [("one", video(0))], 2, SIZE, LENGTH)
    assert len(axes.texts) == 0


def test_a_message_says_its_text():
    figure = message("nothing was run")
    assert [text.get_text() for text in figure.axes[0].texts] == ["nothing was run"]


def counting(width=2.0, height=1.0):
    """A figure whose background shows the step, and the steps so far."""
    figure, steps = plt.figure(figsize=(width, height)), []

    def update(step):
        steps.append(step)
        figure.set_facecolor((step / 10, 0, 1 - step / 10))

    return figure, steps, update


def test_a_recording_has_a_picture_of_every_step():
    figure, steps, update = counting()
    pictures = record(figure, update, 4)
    assert steps == [0, 1, 2, 3] and len(pictures) == 4
    expected = [[25.5 * step, 0, 255 - 25.5 * step] for step in range(4)]
    assert np.abs(pictures[:, 5, 5] - np.array(expected)).max() <= 1


@pytest.mark.parametrize("size", [(2.0, 1.0), (2.01, 1.01), (1.993, 1.007)])
def test_height_and_width_of_a_recording_are_even(size):
    pictures = record(*counting(*size)[::2], 1)
    assert pictures.shape[1] % 2 == pictures.shape[2] % 2 == 0
    assert abs(pictures.shape[2] - 150 * size[0]) <= 2
    assert abs(pictures.shape[1] - 150 * size[1]) <= 2


def test_a_recorded_figure_is_closed():
    figure, _, update = counting()
    record(figure, update, 1)
    assert not plt.fignum_exists(figure.number)


def test_nothing_jumps_while_recording():
    figure, axes = plt.subplots()
    places = []

    def update(step):
        places.append(axes.get_position().bounds)
        axes.set_ylabel("a long name\n" * step)

    record(figure, update, 4)
    assert places[1] == places[2] == places[3] != places[0]


@pytest.fixture
def pictures():
    """Squares of different colours that wander over grey."""
    made = np.full((6, 64, 96, 3), 178, np.uint8)
    for step, color in enumerate([(173, 146, 0), (173, 0, 0), (0, 146, 0)] * 2):
        made[step, 8:40, 8 * step : 8 * step + 32] = color
    return made


def shown(path):
    """Pictures of a GIF."""
    with Image.open(path) as image:
        frames = []
        for number in range(image.n_frames):
            image.seek(number)
            frames.append(np.asarray(image.convert("RGB")))
        return np.stack(frames)


def played(path):
    """Pictures of a video."""
    reader = imageio_ffmpeg.read_frames(str(path))
    meta = next(reader)
    width, height = meta["size"]
    frames = [np.frombuffer(f, np.uint8).reshape(height, width, 3) for f in reader]
    return np.stack(frames), meta


def test_a_gif_has_every_picture_in_its_colours(pictures, tmp_path):
    save_animation(pictures, [tmp_path / "a.gif"])
    found = shown(tmp_path / "a.gif")
    assert found.shape == pictures.shape
    assert np.abs(found.astype(int) - pictures).max() <= 3


def test_a_gif_loops_at_its_pace(pictures, tmp_path):
    save_animation(pictures, [tmp_path / "a.gif"])
    with Image.open(tmp_path / "a.gif") as image:
        assert image.info["loop"] == 0
        assert image.info["duration"] == 1000 / FRAMES_PER_SECOND


def test_a_gif_in_which_nothing_moves_lasts_as_long(pictures, tmp_path):
    still = pictures[[0, 1, 1, 1, 2]]
    save_animation(still, [tmp_path / "a.gif"])
    with Image.open(tmp_path / "a.gif") as image:
        total = 0
        for number in range(image.n_frames):
            image.seek(number)
            total += image.info["duration"]
    assert total == 1000 * len(still) / FRAMES_PER_SECOND


def test_a_video_has_every_picture_nearly_in_its_colours(pictures, tmp_path):
    save_animation(pictures, [tmp_path / "a.mp4"])
    found, meta = played(tmp_path / "a.mp4")
    assert found.shape == pictures.shape and meta["fps"] == FRAMES_PER_SECOND
    difference = np.abs(found.astype(int) - pictures)
    assert difference.mean() < 4 and np.median(difference) <= 3


def test_a_video_is_of_the_kind_that_browsers_play(pictures, tmp_path):
    save_animation(pictures, [tmp_path / "a.mp4"])
    _, meta = played(tmp_path / "a.mp4")
    assert meta["codec"] == "h264" and meta["pix_fmt"].startswith("yuv420p")
    content = (tmp_path / "a.mp4").read_bytes()
    assert 0 < content.find(b"moov") < content.find(b"mdat")  # plays while it loads


def test_a_page_holds_the_video_and_nothing_from_elsewhere(pictures, tmp_path):
    save_animation(pictures, [tmp_path / "a.mp4", tmp_path / "a.html"])
    text = (tmp_path / "a.html").read_text("utf-8")
    (video,) = re.findall(r'src="data:video/mp4;base64,([^"]*)"', text)
    assert base64.b64decode(video) == (tmp_path / "a.mp4").read_bytes()
    assert text.count("<video") == text.count("</video>") == text.count("src=") == 1
    assert text.startswith("<!DOCTYPE html>") and "http" not in text


@pytest.mark.parametrize("kind", ["gif", "mp4", "html"])
def test_a_single_picture_is_an_animation_too(pictures, tmp_path, kind):
    save_animation(pictures[:1], [tmp_path / f"a.{kind}"])
    assert (tmp_path / f"a.{kind}").stat().st_size > 0


@pytest.mark.parametrize("kind", ["gif", "mp4", "html"])
def test_equal_pictures_are_equal_files(pictures, tmp_path, kind):
    paths = [tmp_path / name / f"a.{kind}" for name in ("one", "other")]
    for path in paths:
        save_animation(pictures, [path])
    assert paths[0].read_bytes() == paths[1].read_bytes()


def test_nothing_is_left_beside_the_animations(pictures, tmp_path):
    names = ["a.gif", "a.html", "a.mp4"]
    save_animation(pictures, map(str, (tmp_path / name for name in names)))
    assert sorted(path.name for path in tmp_path.iterdir()) == names


@pytest.mark.parametrize("name", ["a.avi", "a", "a.GIF"])
def test_an_unknown_format_is_named_before_anything_is_written(
    pictures, tmp_path, name
):
    kind = Path(name).suffix
    with pytest.raises(ValueError, match=f"'{kind}'; it must be .gif, .mp4, .html"):
        save_animation(pictures, [tmp_path / "a.gif", tmp_path / name])
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_to_is_named(pictures, tmp_path):
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(ValueError, match=r"Cannot write .*a\.gif"):
        save_animation(pictures, [tmp_path / "file" / "a.gif"])
