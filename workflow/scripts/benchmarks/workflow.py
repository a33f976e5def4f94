"""Rule benchmark_workflow: what Snakemake and the start of every script cost."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import torch
import yaml

from hgnpipe.files.csv import write_csv
from hgnpipe.files.whole import check_writable
from hgnpipe.runtime.command import run
from hgnpipe.runtime.progress import Progress
from hgnpipe.runtime.timing import measure_in_turn, median_seconds, with_place

ROOT = Path(__file__).parents[3]
PARTS = ("Snakefile", "config.yaml", "docs/choices.md", "workflow", "src")


def main(preset: str, num_seeds: int, rounds: int, output: Path) -> None:
    """Time plans of a preset, of a sweep over its seeds, and the start of all scripts.

    Args:
        preset: Preset to plan: with everything there, and with more seeds and nothing.
        num_seeds: Seeds of the sweep.
        rounds: Measurements of each, after one that is not counted.
        output: Table to write, CSV: medians.
    """
    check_writable(output)
    with tempfile.TemporaryDirectory() as folder:
        done, sweep = Path(folder, "done"), Path(folder, "sweep")
        jobs = {
            f"plan of the {preset} preset, all of it there": build(done, preset, None),
            f"plan of the {preset} preset, {num_seeds} seeds": build(
                sweep, preset, num_seeds
            ),
        }
        pretend_done(done)
        places = dict(zip(jobs, (done, sweep), strict=True))
        works: dict[tuple[str], Callable[[], object]] = {
            (what,): partial(snakemake, place, "--dry-run", "--quiet", "all")
            for what, place in places.items()
        }
        for script in scripts():
            command = [sys.executable, str(script), "--help"]
            works[f"start of {script.stem}",] = partial(call, command, ROOT)
        with Progress("benchmark_workflow", rounds + 1, " rounds") as bar:
            rows = measure_in_turn(works, rounds, done=bar.advance)
    medians = median_seconds(rows, ["what"])
    medians.insert(1, "jobs", medians.what.map(jobs).astype("Int64"))
    medians = with_place(medians.assign(measured=rounds), torch.device("cpu"), 1)
    write_csv(medians, output, float_format="%.4g")


def scripts() -> list[Path]:
    """Everything that a rule can start."""
    found = Path(ROOT, "workflow", "scripts").rglob("*.py")
    return sorted(path for path in found if "def main(" in path.read_text("utf-8"))


def build(place: Path, preset: str, num_seeds: int | None) -> int:
    """Copy the workflow; the number of jobs that it plans from nothing."""
    place.mkdir()
    for part in PARTS:
        copy = shutil.copytree if (ROOT / part).is_dir() else shutil.copy
        (place / part).parent.mkdir(exist_ok=True)
        copy(ROOT / part, place / part)
    config = yaml.safe_load((place / "config.yaml").read_text())
    config["preset"] = preset
    if num_seeds is not None:
        config["presets"][preset]["seeds"] = list(range(num_seeds))
    (place / "config.yaml").write_text(yaml.safe_dump(config))
    found = re.search(r"^total +(\d+)", snakemake(place, "--dry-run"), re.MULTILINE)
    if found is None:
        raise RuntimeError("Snakemake did not say how many jobs it plans.")
    return int(found[1])


def pretend_done(place: Path) -> None:
    """Make every output, empty, and let Snakemake remember it as its own."""
    for line in snakemake(place, "--summary").splitlines()[1:]:
        path = place / line.partition("\t")[0]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    snakemake(place, "--touch", "--forceall", "--cores", "1")
    if "Nothing to be done" not in snakemake(place, "--dry-run"):
        raise RuntimeError("Snakemake does not take touched files for results.")


def snakemake(place: Path, *arguments: str) -> str:
    """Output of a call of Snakemake in another folder."""
    return call([sys.executable, "-m", "snakemake", *arguments], place)


def call(command: Sequence[str], place: Path) -> str:
    """Output of a command, on both channels.

    Raises:
        RuntimeError: If it fails.
    """
    done = subprocess.run(
        command,
        cwd=place,
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"PYTHONPATH": str(place / "src")},
    )
    if done.returncode != 0:
        last = (done.stderr or done.stdout).strip().rpartition("\n")[2]
        raise RuntimeError(f"{' '.join(command)} failed: {last}")
    return done.stdout + done.stderr


if __name__ == "__main__":
    run(main)
