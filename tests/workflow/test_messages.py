"""What a call of Snakemake says: short, and what matters last."""

import csv
import glob
import os
import re
import sys
from importlib import metadata
from types import SimpleNamespace

import pytest
import torch
from pipeline import MODEL, REPOSITORY, RUN, SYSTEM, configure, make, shown, snakemake
from yte import process_yaml

from hgnpipe.config import messages
from hgnpipe.config.environment import SLURM
from hgnpipe.config.targets import asked_for

DATA = f"results/smoke/data/{SYSTEM}"
VIDEOS, TRAJECTORIES = f"{DATA}/test_videos.h5", f"{DATA}/test_trajectories.h5"
MODEL_FILE = f"{RUN}/model.safetensors"


def last_line(done):
    return done.stderr.rstrip().splitlines()[-1]


@pytest.fixture
def no_slurm(tmp_path):
    """All programs of this machine but Slurm's, as a PATH."""
    folder = tmp_path / "programs"
    folder.mkdir()
    for place in reversed(os.environ["PATH"].split(os.pathsep)):
        for path in glob.glob(f"{place}/*"):
            link = folder / os.path.basename(path)
            if link.name not in SLURM:
                link.unlink(missing_ok=True)
                link.symlink_to(path)
    return str(folder)


def test_without_slurm_its_profile_ends_at_once_in_one_line(fresh, no_slurm):
    arguments = [VIDEOS, "--profile", "slurm"]
    planned = snakemake(fresh, *arguments, "-n", PATH=no_slurm)
    assert planned.returncode == 0, shown(planned)
    done = snakemake(fresh, *arguments, PATH=no_slurm)
    assert done.returncode == 1
    missing = "Error: Slurm's sbatch, squeue, sacctmgr, sshare not found: "
    assert last_line(done).startswith(missing) and "`module load" in last_line(done)
    assert not (fresh / ".snakemake/locks").exists()


@pytest.mark.skipif(torch.cuda.is_available(), reason="CUDA is here")
def test_cuda_is_looked_for_where_jobs_run(fresh_project):
    configure(fresh_project, device="cuda")
    planned = snakemake(fresh_project, VIDEOS, "-n", "--profile", "slurm")
    assert planned.returncode == 0, shown(planned)
    done = snakemake(fresh_project, VIDEOS, "--cores", "1")
    assert done.returncode == 1
    assert last_line(done).startswith("Error: config.yaml: device: device is 'cuda'")


@pytest.fixture
def default_profile(monkeypatch):
    """Profile of every call, on a machine with GPUs, as Snakemake understands it."""

    def read(*words, visible=None, num_found=8, torch_version="2.13.0+cu130"):
        devices = [f"/dev/nvidia{index}" for index in range(num_found)]
        monkeypatch.setattr(glob, "glob", lambda pattern: devices)
        monkeypatch.setattr(metadata, "version", lambda name: torch_version)
        monkeypatch.setattr(sys, "argv", ["snakemake", *words])
        monkeypatch.delenv("SNAKEMAKE_PROFILE", raising=False)
        monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
        if visible is not None:
            monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
        text = (REPOSITORY / "profiles/default/config.yaml").read_text("utf-8")
        return process_yaml(text)

    return read


@pytest.mark.parametrize(
    ("visible", "num_found", "limit"),
    [
        (None, 8, 8),
        (None, 0, None),
        ("", 8, None),
        ("0,3,4", 8, 3),
        (" 2 , 1", 8, 2),
        ("0,-1,1", 8, 1),
        ("-1", 8, None),
        ("NoDevFiles", 8, None),
        ("0,,1", 8, 1),
        ("0,9,1", 8, 1),
        ("0,1", 0, 2),  # where the files of devices are elsewhere
        ("1,1", 8, None),
        ("GPU-5ac2,GPU-77fe", 8, 2),
        ("MIG-5ac2", 8, 1),
    ],
)
def test_as_many_jobs_ask_for_a_gpu_at_once_as_cuda_counts(
    default_profile, visible, num_found, limit
):
    profile = default_profile(visible=visible, num_found=num_found)
    assert profile.get("resources") == (limit and {"gpu": limit})


def test_a_torch_for_processors_has_no_gpu(default_profile):
    profile = default_profile(visible="0,1", torch_version="2.13.0+cpu")
    assert "resources" not in profile


