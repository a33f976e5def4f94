import json

import h5py
import numpy as np
import pytest
import torch
from damage import edited
from safetensors.torch import save_file
from simulated import SIMULATED
from stored import write_errors, write_trajectories

from hgnpipe.data.rendering import render
from hgnpipe.data.videos import (
    count_trajectories,
    load_splits,
    load_trajectories,
    open_videos,
    render_videos,
)
from hgnpipe.evaluation.kept import load_errors

SIZE = 8


@pytest.fixture
def source(tmp_path):
    write_trajectories(tmp_path / "trajectories.h5")
    return tmp_path / "trajectories.h5"


@pytest.fixture
def target(tmp_path):
    return tmp_path / "made" / "videos.h5"


def rendered(source, target, **arguments):
    """Render all, and say how many videos came at a time."""
    return list(render_videos(source, target, SIZE, **arguments))


@pytest.mark.parametrize("name", SIMULATED)
def test_trajectories_come_back_as_they_were(tmp_path, name):
    system, trajectories = write_trajectories(tmp_path / "a.h5", name, noise_std=0.07)
    loaded = load_trajectories(tmp_path / "a.h5")
    assert loaded.system == system
    for one, other in zip(loaded.trajectories, trajectories, strict=True):
        np.testing.assert_array_equal(one, other)
    assert count_trajectories(tmp_path / "a.h5") == 5


def test_errors_come_back_as_they_were(tmp_path):
    errors = write_errors(tmp_path / "errors.h5")
    loaded = load_errors(tmp_path / "errors.h5")
    assert sorted(loaded) == ["test", "train"]
    for one, other in zip(loaded["train"], errors, strict=True):
        np.testing.assert_array_equal(one, other)
    np.testing.assert_array_equal(loaded["test"].kl, errors.kl + 1)


def test_videos_are_the_noisy_positions_drawn(source, target):
    rendered(source, target)
    system, trajectories, _ = load_trajectories(source)
    expected = render(system, trajectories.q_noisy, SIZE)
    np.testing.assert_array_equal(open_videos(target).frames, expected)


def test_videos_know_their_time_step(source, target):
    rendered(source, target)
    assert open_videos(target).frame_dt == 0.1


@pytest.mark.parametrize("file", ["trajectories", "videos"])
def test_a_file_carries_what_made_it(source, target, file):
    rendered(source, target)
    with h5py.File(source if file == "trajectories" else target) as opened:
        attributes = dict(opened.attrs)
    assert attributes["format"] == f"hgnpipe {file} 2"
    origin = [attributes[key] for key in ("system", "seed", "split")]
    assert origin == ["pendulum", 3, "test"]
    assert json.loads(attributes["options"])["noise_std"] == 0.1
    assert {"hgnpipe", "numpy", "scipy"} <= set(json.loads(attributes["versions"]))


def test_any_hdf5_reader_finds_trajectories_and_videos(source, target):
    rendered(source, target)
    with h5py.File(source) as trajectories, h5py.File(target) as videos:
        shapes = {name: values.shape for name, values in trajectories.items()}
        frames = videos["frames"][:]
    state = (5, 4, 1)
    assert shapes == {
        "t": (4,),
        **dict.fromkeys(("q", "p", "q_noisy", "p_noisy"), state),
    }
    assert frames.shape == (5, 4, SIZE, SIZE, 3) and frames.dtype == np.uint8


def test_memory_mapped_frames_are_those_of_the_dataset(source, target):
    rendered(source, target)
    frames = open_videos(target).frames
    assert isinstance(frames, np.memmap) and not frames.flags.writeable
    with h5py.File(target) as file:
        np.testing.assert_array_equal(frames, file["frames"][:])


@pytest.mark.parametrize("chunk", [1, 2, 5])
def test_rendering_in_chunks_is_rendering_at_once(source, target, tmp_path, chunk):
    counts = rendered(source, target, chunk=chunk)
    rendered(source, tmp_path / "at_once.h5")
    assert sum(counts) == 5 and max(counts) == chunk
    assert target.read_bytes() == (tmp_path / "at_once.h5").read_bytes()


def test_the_same_inputs_give_the_same_bytes(source, tmp_path):
    write_trajectories(tmp_path / "again.h5")
    assert (tmp_path / "again.h5").read_bytes() == source.read_bytes()


def test_a_rendering_that_is_closed_midway_leaves_nothing(source, target):
    rendering = render_videos(source, target, SIZE, chunk=2)
    next(rendering)
    assert list(target.parent.iterdir()) != []
    rendering.close()
    assert list(target.parent.iterdir()) == []


def test_a_rendering_that_fails_midway_leaves_nothing(source, target, monkeypatch):
    calls = []

    def render_once(system, q, image_size):
        if calls:
            raise MemoryError
        calls.append(len(q))
        return render(system, q, image_size)

    monkeypatch.setattr("hgnpipe.data.videos.render", render_once)
    with pytest.raises(MemoryError):
        rendered(source, target, chunk=2)
    assert calls == [2] and list(target.parent.iterdir()) == []


