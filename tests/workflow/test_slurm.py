"""The pipeline on a real Slurm: every job through sbatch, and what may befall one.

Slurm is brought up on this machine by tests/slurm/start.sh; without root or packages
these tests are skipped, and say why.
"""

import contextlib
import os
import re
import signal
import subprocess
import time
from pathlib import Path
from typing import NamedTuple

import psutil
import pytest
from pipeline import (
    CHECKPOINT,
    LOG,
    MODEL,
    REPOSITORY,
    RUN,
    SYSTEM,
    command,
    contents,
    environment,
    make,
    shown,
    snakemake,
)

from hgnpipe.training.checkpoint import Claim

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("slurm")]

TARGET = f"{RUN}/model.safetensors"
FAST = ["--slurm-init-seconds-before-status-checks", "1"]
FAST += ["--seconds-between-status-checks", "2", "--latency-wait", "10"]


def told(*arguments):
    """What a command of Slurm prints."""
    done = subprocess.run(arguments, capture_output=True, text=True, check=True)
    return done.stdout.strip()


class Job(NamedTuple):
    """A job as Slurm sees it."""

    id: str
    state: str
    gpus: str
    folder: str


def jobs_of(project):
    """Jobs of a project that have not ended."""
    lines = told(
        "squeue", "-h", "-O", "JobID:|,State:|,tres-per-job:|,WorkDir:"
    ).splitlines()
    jobs = [Job(*line.split("|")) for line in lines]
    return [job for job in jobs if job.folder == str(project)]