@pytest.mark.parametrize(
    ("words", "quiet"),
    [
        ("--cores 2", True),
        ("--cores all results/table1.csv --config preset=smoke", True),
        ("-c1 --keep-going", True),
        ("-n", False),
        ("-Fnq", False),
        ("--dry-run", False),
        ("--dryrun", False),
        ("--cores 1 -p", False),
        ("--cores 1 --printshellcmds", False),
        ("--cores 1 --verbose", False),
        ("--profile slurm", False),
        ("--executor=slurm -j1", False),
    ],
)
def test_plans_commands_and_clusters_are_shown_whole(default_profile, words, quiet):
    profile = default_profile(*words.split())
    assert profile.get("quiet") == (["rules", "host"] if quiet else None)


@pytest.mark.parametrize(
    ("target", "message"),
    [
        (
            MODEL_FILE.replace("smoke", "smoek"),
            "Unknown preset 'smoek'. Known: desk, extended, laptop, paper, smoke.",
        ),
        (
            VIDEOS.replace(SYSTEM, "mass_sprin"),
            "Unknown system 'mass_sprin'. Known: coupled_springs, ",
        ),
        (
            MODEL_FILE.replace(SYSTEM, "pendulum"),
            "Unknown system 'pendulum' of preset 'smoke'. Known: mass_spring, two_bo",
        ),
        (
            MODEL_FILE.replace(MODEL, "hgn_leapforg"),
            "Unknown model 'hgn_leapforg' of preset 'smoke'. Known: hnn, hnn_conv, "
            "hgn_euler, hgn_determ, hgn_no_f_psi, hgn_leapfrog, hgn_vector.",
        ),
        (
            MODEL_FILE.replace("seed0", "seedx"),
            "seed is 'x'; it must be a whole number.",
        ),
        (
            VIDEOS.replace("/test_", "/tset_"),
            "Unknown split 'tset'. Known: long, test, ",
        ),
        (
            "results/smoke/flows/mode_8/nhf_2/seed0/flow.safetensors",
            "Unknown density 'mode_8'. Known: checkerboard, modes_2, modes_4, ",
        ),
        (
            "results/smoke/flows/modes_8/nfh_2/seed0/flow.safetensors",
            "Unknown flow 'nfh_2' of preset 'smoke'. Known: rnvp_3, nhf_2.",
        ),
        (
            "results/figures/fig07_rollouts_two_bodies.pdf",
            "Unknown system 'two_bodies'. Known: coupled_springs, ",
        ),
        (
            "results/tabel1.csv",
            "No rule makes 'results/tabel1.csv'. Did you mean results/table1.csv or ",
        ),
        ("tabel1", "No rule makes 'tabel1'. Did you mean table1"),
        ("what/is/this", "No rule makes 'what/is/this'. See docs/outputs.md."),
    ],
)
def test_a_misspelt_target_ends_in_one_line_with_the_legal_names(
    fresh, target, message
):
    done = snakemake(fresh, "-n", target)
    assert done.returncode == 1
    place = "" if message.startswith("No rule") else f"{target}: "
    assert last_line(done).startswith(f"Error: {place}{message}")
    assert len(done.stderr.splitlines()) <= 3


@pytest.mark.parametrize(
    ("target", "own"),
    [
        ("results/table2.md", "results/laptop/tables/table2.md"),
        ("results/report.html", "results/laptop/report.html"),
        ("results/figures/fig13_integrators.png", None),
    ],
)
def test_a_copy_of_the_preset_of_the_file_is_not_made_of_another(fresh, target, own):
    own = own or target.replace("results/", "results/laptop/")
    done = snakemake(fresh, "-n", target, preset="laptop")
    assert done.returncode == 1
    assert last_line(done) == (
        f"Error: {target} is of preset 'smoke', which config.yaml names. For 'laptop' "
        f"ask for {own}."
    )
    done = snakemake(fresh, "-n", preset="laptop")
    assert done.returncode == 0 and "current_" not in shown(done)


def test_everything_that_can_be_made_may_be_asked_for(fresh):
    done = snakemake(fresh, "--summary")
    rows = csv.DictReader(done.stdout.splitlines(), delimiter="\t")
    files = [row["output_file"] for row in rows if row["output_file"] != "-"]
    assert len(files) > 200
    files += [MODEL_FILE.replace("seed0", "seed7"), "results/./table1.csv"]
    done = snakemake(fresh, "-n", *files)
    assert done.returncode == 0, shown(done)[-2000:]


def test_what_a_preset_lacks_ends_in_one_line(fresh_project):
    parts = {"flows": None, "hnn_check": None}
    configure(fresh_project, **{f"presets.smoke.{k}": v for k, v in parts.items()})
    for part, target in (
        ("flows", "results/flows.csv"),
        ("flows", "results/smoke/figures/fig09_flow_rings.pdf"),
        ("flows", "results/smoke/flows/costs.csv"),
        ("hnn_check", "results/smoke/tables/hnn_check.md"),
        ("hnn_check", "results/figures/fig14_hnn_check.png"),
    ):
        done = snakemake(fresh_project, "-n", target)
        assert done.returncode == 1
        assert last_line(done) == f"Error: {target}: Preset 'smoke' has no {part}."


