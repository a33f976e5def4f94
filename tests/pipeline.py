"""Calls of Snakemake in copies of the project, for the tests of the workflow."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import psutil
import yaml
from safetensors.torch import load_file

REPOSITORY = Path(__file__).parents[1]
SOURCES = ["Snakefile", "config.yaml", "docs/choices.md"]
SOURCES += ["profiles", "slurm", "src", "workflow"]

CONFIG = yaml.safe_load((REPOSITORY / "config.yaml").read_text("utf-8"))
PRESETS = CONFIG["presets"]
SMOKE = PRESETS["smoke"]
MODELS = {name: CONFIG["models"][name] for name in SMOKE["models"]}

# One training, for tests that need one.
SYSTEM = SMOKE["systems"][0]
MODEL = "hgn_leapfrog"
RUN = f"results/smoke/runs/{SYSTEM}/{MODEL}/seed0"
LOG = f"results/smoke/logs/train/{SYSTEM}_{MODEL}_seed0.log"
CHECKPOINT = f"results/smoke/checkpoints/{SYSTEM}/{MODEL}/seed0.safetensors"


def command(*arguments, preset="smoke"):
    return [
        *(sys.executable, "-m", "snakemake", *arguments),
        *("--config", f"preset={preset}"),
    ]


def environment(**more):
    """Ours, without what could make Snakemake behave in another way."""
    own = {k: v for k, v in os.environ.items() if not k.startswith("SNAKEMAKE")}
    return {**own, **more}


def snakemake(project, *arguments, preset="smoke", **variables):
    return subprocess.run(
        command(*arguments, preset=preset),
        cwd=project,
        env=environment(**variables),
        capture_output=True,
        text=True,
    )


def job_below(parent, script=""):
    """Python of a job that runs below a Snakemake, if there is one at the moment."""
    for process in psutil.Process(parent).children(recursive=True):
        try:
            if process.cmdline()[1].startswith(f"workflow/scripts/{script}"):
                return process
        except (psutil.Error, IndexError):  # it has just ended
            pass
    return None


def shown(done):
    """All that the user sees."""
    return done.stdout + done.stderr


def make(project, *arguments):
    done = snakemake(project, "--cores", "2", *arguments)
    assert done.returncode == 0, shown(done)
    return done


def configure(project, **values):
    """Change config.yaml; a key with dots in it is the way to a nested one."""
    path = project / "config.yaml"
    config = yaml.safe_load(path.read_text("utf-8"))
    for key, value in values.items():
        *way, last = key.split(".")
        block = config
        for name in way:
            block[name] = dict(block.get(name, {}))  # an anchor may share it
            block = block[name]
        assert block.get(last) != value
        block[last] = value
    path.write_text(yaml.safe_dump(config, sort_keys=False), "utf-8")


def copy_sources(target):
    target.mkdir()
    ignored = shutil.ignore_patterns("__pycache__", "*.egg-info")
    for name in SOURCES:
        source, copy = REPOSITORY / name, target / name
        copy.parent.mkdir(exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, copy, ignore=ignored)
        else:
            shutil.copy2(source, copy)
    path = target / "config.yaml"  # its preset has copies directly under results/
    text = path.read_text("utf-8")
    assert "\npreset: laptop " in text
    path.write_text(text.replace("\npreset: laptop ", "\npreset: smoke ", 1), "utf-8")
    return target


def train_longer(project):
    """Let there be time to stop a training."""
    options = {"num_iterations": 100, "log_every": 5, "checkpoint_every": 5}
    configure(project, **{f"presets.smoke.training.{MODEL}": options})


def weights_in(path):
    """Bytes of every tensor in a file."""
    return {name: value.numpy().tobytes() for name, value in load_file(path).items()}


def contents(project):
    """What a training has made, without times and places."""
    history = (project / RUN / "history.csv").read_bytes()
    return weights_in(project / RUN / "model.safetensors"), history
