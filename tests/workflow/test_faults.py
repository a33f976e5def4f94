"""Jobs that are killed while the pipeline runs.

What was finished stays, and the same command goes on where it stopped.
"""

import subprocess
import time

import numpy as np
import psutil
import pytest
from pipeline import command, environment, job_below, weights_in

pytestmark = pytest.mark.slow

NUM_KILLS = 20
TABLES = [f"results/{table}.csv" for table in ("table1", "table2", "dynamics", "flows")]


def has_ended(process):
    try:
        return process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def kill_job(running, num_before, delay, with_shell):
    """Kill the job after the first few, ``delay`` seconds after it began.

    Returns:
        Number of jobs that came to their end, and when the killed one began; None if
        there was none to kill.
    """
    seen, due = {}, None
    while running.poll() is None:
        job = job_below(running.pid)
        if job is not None and job.pid not in seen:
            seen[job.pid] = time.time()
        if job is not None and len(seen) > num_before:
            due = due or time.monotonic() + delay
            if time.monotonic() >= due:
                shell = job.parent()
                with_shell = with_shell and shell.pid != running.pid
                killed = [shell, job] if with_shell else [job]
                for process in killed:
                    process.kill()
                while not all(map(has_ended, killed)):  # one may just be writing
                    time.sleep(0.01)
                return len(seen) - 1, seen[job.pid]
        time.sleep(0.02)
    return len(seen), None


def files_made(project):
    """Files that jobs have made, but times and places, and what costs were measured."""
    differ = {"logs", "benchmarks", "run.json", "costs.csv", "flows.md", "flows.html"}
    paths = (project / "results").rglob("*.*")
    places = [path.relative_to(project) for path in paths]
    return {str(place) for place in places if not differ & {*place.parts}}


def content(path):
    return weights_in(path) if path.suffix == ".safetensors" else path.read_bytes()


def test_twenty_killed_jobs_and_other_numbers_of_cores_and_threads_change_no_byte(
    finished, fresh_project
):
    project, rng = fresh_project, np.random.default_rng(0)
    moments = np.sort(rng.integers(0, 62, NUM_KILLS))
    num_done, num_killed, written = 0, 0, {}
    for moment in [*moments, np.inf]:
        with open(project / "shown.txt", "w") as file:
            running = subprocess.Popen(
                command(*TABLES, "--cores", "1"),
                cwd=project,
                env=environment(OMP_NUM_THREADS="4"),
                stdout=file,
                stderr=subprocess.STDOUT,
            )
            delay, with_shell = rng.exponential(1.5), rng.random() < 0.3
            count, began = kill_job(running, moment - num_done, delay, with_shell)
            code = running.wait()
        killed = began is not None
        assert (code != 0) == killed, (project / "shown.txt").read_text()
        num_done, num_killed = num_done + count, num_killed + killed
        for name in files_made(project):
            changed = (project / name).stat().st_mtime
            if not killed or changed < began:  # by a job that came to its end
                written.setdefault(name, changed)
    assert num_killed == NUM_KILLS
    expected, found = files_made(finished[0]), files_made(project)
    assert {*TABLES} <= found <= expected  # and nothing temporary
    for name in sorted(found):
        assert content(project / name) == content(finished[0] / name), name
        assert (project / name).stat().st_mtime == written[name], f"{name} made again"
    assert {*written} & expected <= found
