"""What happens to files of every kind when a byte of them changes."""

import fcntl
import functools
import os
import pickle
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import h5py
import numpy as np
import pytest
import torch
from damage import pickle_that_touches
from PIL import Image
from safetensors.torch import save_file
from stored import write_errors, write_trajectories
from torch import nn

from hgnpipe import flows, models
from hgnpipe.data import extended, points
from hgnpipe.data import videos as data
from hgnpipe.evaluation import kept
from hgnpipe.files.hdf5 import HEADER_SIZE, stamp
from hgnpipe.files.tensors import load_tensors, save_tensors

ADVICE = "Delete it if a rule made it: `snakemake` makes it again."
MODEL = {"image_size": 8, "latent_size": 2, "hidden_size": 4}
FLOW = {"num_dims": 2, "num_steps": 1, "hidden_size": 4}


def write_videos(path):
    source = path.with_name("source.h5")
    write_trajectories(source, num=3)
    list(data.render_videos(source, path, 8))


def write_motion(path):
    system, known = write_trajectories(path.with_name("source.h5"), num=3)
    of = {"system": "pendulum", "options": "{}", "seed": 3, "split": "test"}
    extended.save_motion(path, extended.extend(system, known, 2, 3), of)


def write_points(path):
    sizes = {"train": 6, "validation": 4, "test": 5}
    drawn = points.draw_points("modes", {"num_modes": 3}, sizes, 0)
    points.save_points(path, drawn, {"kind": "modes", "seed": 0})


def write_films(path):
    film = kept.Film(*np.random.default_rng(0).integers(0, 256, (6, 2, 4, 4, 3), "u1"))
    kept.save_films(path, {"train": film}, np.zeros((0, 2, 4, 4, 3), np.uint8))


def write_portrait(path):
    square = np.eye(3, dtype=np.float32)
    step = kept.Step(square, square + 1, 2.5, np.ones((1, 2)))
    samples, paths = np.ones((4, 2), np.float32), np.ones((4, 2, 2), np.float32)
    portrait = kept.Portrait(3.5, square, samples, paths, (step,))
    kept.save_portrait(path, portrait)


def write_model(path):
    model = models.build_model("pixelhnn", **MODEL)
    models.save_model(model, path, family="pixelhnn", options=MODEL)


def write_flow(path):
    flow = flows.build_flow("nhf", **FLOW)
    flows.save_flow(flow, path, family="nhf", options=FLOW)


def write_checkpoint(path):
    numbers = torch.arange(600.0)
    tensors = {"a": numbers, "b": numbers.bfloat16(), "step": torch.tensor(3.0)}
    save_tensors(path, tensors, "hgnpipe checkpoint 1", {"identity": "{}"})


KINDS = {
    "trajectories": (write_trajectories, data.load_trajectories),
    "videos": (write_videos, data.open_videos),
    "motion": (write_motion, extended.load_motion),
    "points": (write_points, points.load_points),
    "films": (write_films, kept.load_films),
    "portrait": (write_portrait, kept.load_portrait),
    "errors": (write_errors, kept.load_errors),
    "model": (write_model, models.load_model),
    "flow": (write_flow, flows.load_flow),
    "checkpoint": (
        write_checkpoint,
        lambda path: load_tensors(path, "hgnpipe checkpoint 1"),
    ),
}
HDF5 = [*KINDS][:7]
FORMATS = {"motion": extended.MOTION, "flow": flows.FORMAT}
every_kind = pytest.mark.parametrize("kind", KINDS)


def content(value):
    """All that was read, to be compared."""
    if isinstance(value, nn.Module):
        return type(value), content(dict(value.state_dict()))
    if isinstance(value, dict):
        return [(name, content(part)) for name, part in sorted(value.items())]
    if isinstance(value, (list, tuple)):
        return [content(part) for part in value]
    if isinstance(value, torch.Tensor):
        value = value.reshape(-1).view(torch.uint8).numpy()
    if isinstance(value, np.ndarray):
        return value.dtype, value.shape, value.tobytes()
    return repr(value)


@functools.cache
def whole_file(kind):
    """Bytes of a file of a kind, and what is in it."""
    write, read = KINDS[kind]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "whole.file")
        write(path)
        return path.read_bytes(), content(read(path))


def written(tmp_path, kind):
    """File of a kind, how to read it, and what is in it."""
    path, (whole, held) = tmp_path / f"{kind}.file", whole_file(kind)
    path.write_bytes(whole)
    return path, KINDS[kind][1], held