def test_a_rendering_that_is_interrupted_keeps_the_old_file(source, target):
    rendered(source, target)
    before = target.read_bytes()
    rendering = render_videos(source, target, SIZE, chunk=2)
    next(rendering)
    rendering.close()
    assert target.read_bytes() == before


READERS = [load_trajectories, count_trajectories, open_videos, load_errors]
WRITERS = {
    "trajectories": write_trajectories,
    "errors": write_errors,
    "text": lambda path: path.write_text("q,p\n1,2\n"),
    "empty": lambda path: path.write_bytes(b""),
    "other HDF5": lambda path: h5py.File(path, "w").close(),
    "safetensors": lambda path: save_file({"q": torch.ones(3)}, path),
}


def one_line(error, *words):
    text = str(error.value)
    assert "\n" not in text
    for word in words:
        assert str(word) in text


@pytest.mark.parametrize("read", READERS)
def test_a_missing_file_is_named(tmp_path, read):
    with pytest.raises(ValueError) as error:
        read(tmp_path / "gone.h5")
    one_line(error, tmp_path / "gone.h5", "does not exist")


@pytest.mark.parametrize("read", READERS)
@pytest.mark.parametrize("kind", ["text", "empty", "safetensors"])
def test_a_file_that_is_no_hdf5_is_named(tmp_path, read, kind):
    WRITERS[kind](tmp_path / "other")
    with pytest.raises(ValueError) as error:
        read(tmp_path / "other")
    what = {"safetensors": "safetensors of another program"}.get(kind, kind)
    one_line(error, f"{tmp_path / 'other'} is {what}; expected 'hgnpipe ")


@pytest.mark.parametrize(
    ("read", "kind"),
    [
        (load_trajectories, "errors"), (load_trajectories, "other HDF5"),
        (open_videos, "trajectories"), (load_errors, "trajectories"),
    ],
)  # fmt: skip
def test_a_file_of_another_kind_is_named_with_both_kinds(tmp_path, read, kind):
    WRITERS[kind](tmp_path / "other.h5")
    with pytest.raises(ValueError) as error:
        read(tmp_path / "other.h5")
    one_line(error, tmp_path / "other.h5", "expected 'hgnpipe")


@pytest.mark.parametrize("share", [0.1, 0.5, 0.99])
@pytest.mark.parametrize("kind", ["trajectories", "videos"])
def test_a_truncated_file_is_named(source, target, kind, share):
    rendered(source, target)
    path, read = {
        "trajectories": (source, load_trajectories),
        "videos": (target, open_videos),
    }[kind]
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(ValueError) as error:
        read(path)
    one_line(error, path, "damaged")


def test_videos_that_cannot_be_mapped_are_named(source, target):
    rendered(source, target)
    with edited(target) as file:
        frames = file["frames"][:]
        del file["frames"]
        file.create_dataset("frames", data=frames, compression="gzip")
    with pytest.raises(ValueError) as error:
        open_videos(target)
    one_line(error, target, "uncompressed uint8")


@pytest.mark.parametrize("read", [load_trajectories, open_videos])
def test_a_file_without_its_arrays_is_named(source, target, read):
    rendered(source, target)
    path, lost = {load_trajectories: (source, "q"), open_videos: (target, "frames")}[
        read
    ]
    with edited(path) as file:
        del file[lost]
    with pytest.raises(ValueError) as error:
        read(path)
    one_line(error, path, lost)


def test_a_picture_that_is_too_small_leaves_nothing(source, target):
    with pytest.raises(ValueError, match="image_size is 4; it must be 8 or more"):
        list(render_videos(source, target, 4))
    assert list(target.parent.iterdir()) == []


def test_splits_bring_the_first_videos_and_their_motion(source, target):
    rendered(source, target)
    (split,) = load_splits([target], [source], 2)
    motion = load_trajectories(source)
    assert split.name == motion.attributes["split"]
    np.testing.assert_array_equal(split.frames, open_videos(target).frames[:2])
    np.testing.assert_array_equal(split.q, motion.trajectories.q[:2])
    noisy = motion.trajectories.q_noisy[:2]
    np.testing.assert_array_equal(split.draw(noisy - split.q), split.frames)


@pytest.mark.parametrize("num", [0, -1])
def test_a_number_of_videos_that_is_none_is_refused(source, target, num):
    rendered(source, target)
    with pytest.raises(ValueError, match=f"^num is {num}; it must be 1 or more.$"):
        open_videos(target, num)


def test_videos_of_another_motion_are_refused(source, target, tmp_path):
    rendered(source, target)
    with edited(source) as file:
        file.attrs["seed"] = 99
    with pytest.raises(ValueError, match="do not belong together: seed is"):
        next(load_splits([target], [source], 2))