def test_a_mistake_in_the_configuration_is_the_only_thing_said(fresh_project):
    configure(fresh_project, **{"presets.smoke.data.num_train": "many"})
    done = snakemake(fresh_project, "-n")
    assert done.returncode == 1
    assert last_line(done).startswith(
        "Error: config.yaml: presets.smoke.data.num_train"
    )
    assert len(done.stderr.splitlines()) <= 3


def test_failed_jobs_repeat_their_last_words_and_what_was_made_its_place(fresh_project):
    done = make(fresh_project, VIDEOS)
    assert last_line(done) == f"Made: {VIDEOS}"
    said = shown(done)
    assert "rule render" not in said and "Host:" not in said
    assert "render mass_spring test_videos 100% |###" in said
    assert "2 of 2 steps (100%) done" in said
    done = make(fresh_project, VIDEOS, "--forcerun", "render", "-p")
    assert "rule render:" in done.stderr and "python workflow/scripts" in done.stderr

    path = fresh_project / TRAJECTORIES
    path.write_bytes(path.read_bytes()[:1000])
    done = snakemake(fresh_project, "--cores", "1", VIDEOS, "--forcerun", "render")
    assert done.returncode == 1
    log = f"results/smoke/logs/render/{SYSTEM}_test.log"
    assert re.fullmatch(
        rf"render smoke {SYSTEM} test failed: Error: {TRAJECTORIES} is damaged: .* "
        rf"Delete it if .* \({log}\)",
        last_line(done),
    )


def test_targets_are_those_of_a_command_line_of_snakemake_alone():
    words = ["a.csv", "b.csv", "--cores", "2", "-R", "c", "--config", "preset=d"]
    assert asked_for(["/bin/snakemake", *words]) == ["a.csv", "b.csv"]
    assert asked_for(["/x/snakemake/__main__.py", "-n", "--", "a.csv"]) == ["a.csv"]
    assert asked_for(["pytest", *words]) == []


def job(name, output, taken=(), log=(), wildcards=()):
    rule = SimpleNamespace(name=name)
    return SimpleNamespace(
        rule=rule, output=output, input=taken, log=log, wildcards=wildcards
    )


def test_what_was_made_in_the_end_is_told_in_a_few_lines():
    figures = [f"results/figures/fig0{n}.{k}" for n in (5, 6) for k in ("pdf", "png")]
    table = [f"results/table1.{kind}" for kind in ("csv", "md", "html")]
    weights = ["m.safetensors", "run.json"]
    jobs = [
        job("train", weights),
        job("errors", ["errors.csv"], ["m.safetensors"]),
        job("table1", table, ["errors.csv"]),
        job("figures", figures, ["errors.csv"]),
        job("report", ["results/report.html"], ["errors.csv"]),
        job("all", [], [*table, *figures, "results/report.html"]),
    ]
    assert messages.made(jobs, ["table1"]) == [
        "Report: results/report.html",
        "Tables: results/table1.csv",
        "Figures: 2 in results/figures/",
    ]
    others = [job("render", [f"{number:02}.h5"]) for number in range(12)]
    names = ", ".join(f"{number:02}.h5" for number in range(10))
    assert messages.made(others, []) == [f"Made: {names} and 2 more"]
    assert messages.made([], []) == []


def test_every_failed_job_has_a_line_up_to_a_limit(tmp_path):
    log, old, empty = (tmp_path / name for name in ("a.log", "old.log", "empty.log"))
    log.write_text("Error: It broke.\n 40% |##\n")
    empty.write_text("\n")
    old.write_text("Error: Yesterday.\n")
    os.utime(old, (0, 0))
    one = job("train", [], log=[log], wildcards=["smoke", "pendulum"])
    group = SimpleNamespace(jobs=[job("b", [], log=[old]), job("c", [], log=[empty])])
    assert messages.failures([one, group, job("d", [])]) == [
        f"b failed: it left no words ({old})",
        f"c failed: it left no words ({empty})",
        "d failed: it left no words",
        f"train smoke pendulum failed: Error: It broke. ({log})",
    ]
    log.write_text("render 10%\nrender 40% |##\n")
    (line,) = messages.failures([one])
    assert line.endswith(f"failed: render 40% |## ({log})")
    many = [job(f"job{number:02}", []) for number in range(12)]
    told = messages.failures(many)
    assert len(told) == 11 and told[-1] == "... and 2 more failed."
