"""Calls of Snakemake in copies of the project, for the tests of the workflow."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).parents[1]
SOURCES = [
    *("Snakefile", "README.md", "config.yaml", "profiles", "slurm", "src", "workflow")
]


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


def shown(done):
    """All that the user sees."""
    return done.stdout + done.stderr


def make(project, *arguments):
    done = snakemake(project, "--cores", "2", *arguments)
    assert done.returncode == 0, shown(done)
    return done


def copy_sources(target):
    target.mkdir()
    ignored = shutil.ignore_patterns("__pycache__", "*.egg-info")
    for source in (REPOSITORY / name for name in SOURCES):
        if source.is_dir():
            shutil.copytree(source, target / source.name, ignore=ignored)
        elif source.exists():
            shutil.copy2(source, target)
    return target
