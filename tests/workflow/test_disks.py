"""Trainings and other jobs on disks that fill up, break, or run out of memory.

Whatever it is, the user is told in one line, the last checkpoint stays, and the same
command goes on from there.
"""

import errno
import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from command_lines import command_line
from pipeline import environment, weights_in
from safetensors import safe_open

from hgnpipe.data.simulation import simulate
from hgnpipe.data.videos import render_videos, save_trajectories
from hgnpipe.systems import build_system
from hgnpipe.training.checkpoint import Claim

pytestmark = pytest.mark.slow

FULL, READ_ONLY = os.strerror(errno.ENOSPC), os.strerror(errno.EROFS)
NUM_ITERATIONS = 30
FIT = {"num_iterations": NUM_ITERATIONS, "batch_size": 2000, "learning_rate": 1e-3}
FIT |= {"log_every": 1, "checkpoint_every": 1}  # checkpoints of 1.9 MB
LIMITED = """
import resource, runpy, sys
import psutil
import torch._dynamo  # which Adam imports when it is made
import hgnpipe.data.videos, hgnpipe.models.pixelhnn
import hgnpipe.runtime.command, hgnpipe.training.job

limit = psutil.Process().memory_info().vms + 20_000_000
resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


def training(videos, folder):
    options = {
        "videos": videos,
        "model": {
            "family": "pixelhnn",
            "options": {"latent_size": 2, "hidden_size": 50},
            "training": FIT,
        },
        "num_frames": 5,
        "seed": 0,
        "output": folder,
        "checkpoint": folder / "checkpoint.safetensors",
        "device": "cpu",
    }
    return command_line("train", options)


def started(words, *python):
    return subprocess.Popen(
        [sys.executable, *python, *words],
        env=environment(HGNPIPE_TRACEBACK=""),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def refusal(process):
    """The one line in which a job says why it ends."""
    _, text = process.communicate()
    *progress, line = text.splitlines()
    assert process.returncode == 1 and line.startswith("Error: "), text
    assert all(re.match("train |simulate |render ", line) for line in progress), text
    return line.removeprefix("Error: ")


def finishes(words):
    """What a job says that comes to its end."""
    process = started(words)
    _, text = process.communicate()
    assert process.returncode == 0, text
    return text


def until_checkpoint(process, folder):
    """Wait until a training has saved its first checkpoint."""
    while not (folder / "checkpoint.safetensors").exists():
        assert process.poll() is None, process.stderr.read()
        time.sleep(0.01)
    return process


def done_in(folder):
    """Iterations that the checkpoint in a folder has done."""
    with safe_open(folder / "checkpoint.safetensors", "pt") as file:
        return json.loads(file.metadata()["history"])[-1]["iteration"]


def trained(folder):
    """Files of a finished training, its history, and its weights."""
    weights = weights_in(folder / "model.safetensors")
    names = sorted(path.name for path in folder.iterdir())
    return names, (folder / "history.csv").read_bytes(), weights


@pytest.fixture(scope="module")
def videos(tmp_path_factory):
    """Training videos, and trajectories beside them."""
    folder = tmp_path_factory.mktemp("data")
    path, system = folder / "trajectories.h5", build_system("mass_spring")
    motion = simulate(system, 300, 5, 0, "train")
    save_trajectories(
        path, motion, name="mass_spring", system=system, seed=0, split="train"
    )
    for _ in render_videos(path, folder / "videos.h5", 16):
        pass
    return folder / "videos.h5"


@pytest.fixture(scope="module")
def undisturbed(videos, tmp_path_factory):
    """What a training gives to which nothing happens."""
    folder = tmp_path_factory.mktemp("undisturbed")
    assert "resumes" not in finishes(training(videos, folder))
    return trained(folder)


def mount(folder, options):
    words = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
    return subprocess.run(words, capture_output=True, text=True)


@pytest.fixture
def disk(tmp_path):
    """A small file system of its own."""
    folder = tmp_path / "disk"
    folder.mkdir()
    done = mount(folder, "size=3m") if shutil.which("mount") else None
    if done is None or done.returncode != 0:
        why = "no mount" if done is None else done.stderr.strip()
        pytest.skip(f"No file system can be mounted here: {why}")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


def remount(disk, options):
    """Change a file system; waits for a file that is being written."""
    deadline = time.monotonic() + 20
    while (done := mount(disk, f"remount,{options}")).returncode != 0:
        assert time.monotonic() < deadline, done.stderr
        time.sleep(0.002)


SIZES = {"num_train": 9000, "num_validation": 10, "num_test": 10}
POINTS = {"kind": "modes", "options": {"num_modes": 3}, "sizes": SIZES, "seed": 0}
MOTION = {"num": 600, "num_frames": 5, "seed": 0, "split": "train"}


@pytest.mark.parametrize("name", ["simulate", "render", "draw_points"])
def test_a_disk_that_fills_up_is_named_and_the_job_can_be_repeated(videos, disk, name):
    made, target = videos.with_name("trajectories.h5"), disk / "made.h5"
    options = {
        "simulate": {"kind": "mass_spring", "options": {}, **MOTION},
        "render": {"trajectories": made, "image_size": 16},
        "draw_points": POINTS,
    }
    words = command_line(name, {**options[name], "output": target})
    remount(disk, "size=64k")
    assert refusal(started(words)) == f"Cannot write {target}: {FULL}."
    assert list(disk.iterdir()) == []
    remount(disk, "size=3m")
    finishes(words)
    assert list(disk.iterdir()) == [target]


def kept(disk):
    """Files of a training that is not over, but for its curves as far as they got."""
    return {*disk.iterdir()} - {disk / "checkpoint.csv"}


def test_a_training_goes_on_once_a_full_disk_has_space_again(videos, disk, undisturbed):
    words = training(videos, disk)
    checkpoint = disk / "checkpoint.safetensors"
    assert refusal(started(words)) == f"Cannot write {checkpoint}: {FULL}."
    assert kept(disk) == {checkpoint, Claim.mark(checkpoint)}
    assert done_in(disk) == 1
    remount(disk, "size=9m")
    assert f"resumes after 1 of {NUM_ITERATIONS}" in finishes(words)
    assert trained(disk) == undisturbed


def test_a_training_goes_on_once_a_read_only_disk_can_be_written_again(
    videos, disk, undisturbed
):
    words = training(videos, disk)
    checkpoint = disk / "checkpoint.safetensors"
    remount(disk, "size=9m")
    running = until_checkpoint(started(words), disk)
    remount(disk, "ro")
    for process in [running, started(words)]:  # the second does not even begin
        assert refusal(process) == f"Cannot write {checkpoint}: {READ_ONLY}."
    assert kept(disk) == {checkpoint, Claim.mark(checkpoint)}
    assert done_in(disk) < NUM_ITERATIONS
    remount(disk, "rw")
    assert "resumes after" in finishes(words)
    assert trained(disk) == undisturbed


def test_a_training_without_memory_says_so_and_the_next_attempt_goes_on(
    videos, tmp_path, undisturbed
):
    words = training(videos, tmp_path)
    with until_checkpoint(started(words), tmp_path) as running:
        running.kill()
    done = done_in(tmp_path)
    line = refusal(started(words, "-c", LIMITED))
    assert re.match("Out of memory: .*(Unable to|can.t) allocate", line), line
    assert done_in(tmp_path) == done < NUM_ITERATIONS
    assert f"resumes after {done} of" in finishes(words)
    assert trained(tmp_path) == undisturbed


def test_videos_that_vanish_while_they_are_used_do_no_harm(
    videos, tmp_path, undisturbed
):
    copy, folder = Path(shutil.copy(videos, tmp_path)), tmp_path / "run"
    running = until_checkpoint(started(training(copy, folder)), folder)
    copy.unlink()
    _, text = running.communicate()
    assert running.returncode == 0, text
    assert trained(folder) == undisturbed
    assert refusal(started(training(copy, folder))) == f"{copy} does not exist."
