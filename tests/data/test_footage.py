import subprocess

import h5py
import imageio_ffmpeg
import numpy as np
import pytest
from PIL import Image

from hgnpipe.data.footage import as_rgb, read_footage

NUM, LENGTH, HEIGHT, WIDTH = 3, 5, 20, 32


@pytest.fixture
def videos():
    """Smooth pictures that move, so that films keep them nearly as they are."""
    x, y = np.meshgrid(np.linspace(0, 3, WIDTH), np.linspace(0, 2, HEIGHT))
    t = np.arange(NUM * LENGTH).reshape(NUM, LENGTH, 1, 1) / 4
    channels = [np.sin(x + t), np.cos(y - t), np.sin(x - y + 2 * t)]
    return np.round(127 + 100 * np.stack(channels, axis=-1)).astype(np.uint8)


def write_film(path, frames, *options):
    height, width = frames.shape[1:3]
    writer = imageio_ffmpeg.write_frames(
        str(path), (width, height), macro_block_size=1, output_params=["-crf", "8"],
        pix_fmt_out="yuv444p",
    )  # fmt: skip
    writer.send(None)
    for frame in frames:
        writer.send(np.ascontiguousarray(frame))
    writer.close()


def only(path, **options):
    ((name, frames),) = read_footage(path, **options)
    return name, frames


def test_arrays_are_read_as_they_are(tmp_path, videos):
    np.save(tmp_path / "v.npy", videos)
    names, read = zip(*read_footage(tmp_path / "v.npy"), strict=True)
    assert names == ("v.npy[0]", "v.npy[1]", "v.npy[2]")
    np.testing.assert_array_equal(np.stack(read), videos)


@pytest.mark.parametrize(
    ("make", "scale"),
    [
        (lambda v: v / 255, 1),
        (lambda v: (v / 255).astype(np.float32), 1),
        (lambda v: v.astype(np.uint16) * 257, 1),
        (lambda v: np.concatenate([v, np.full_like(v[..., :1], 255)], -1), 1),
        (lambda v: np.concatenate([v, np.full_like(v[..., :1], 51)], -1), 0.2),
    ],
)
def test_numbers_of_other_types_are_scaled_by_their_type(tmp_path, videos, make, scale):
    np.savez(tmp_path / "v.npz", anything=make(videos))
    read = np.stack([frames for _, frames in read_footage(tmp_path / "v.npz")])
    assert read.dtype == np.uint8
    np.testing.assert_allclose(read, videos * scale, atol=0.51)


@pytest.mark.parametrize("grey", [lambda v: v[..., 0], lambda v: v[..., :1]])
def test_grey_videos_get_three_equal_channels(videos, grey):
    read = as_rgb(grey(videos), "v")
    for channel in range(3):
        np.testing.assert_array_equal(read[..., channel], videos[..., 0])


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.zeros((2, 3, 4), np.uint8), r"shape \(2, 3, 4\); videos must be \(N, T"),
        (np.zeros((5, 8, 8, 3), np.uint8), r"\(5, 8, 8, 3\)"),
        (np.zeros((1, 5, 8, 8, 2), np.uint8), "C = 1, 3 or 4"),
        (np.zeros((0, 5, 8, 8), np.uint8), r"\(0, 5, 8, 8\)"),
        (
            np.full((1, 5, 8, 8), 255.0),
            "from 255 to 255; floats must lie within 0",
        ),
        (np.full((1, 5, 8, 8), -0.1), "-0.1"),
        (np.full((1, 5, 8, 8), np.nan), "nan"),
        (np.zeros((1, 5, 8, 8), np.int64), "int64; it must be uint8"),
        (np.zeros((1, 5, 8, 8), bool), "bool"),
    ],
)
def test_what_would_have_to_be_guessed_is_refused(tmp_path, array, message):
    np.save(tmp_path / "v.npy", array)
    with pytest.raises(ValueError, match=f"v.npy .*{message}"):
        list(read_footage(tmp_path / "v.npy"))


def test_hdf5_of_others_is_read_by_its_key(tmp_path, videos):
    with h5py.File(tmp_path / "v.h5", "w") as file:
        file["train/pixels"] = videos
        file["train/states"] = np.zeros((NUM, LENGTH))
    assert len([*read_footage(tmp_path / "v.h5")]) == NUM
    with h5py.File(tmp_path / "v.h5", "a") as file:
        file["test"] = videos[::-1]
    with pytest.raises(ValueError, match=r"key of .*v.h5 is None.*test, train/pixels"):
        list(read_footage(tmp_path / "v.h5"))
    first = next(read_footage(tmp_path / "v.h5", key="test")).frames
    np.testing.assert_array_equal(first, videos[-1])
    with pytest.raises(ValueError, match=r"'train'.*test, train/pixels"):
        list(read_footage(tmp_path / "v.h5", key="train"))


