"""Trainings of a preset side by side on one GPU, until the time is up."""

import contextlib
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from by_hand import ROOT, Wildcards, read_settings
from hgnpipe.config.settings import Settings
from hgnpipe.runtime.command import run

LEAVING = 20
"""Seconds that a training gets to save itself."""


def main(
    rows: list[str],
    seconds: float,
    preset: str = "paper",
    config_file: Path = ROOT / "config.yaml",
    together: int = 4,
    device: str = "auto",
) -> None:
    """Make the data of a preset, train its rows on all systems, and measure them.

    Files lie where the workflow puts them, below ``results/{preset}`` of the folder
    that this runs in. What is there is not made again; a training that the end of the
    time interrupts goes on in the next call.

    Args:
        rows: Rows of the preset, the most wanted first; none makes the data alone.
        seconds: Time after which everything is asked to leave.
        preset: What to train.
        config_file: The configuration.
        together: Chains of jobs at once.
        device: auto, cpu or cuda.
    """
    end, settings = time.monotonic() + seconds, read_settings(preset, config_file)
    systems = settings.config.presets[preset].systems
    data = [Chain(f"data_{name}", data_of(settings, name)) for name in systems]
    follow(data, len(data), end)
    runs = [
        Chain(f"{system}_{row}", run_of(settings, system, row, device))
        for row in rows
        for system in systems
    ]
    follow(runs, together, end)


class Chain:
    """Commands one after the other, as long as they succeed.

    Args:
        name: Of the log, ``results/logs/gpu/{name}.log``.
        steps: What each command makes, and its words; it is left out where that exists.
    """

    def __init__(self, name: str, steps: list[tuple[str, list[str]]]) -> None:
        self.name, self.process = name, None
        self.steps = [(made, words) for made, words in steps if not Path(made).exists()]

    def goes_on(self) -> bool:
        """Start the next command if the last one is done; false at the end."""
        if self.process is not None:
            if (code := self.process.poll()) is None:
                return True
            made, _ = self.steps.pop(0)
            print(f"{made}: {'made' if code == 0 else f'FAILED ({code})'}", flush=True)
            if code:
                self.steps.clear()
        if self.steps:
            log = Path("results/logs/gpu", f"{self.name}.log")
            log.parent.mkdir(parents=True, exist_ok=True)
            with log.open("ab") as file:
                words = [sys.executable, *self.steps[0][1]]
                self.process = subprocess.Popen(words, stdout=file, stderr=file)
        return bool(self.steps)

    def leave(self) -> None:
        """Ask the command that runs to save its work, and end it."""
        self.process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(LEAVING)
        self.process.kill()


def follow(chains: list[Chain], together: int, end: float) -> None:
    """Follow chains in their order, a few at once, until all are done or time is up."""
    waiting, running = list(chains), []
    while waiting or running:
        while waiting and len(running) < together:
            running.append(waiting.pop(0))
        running = [chain for chain in running if chain.goes_on()]
        if time.monotonic() > end:
            for chain in running:
                chain.leave()
            return
        time.sleep(0.1)


def data_of(settings: Settings, system: str) -> list[tuple[str, list[str]]]:
    """What makes the data of a system; long videos where a row trains on them."""
    preset, value, steps = settings.config.preset, settings.value, []
    folder = f"results/{preset}/data/{system}"
    wanted = {
        settings.training_videos(Wildcards(preset=preset, system=system, model=row))
        for row in settings.models(preset)
    }
    longer = f"{folder}/long_videos.h5" in wanted
    for split in ("train", "long", "test") if longer else ("train", "test"):
        job = Wildcards(preset=preset, system=system, split=split)
        trajectories = f"{folder}/{split}_trajectories.h5"
        videos = f"{folder}/{split}_videos.h5"
        steps.append(command(trajectories, "data/simulate", {
            "kind": settings.kind(job), "options": settings.options(job),
            "num": settings.num_trajectories(job),
            "num_frames": settings.num_frames(job),
            "num_before": settings.num_around(job),
            "seed": value("data.seed")(job), "split": split, "output": trajectories,
        }))  # fmt: skip
        steps.append(command(videos, "data/render", {
            "trajectories": trajectories, "image_size": value("data.image_size")(job),
            "output": videos,
        }))  # fmt: skip
    motion = f"{folder}/test_motion.h5"  # of test, which came last
    steps.append(command(motion, "data/extend", {
        "trajectories": trajectories, "num_trajectories": settings.num_extended(job),
        "num_before": settings.num_before(job), "num_after": settings.num_after(job),
        "output": motion,
    }))  # fmt: skip
    return steps


def run_of(
    settings: Settings, system: str, row: str, device: str
) -> list[tuple[str, list[str]]]:
    """What trains a row on a system, and measures it."""
    preset, seed = settings.config.preset, 0
    job = Wildcards(preset=preset, system=system, model=row)
    data = f"results/{preset}/data/{system}"
    folder = f"results/{preset}/runs/{system}/{row}/seed{seed}"
    model, here = f"{folder}/model.safetensors", {"device": device}
    value = settings.value
    splits = [f"{data}/{split}_" for split in ("train", "test")]
    return [
        command(model, "models/train", {
            "videos": settings.training_videos(job), "model": settings.model(job),
            "num_frames": value("data.num_frames")(job), "seed": seed, "output": folder,
            "checkpoint": settings.checkpoint(job, [model]),
            "precision": settings.config.precision, "graphs": settings.config.graphs,
            "reproducible": settings.config.reproducible, **here,
        }),
        command(f"{folder}/errors.csv", "models/evaluate", {
            "model_path": model, "videos": [f"{s}videos.h5" for s in splits],
            "trajectories": [f"{s}trajectories.h5" for s in splits],
            "num_trajectories": value("evaluation.num_trajectories")(job),
            "batch_size": value("evaluation.batch_size")(job),
            "table": f"{folder}/errors.csv", "errors": f"{folder}/errors.h5", **here,
        }),
        command(f"{folder}/dynamics.csv", "models/measure_dynamics", {
            "model_path": model, "train_videos": f"{data}/train_videos.h5",
            "videos": f"{data}/test_videos.h5",
            "trajectories": f"{data}/test_trajectories.h5",
            "motion": f"{data}/test_motion.h5", "errors": f"{folder}/errors.h5",
            "evaluation": settings.values(
                "evaluation", "num_extended", "horizons", "symetric_repeats",
                "batch_size",
            )(job),
            "output": f"{folder}/dynamics.csv", **here,
        }),
    ]  # fmt: skip


def command(made: str, script: str, options: dict[str, Any]) -> tuple[str, list[str]]:
    """What a command makes, and its words without the name of Python."""
    words = [str(ROOT / f"workflow/scripts/{script}.py")]
    for name, value in options.items():
        values = value if isinstance(value, list) else [value]
        words += [f"--{name}", *map(str, values)]
    return made, words


if __name__ == "__main__":
    run(main)
