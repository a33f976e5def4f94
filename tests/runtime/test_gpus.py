import subprocess
import sys

import pytest

from hgnpipe.runtime.gpus import take_gpu, visible_gpus

JOB = """
import sys
from pathlib import Path
from hgnpipe.runtime.gpus import take_gpu
print(take_gpu(["a", "b", "c"], Path(sys.argv[1])), flush=True)
sys.stdin.read()
"""


@pytest.fixture
def start(tmp_path):
    """Start a job that takes a GPU and keeps it; answers its index and the job."""
    jobs = []

    def job():
        jobs.append(
            subprocess.Popen(
                [sys.executable, "-c", JOB, str(tmp_path)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
        )
        return int(jobs[-1].stdout.readline()), jobs[-1]

    yield job
    for process in jobs:
        process.kill()
        process.wait()


def test_as_many_jobs_as_gpus_have_one_each_and_more_are_spread_evenly(start):
    taken = [start()[0] for _ in range(9)]
    assert taken == [0, 1, 2] * 3


def test_the_gpu_of_a_job_that_was_killed_is_free_again(start):
    jobs = [start() for _ in range(3)]
    jobs[1][1].kill()
    jobs[1][1].wait()
    assert start()[0] == 1


def test_places_are_of_one_user_and_machine(monkeypatch, tmp_path):
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path))
    assert take_gpu(["a"]) == 0
    (folder,) = tmp_path.iterdir()
    assert folder.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize(
    ("shown", "num", "names"),
    [
        (None, 2, ["0", "1"]),
        ("", 2, ["0", "1"]),
        ("3,5", 2, ["3", "5"]),
        ("GPU-8f, GPU-9a", 2, ["GPU-8f", "GPU-9a"]),
        ("3", 2, ["0", "1"]),
    ],
)
def test_gpus_are_called_what_all_jobs_call_them(monkeypatch, shown, num, names):
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if shown is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", shown)
    assert visible_gpus(num) == names