def wait_until(condition, seconds=180, every=0.2):
    """Wait for something to be true, and answer it."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, f"waited {seconds} s for {condition}"
        time.sleep(every)
    return found


@pytest.fixture(scope="session")
def slurm(tmp_path_factory):
    """Folder of a running Slurm."""
    folder = tmp_path_factory.mktemp("slurm")
    scripts = REPOSITORY / "tests/slurm"
    started = subprocess.run(
        [scripts / "start.sh", folder], capture_output=True, text=True
    )
    if started.returncode == 2:
        pytest.skip(started.stderr.strip().splitlines()[-1])
    assert started.returncode == 0, started.stdout + started.stderr
    yield folder
    subprocess.run([scripts / "stop.sh", folder], check=True)


class Submitted:
    """A Snakemake that hands its jobs to Slurm."""

    def __init__(self, project, *arguments):
        self.project, self.output = project, project / "terminal.txt"
        with open(self.output, "a") as file:
            self.process = subprocess.Popen(
                command("--profile", "slurm", *FAST, *arguments),
                cwd=project,
                env=environment(),
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def text(self):
        return self.output.read_text("utf-8")

    def job(self, state="RUNNING"):
        """Its one job, once it is in this state."""

        def there():
            assert self.process.poll() is None, self.text
            return [job for job in jobs_of(self.project) if job.state == state]

        (job,) = wait_until(there)
        return job

    def trained(self):
        """Its one job, once the training has saved something."""
        job = self.job()
        wait_until(lambda: self.process.poll() or (self.project / CHECKPOINT).exists())
        return job

    def succeeds(self):
        code = self.process.wait(300)
        assert code == 0, self.text


@pytest.fixture
def submit(slurm):
    """Start `Submitted`; whatever is left at the end is killed."""
    started = []

    def start(project, *arguments):
        started.append(Submitted(project, *arguments))
        return started[-1]

    yield start
    for one in started:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(one.process.pid, signal.SIGKILL)
        one.process.wait()
        for job in jobs_of(one.project):
            told("scancel", "--signal=KILL", "--full", job.id)


def stop_trainer(project):
    """Let the one training of a project stand still."""

    def there():
        return [
            process
            for process in psutil.process_iter(["cwd", "cmdline"])
            if process.info["cwd"] == str(project)
            and (process.info["cmdline"] or [])[1:2]
            == ["workflow/scripts/models/train.py"]
        ]

    (training,) = wait_until(there)
    training.suspend()
    return training


def wait_for_successor(project, orphan):
    """Until another process than the orphan has the checkpoint, or is done with it."""

    def owner():
        try:
            return Claim.mark(project / CHECKPOINT).read_text().split()[-1]
        except FileNotFoundError:
            return None

    wait_until(lambda: owner() != str(orphan.pid))


def go_on(training):
    with contextlib.suppress(psutil.NoSuchProcess):
        training.resume()


def resumed_after(project):
    """Iterations that the last attempt found done, as its log says."""
    log = (project / LOG).read_text("utf-8")
    found = re.search(r"resumes after (\d+) of 100$", log, re.MULTILINE)
    assert found, log
    return int(found[1])


def assert_as_if_undisturbed(project, undisturbed):
    assert resumed_after(project) >= 5
    assert contents(project) == undisturbed
    assert list((project / CHECKPOINT).parent.iterdir()) == []


def test_every_stage_runs_as_a_job_of_slurm_and_gives_the_same_bytes(
    slurm, fresh_project, finished, submit
):
    """Of one model, one flow and the figure of the data."""
    stages = {
        "simulate": f"results/smoke/data/{SYSTEM}/test_trajectories.h5",
        "render": f"results/smoke/data/{SYSTEM}/test_videos.h5",
        "extend": f"results/smoke/data/{SYSTEM}/test_motion.h5",
        "train": TARGET,
        "evaluate": f"{RUN}/errors.csv",
        "measure_dynamics": f"{RUN}/dynamics.csv",
        "make_films": f"{RUN}/films.h5",
        "draw_points": "results/smoke/flows/two_moons/points.h5",
        "train_flow": "results/smoke/flows/two_moons/nhf_2/seed0/history.csv",
        "evaluate_flow": "results/smoke/flows/two_moons/nhf_2/seed0/likelihood.csv",
        "fig05": "results/smoke/figures/fig05_systems.png",
    }
    run = submit(fresh_project, *stages.values())
    assert run.process.wait(900) == 0, run.text
    for stage, path in stages.items():
        if stage != "train":  # its metadata tell when and where
            expected = (finished[0] / path).read_bytes()
            assert (fresh_project / path).read_bytes() == expected, path
    assert "Nothing to be done" in shown(make(fresh_project, *stages.values()))
    assert contents(fresh_project) == contents(finished[0])
    ran = set(re.findall(r"^ *(?:local)?rule (\w+):$", run.text, re.MULTILINE))
    assert ran >= stages.keys() and "localrule" not in run.text
    submitted = len(re.findall("submitted with SLURM jobid", run.text))
    ended = (slurm / "log/jobs.txt").read_text()
    assert submitted == ended.count(f"WorkDir={fresh_project} ") > 10


def test_gpus_are_asked_for_and_never_shared(fresh_project, submit):
    models = ["hnn", "hnn_conv", "hgn_determ"]
    runs = [RUN.replace(MODEL, model) for model in models]
    make(fresh_project, f"results/smoke/data/{SYSTEM}/train_videos.h5")
    run = submit(fresh_project, *[f"{run}/model.safetensors" for run in runs])
    seen = []
    while run.process.poll() is None:
        jobs = jobs_of(fresh_project)
        assert all("gpu:1" in job.gpus for job in jobs), jobs
        seen.append(sum(job.state == "RUNNING" for job in jobs))
        time.sleep(0.2)
    run.succeeds()
    assert max(seen) == 2


def test_a_cancelled_training_is_submitted_again_and_resumes(
    longer, undisturbed, submit
):
    run = submit(longer, TARGET)
    told("scancel", run.trained().id)
    run.succeeds()
    assert_as_if_undisturbed(longer, undisturbed)


@pytest.mark.parametrize(
    ("warning", "minutes"), [("--signal=TERM@120", 4), ("", 1)], ids=["warned", "over"]
)
def test_a_training_whose_time_is_up_resumes(
    longer, undisturbed, submit, warning, minutes
):
    """It stands still until the signal comes: no need to compute for minutes."""
    resources = [f"train:runtime={minutes}", f"train:slurm_extra={warning!r}"]
    run = submit(longer, TARGET, "--set-resources", *resources)
    run.trained()
    training = stop_trainer(longer)

    def warned():
        pending = re.search(
            r"^ShdPnd:\s*(\w+)",
            Path(f"/proc/{training.pid}/status").read_text(),
            re.MULTILINE,
        )
        return int(pending[1], 16) >> (signal.SIGTERM - 1) & 1

    def asked():
        return not training.is_running() or warned()

    wait_until(asked, 240)
    go_on(training)
    run.succeeds()
    assert_as_if_undisturbed(longer, undisturbed)


def test_a_training_whose_node_died_resumes_while_its_orphan_leaves(
    slurm, longer, undisturbed, submit
):
    """The daemon is killed, its job goes on unseen, and is started once more."""
    run = submit(longer, TARGET)
    job = run.trained()
    orphan = stop_trainer(longer)
    os.kill(int((slurm / "pid/slurmd").read_text()), signal.SIGKILL)
    node = told("hostname", "-s")
    told("scontrol", "update", f"NodeName={node}", "State=DOWN", "Reason=test")
    wait_until(
        lambda: job.id not in [j.id for j in jobs_of(longer) if j.state == "RUNNING"]
    )
    subprocess.run([REPOSITORY / "tests/slurm/node.sh", slurm], check=True)
    wait_until(
        lambda: told("scontrol", "update", f"NodeName={node}", "State=RESUME") == ""
    )
    wait_for_successor(longer, orphan)
    go_on(orphan)
    run.succeeds()
    assert_as_if_undisturbed(longer, undisturbed)


def test_after_a_kill_of_snakemake_the_next_call_goes_on_beside_the_orphan(
    longer, undisturbed, submit
):
    """The orphan stands still until its successor has begun, and then leaves."""
    run = submit(longer, TARGET)
    job = run.trained()
    orphan = stop_trainer(longer)
    os.killpg(run.process.pid, signal.SIGKILL)
    run.process.wait()
    assert job.id in [job.id for job in jobs_of(longer)]
    assert snakemake(longer, "--unlock").returncode == 0
    again = submit(longer, TARGET)
    wait_for_successor(longer, orphan)
    go_on(orphan)
    again.succeeds()
    wait_until(lambda: not jobs_of(longer))
    assert_as_if_undisturbed(longer, undisturbed)


def test_a_training_out_of_memory_gets_more_the_next_time(longer, undisturbed, submit):
    run = submit(longer, TARGET, "--set-resources", "train:mem_mb=350*attempt**2")
    run.succeeds()
    assert "Trying to restart job" in run.text
    assert contents(longer) == undisturbed
