"""Hundreds of jobs in one call, of which every tenth fails."""

import os
import statistics
import subprocess
import time

import psutil
import pytest
from pipeline import command, configure, environment

pytestmark = pytest.mark.slow

NUM_JOBS = 300
FAILING = """
import os, random, sys
from pathlib import Path

if sys.orig_argv[1:2] == ["workflow/scripts/flows/draw_points.py"]:
    job = sys.orig_argv[sys.orig_argv.index("--output") + 1]
    attempts = Path(os.environ["ATTEMPTS"], job.split("/")[-2])
    earlier = attempts.read_text() if attempts.exists() else ""
    fails = random.Random(f"{job} {len(earlier)}").random() < 0.1
    attempts.write_text(earlier + ("F" if fails else "S"))
    if fails:
        print("A failure on purpose.", file=sys.stderr, flush=True)
        os._exit(1)
"""


def test_three_hundred_jobs_with_failures_finish_in_one_call_of_flat_memory(
    fresh_project, tmp_path
):
    project, attempts = fresh_project, tmp_path / "attempts"
    attempts.mkdir()
    (tmp_path / "sitecustomize.py").write_text(FAILING)
    names = [f"modes_{num}_of_soak" for num in range(1, NUM_JOBS + 1)]
    blocks = {
        f"densities.{name}": {"kind": "modes", "num_modes": num}
        for num, name in enumerate(names, 1)
    }
    numbers = {
        "data.num_train": 40, "data.num_validation": 10, "data.num_test": 10,
        "evaluation.num_points": 10, "evaluation.num_watched": 10,
    }  # fmt: skip
    numbers = {f"presets.smoke.flows.{key}": value for key, value in numbers.items()}
    configure(project, **blocks, **numbers)
    files = [f"results/smoke/flows/{name}/points.h5" for name in names]
    memory = []
    with open(project / "shown.txt", "w") as file:
        running = subprocess.Popen(
            command(*files, "--cores", "2", "--retries", "3"),
            cwd=project,
            env=environment(
                PYTHONPATH=os.pathsep.join(
                    [str(tmp_path), os.environ.get("PYTHONPATH", "")]
                ),
                ATTEMPTS=str(attempts),
            ),
            stdout=file,
            stderr=subprocess.STDOUT,
        )
        while running.poll() is None:
            if any(attempts.iterdir()):
                memory.append(psutil.Process(running.pid).memory_info().rss)
            time.sleep(0.1)
    assert running.returncode == 0, (project / "shown.txt").read_text()[-3000:]
    assert all((project / file).exists() for file in files)
    courses = [(attempts / name).read_text() for name in names]
    assert all(course.strip("F") == "S" for course in courses)  # none after success
    assert 20 < sum(course.count("F") for course in courses) < 50
    quarter = len(memory) // 4
    early = statistics.median(memory[quarter : 2 * quarter])
    late = statistics.median(memory[3 * quarter :])
    assert late < 1.1 * early, f"{early / 1e6:.1f} MB -> {late / 1e6:.1f} MB"
    print(f"{early / 1e6:.1f} MB -> {late / 1e6:.1f} MB, {len(memory)} samples")