def refused_or_same(path, read, expected):
    """Whether a file is refused, in a line with its name; if not, nothing is lost."""
    try:
        found = content(read(path))
    except ValueError as error:
        assert str(path) in str(error) and "\n" not in str(error), error
        return True
    assert found == expected
    return False


def places(size):
    """Bytes of every region of a file, its beginning and end more densely."""
    rng = np.random.default_rng(0)
    beginning, end = range(0, min(size, 600), 6), range(max(0, size - 50), size)
    return sorted({*beginning, *end, *rng.integers(0, size, 150).tolist()})


@every_kind
def test_a_flipped_bit_is_found_wherever_it_is(tmp_path, kind):
    path, read, expected = written(tmp_path, kind)
    whole = path.read_bytes()
    for place in places(len(whole)):
        bad = bytearray(whole)
        bad[place] ^= 1 << (place % 8)
        path.write_bytes(bad)
        refused = refused_or_same(path, read, expected)
        assert refused or kind not in HDF5, place


@every_kind
def test_a_file_that_ends_too_early_is_found(tmp_path, kind):
    path, read, expected = written(tmp_path, kind)
    whole = path.read_bytes()
    for left in [0, 1, 8, 100, 511, 512, 513, 0.3, 0.6, 0.9, -1]:
        path.write_bytes(whole[: int(left * len(whole)) if 0 < left < 1 else left])
        assert refused_or_same(path, read, expected), left


@every_kind
def test_a_file_that_goes_on_is_found(tmp_path, kind):
    path, read, expected = written(tmp_path, kind)
    whole = path.read_bytes()
    for more in [b"\0", b"more"]:
        path.write_bytes(whole + more)
        assert refused_or_same(path, read, expected), more


@every_kind
def test_zeros_where_a_disk_lost_a_block_are_found(tmp_path, kind):
    path, read, expected = written(tmp_path, kind)
    whole = path.read_bytes()
    for start in range(0, len(whole), 512):
        lost = whole[:start] + bytes(512) + whole[start + 512 :]
        path.write_bytes(lost[: len(whole)])
        refused_or_same(path, read, expected)


@every_kind
def test_damage_is_reported_with_what_to_do(tmp_path, kind):
    path, read, _ = written(tmp_path, kind)
    whole = path.read_bytes()
    path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    with pytest.raises(ValueError) as error:
        read(path)
    assert str(error.value).startswith(f"{path} is damaged")
    assert str(error.value).endswith(ADVICE)


@pytest.mark.parametrize("kind", HDF5)
def test_another_version_is_named_with_ours_and_what_to_do(tmp_path, kind):
    path, read, _ = written(tmp_path, kind)
    with h5py.File(path) as file:
        ours = file.attrs["format"]

    def refused(theirs):
        with pytest.raises(ValueError) as error:
            read(path)
        expected = f"{path} is a file of format {theirs!r}; expected {ours!r}. {ADVICE}"
        assert str(error.value) == expected

    name, number = ours.rsplit(maxsplit=1)
    newer, older = (f"{name} {int(number) + step}" for step in (1, -1))
    stamp(path, newer)
    refused(newer)
    with h5py.File(path, "w") as file:  # had no checksum
        file.attrs["format"] = older
    refused(older)


@pytest.mark.parametrize("kind", HDF5)
def test_a_file_without_its_checksum_is_not_used(tmp_path, kind):
    path, read, _ = written(tmp_path, kind)
    path.write_bytes(path.read_bytes()[HEADER_SIZE:])
    with pytest.raises(ValueError, match="is damaged or not HDF5 of hgnpipe"):
        read(path)


def test_a_flipped_frame_is_found_by_those_who_use_its_video(tmp_path):
    path, _, _ = written(tmp_path, "videos")
    frames = data.open_videos(path).frames
    bad = bytearray(path.read_bytes())
    place = bad.index(frames[1].tobytes())
    bad[place] ^= 16
    path.write_bytes(bad)
    assert len(data.open_videos(path, 1).frames) == 1
    for num in (2, 3, None):
        with pytest.raises(ValueError, match=r"damaged: video 1 is not what was"):
            data.open_videos(path, num)


def test_the_first_lines_of_a_file_say_what_it_is(tmp_path):
    path, _, _ = written(tmp_path, "videos")
    first, second, _ = path.read_bytes().split(b"\n", 2)
    assert first == b"hgnpipe videos 2" and second.startswith(b"sha256 ")