@pytest.mark.parametrize("kind", ["mp4", "avi", "mkv"])
def test_films_of_odd_sizes_are_read(tmp_path, videos, kind):
    shown = videos[0][:, :19, :31]
    write_film(tmp_path / f"v.{kind}", shown)
    name, frames = only(tmp_path / f"v.{kind}")
    assert name == f"v.{kind}" and frames.shape == shown.shape
    assert abs(frames.astype(int) - shown).mean() < 4


def test_a_film_that_was_taken_upright_is_read_upright(tmp_path, videos):
    write_film(tmp_path / "v.mp4", videos[0])
    turned = [imageio_ffmpeg.get_ffmpeg_exe(), "-display_rotation", "90", "-i"]
    subprocess.run(
        [*turned, tmp_path / "v.mp4", "-c", "copy", tmp_path / "w.mp4"],
        check=True, capture_output=True,
    )  # fmt: skip
    _, frames = only(tmp_path / "w.mp4")
    upright = np.rot90(videos[0], 1, axes=(1, 2))
    assert frames.shape == upright.shape
    assert abs(frames.astype(int) - upright).mean() < 4


def test_a_gif_with_a_palette_is_read(tmp_path, videos):
    pictures = [Image.fromarray(frame).quantize(256) for frame in videos[0]]
    pictures[0].save(tmp_path / "v.gif", save_all=True, append_images=pictures[1:])
    _, frames = only(tmp_path / "v.gif")
    assert frames.shape == videos[0].shape
    assert abs(frames.astype(int) - videos[0]).mean() < 6


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P", "L", "I;16"])
def test_a_folder_of_pictures_is_one_video_in_the_order_of_names(
    tmp_path, videos, mode
):
    folder = tmp_path / "run"
    folder.mkdir()
    grey = np.repeat(videos[0][..., :1], 3, axis=-1)
    for number, frame in reversed([*enumerate(grey)]):
        if mode == "I;16":
            image = Image.fromarray(frame[..., 0].astype(np.uint16) * 257)
        else:
            image = Image.fromarray(frame)
            image = image.quantize(256) if mode == "P" else image.convert(mode)
        image.save(folder / f"{number:03}.png")
    name, frames = only(folder)
    assert name == "run"
    np.testing.assert_allclose(frames, grey, atol=8 if mode == "P" else 1)


def test_folders_and_patterns_hold_several_videos_of_several_kinds(tmp_path, videos):
    (tmp_path / "all/pictures").mkdir(parents=True)
    np.save(tmp_path / "all/a.npy", videos[:1])
    write_film(tmp_path / "all/b.mp4", videos[1][:3])
    Image.fromarray(videos[2][0]).save(tmp_path / "all/pictures/1.png")
    (tmp_path / "all/notes.txt").write_text("not a video")
    found = {name: len(frames) for name, frames in read_footage(tmp_path / "all")}
    assert found == {"all/a.npy": LENGTH, "all/b.mp4": 3, "all/pictures": 1}
    assert [name for name, _ in read_footage(tmp_path / "all/*.*[y4]")] == [
        "a.npy", "b.mp4",
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["v.mp4", "v.gif", "v.npy", "v.npz", "v.h5", "run"])
@pytest.mark.parametrize("content", [b"", b"this is not what the name says" * 40])
def test_a_broken_file_is_named_in_one_line(tmp_path, name, content):
    path = tmp_path / name
    if name == "run":
        path.mkdir()
        path = path / "1.png"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=rf"{path.name}.* cannot be read") as error:
        list(read_footage(tmp_path / name))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("nothing.mp4", "does not exist"),
        ("notes.txt", "is no video; it must be .npy.*.mp4"),
        ("*.mp4", "one that finds files"),
        ("empty", "one that holds .npy"),
    ],
)
def test_where_there_are_no_videos_it_says_what_would_be(tmp_path, name, message):
    (tmp_path / "notes.txt").write_text("?")
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match=message):
        list(read_footage(tmp_path / name))


def test_pictures_of_different_sizes_are_no_video(tmp_path):
    for number, size in enumerate([(8, 9), (8, 10)]):
        Image.new("RGB", size).save(tmp_path / f"{number}.png")
    with pytest.raises(ValueError, match=r"1.png is 8x10 pixels, 0.png 8x9"):
        list(read_footage(tmp_path))