@pytest.mark.parametrize("kind", ["model", "flow", "checkpoint"])
def test_a_pickle_is_not_opened(tmp_path, kind):
    path, read = tmp_path / "model.safetensors", KINDS[kind][1]
    path.write_bytes(pickle_that_touches(tmp_path / "ran"))
    with pytest.raises(ValueError, match=r"is a ZIP archive, .*; expected 'hgnpipe "):
        read(path)
    assert not (tmp_path / "ran").exists()


def test_the_pickle_of_the_test_would_do_harm(tmp_path):
    (tmp_path / "bad.pt").write_bytes(pickle_that_touches(tmp_path / "ran"))
    code = "import sys, torch; torch.load(sys.argv[1], weights_only=False)"
    subprocess.run([sys.executable, "-c", code, tmp_path / "bad.pt"], check=True)
    assert (tmp_path / "ran").exists()


def npz(path):
    np.savez(path.with_suffix(".npz"), x=np.ones(3))
    path.with_suffix(".npz").rename(path)


def array(path):
    with open(path, "wb") as file:
        np.save(file, np.ones(3))


FOREIGN = {
    "text": lambda path: path.write_text(
        "# Readme\n" + "Grüße \u2713\n" * 1000, "utf-8"
    ),
    "an array of NumPy": array,
    "a ZIP archive": npz,
    "a pickle of Python": lambda path: path.write_bytes(pickle.dumps({"x": [1.0] * 9})),
    "a PNG image": lambda path: Image.new("RGB", (8, 8)).save(path, "PNG"),
    "HDF5 of another program": lambda path: h5py.File(path, "w").close(),
    "safetensors of another program": lambda path: save_file(
        {"x": torch.ones(2)}, path, {"format": "pt"}
    ),
    "a file of format 'hgnpipe videos 2'": write_videos,
    "a file of format 'hgnpipe model 2'": write_model,
}


@pytest.mark.parametrize("kind", ["motion", "flow"])
@pytest.mark.parametrize("what", FOREIGN)
def test_what_is_not_ours_or_something_else_is_named_and_not_to_be_deleted(
    tmp_path, kind, what
):
    path = tmp_path / "mine"
    FOREIGN[what](path)
    with pytest.raises(ValueError) as error:
        KINDS[kind][1](path)
    message, expected = str(error.value), f"expected 'hgnpipe {kind} "
    assert message.startswith(f"{path} is {what}") and expected in message
    assert "elete" not in message and "\n" not in message


@pytest.mark.parametrize("kind", ["motion", "flow"])
def test_bytes_without_meaning_may_be_ours(tmp_path, kind):
    path = tmp_path / "mine"
    for content in (b"", bytes(600), bytes(range(1, 120)), b"hgnpipe mo"):
        path.write_bytes(content)
        with pytest.raises(ValueError) as error:
            KINDS[kind][1](path)
        assert str(error.value).endswith(f"; expected {FORMATS[kind]!r}. {ADVICE}")


@every_kind
def test_no_lock_is_needed_to_read(tmp_path, kind):
    path, read, expected = written(tmp_path, kind)
    with open(path) as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert content(read(path)) == expected


NO_LOCKS = r"""
#include <errno.h>
int flock(int file, int what) { errno = ENOLCK; return -1; }
"""
ROUND_TRIP = """
import fcntl, sys
import numpy as np
from hgnpipe.files.hdf5 import created, opened
from hgnpipe.runtime.gpus import take_gpu

path = sys.argv[1]
try:
    fcntl.flock(sys.stdin, fcntl.LOCK_SH)
except OSError:
    print("no locks")
with created(path, "hgnpipe numbers 1") as file:
    file["x"] = np.arange(3)
with opened(path, "hgnpipe numbers 1") as file:
    print(file["x"][()].tolist(), take_gpu(["0", "1"]) in (0, 1))
"""


@pytest.mark.skipif(shutil.which("cc") is None, reason="a C compiler is needed")
def test_a_disk_without_locks_is_good_enough_to_write_and_to_read(tmp_path):
    source, library = tmp_path / "locks.c", tmp_path / "locks.so"
    source.write_text(NO_LOCKS)
    subprocess.run(["cc", "-shared", "-fPIC", "-o", library, source], check=True)
    done = subprocess.run(
        [sys.executable, "-c", ROUND_TRIP, tmp_path / "x.h5"],
        env={**os.environ, "LD_PRELOAD": str(library)},
        capture_output=True,
        text=True,
    )
    assert done.stdout == "no locks\n[0, 1, 2] True\n", done.stderr
