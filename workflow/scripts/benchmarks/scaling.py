"""Rule benchmark_scaling: how time grows with the size of each thing, one at a time."""

import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from hgnpipe.data.rendering import render
from hgnpipe.data.simulation import simulate
from hgnpipe.files.csv import write_csv
from hgnpipe.files.whole import check_writable
from hgnpipe.models.hgn import HGN
from hgnpipe.runtime.command import run
from hgnpipe.runtime.device import choose_device
from hgnpipe.runtime.progress import Progress
from hgnpipe.runtime.timing import measure_in_turn, median_seconds, with_place
from hgnpipe.systems import build_system
from hgnpipe.systems.base import System

FRAMES = 31
SIZES = {
    "num_frames": FRAMES, "image_size": 32, "num_filters": 32, "batch_size": 16,
    "threads": 1,
}  # fmt: skip
STEPS = {
    "HGN (leapfrog)": {**SIZES, "latent_channels": 16, "gradient_rms": 1.5},
    "HGN (vector)": {
        **SIZES, "num_pairs": 2, "inferred_frame": "middle", "gradient_rms": 0.1,
    },
}  # fmt: skip
"""Training steps in the middle of all curves; the first is also made side by side."""
GROWN = {
    "num_frames": (8, 16, 31),
    "image_size": (16, 32, 64),
    "num_filters": (16, 32, 64),
    "latent_channels": (8, 16, 32),
    "num_pairs": (1, 2, 4, 8),
    "batch_size": (8, 16, 32),
}
Point = tuple[str, str, int]
"""What grows, what is measured, and how large it is."""


def main(
    systems: list[str],
    num_trajectories: list[int],
    cores: list[int],
    jobs: list[int],
    rounds: int,
    output: Path,
) -> None:
    """Measure all points of all curves in turn, several times over.

    Args:
        systems: Systems to simulate and render.
        num_trajectories: Numbers of trajectories to simulate; a tenth are rendered.
        cores: Numbers of threads of one training step.
        jobs: Numbers of processes that make training steps side by side.
        rounds: Measurements of each point, after one that is not counted.
        output: Table to write, CSV: medians, and the exponent with which time grew
            since the point before; 1 is linear.
    """
    check_writable(output)
    device = choose_device("cpu", 1)
    works = dict([*data(systems, num_trajectories), *steps(cores)])
    with Progress("benchmark_scaling", rounds + 1, " rounds") as bar:
        rows = measure_in_turn(works, rounds, done=bar.advance)
    for number in jobs:
        rows += [
            (("parallel jobs", "HGN (leapfrog), each job", number), seconds)
            for seconds in side_by_side(number, rounds)
        ]
    result = median_seconds(rows, ["grows", "what", "value"])
    result["exponent"] = np.nan
    for _, curve in result.groupby(["grows", "what"], sort=False):
        growth = np.diff(np.log(curve.seconds)) / np.diff(np.log(curve.value))
        result.loc[curve.index[1:], "exponent"] = growth
    result = with_place(result.assign(measured=rounds), device, 1)
    write_csv(result, output, float_format="%.4g")


def data(
    systems: Sequence[str], nums: Sequence[int]
) -> Iterator[tuple[Point, Callable[[], object]]]:
    """Simulation and rendering: more trajectories; of one system, longer and larger."""
    for name in systems:
        system = build_system(name)
        for num in nums:
            few = num // 10
            yield ("trajectories simulated", name, num), simulating(system, num)
            yield ("trajectories rendered", name, few), rendering(system, few)
    name, num = systems[0], nums[0]
    system, few = build_system(name), num // 10
    for length in (FRAMES, 2 * FRAMES, 4 * FRAMES):
        yield ("frames", f"simulate {name}", length), simulating(system, num, length)
        yield ("frames", f"render {name}", length), rendering(system, few, length)
    for size in (32, 64, 128):
        yield ("image size", f"render {name}", size), rendering(system, few, size=size)


def simulating(system: System, num: int, length: int | None = None) -> partial:
    """Simulation of trajectories."""
    return partial(simulate, system, num, length or FRAMES, 0)


def rendering(
    system: System, num: int, length: int | None = None, size: int = 32
) -> partial:
    """Rendering of trajectories that are simulated before."""
    return partial(render, system, simulating(system, num, length)().q_noisy, size)


def steps(cores: Sequence[int]) -> Iterator[tuple[Point, Callable[[], object]]]:
    """Training steps of HGN, larger in one way at a time."""
    for name, values in (GROWN | {"threads": cores}).items():
        grows = {"threads": "cores"}.get(name, name).removeprefix("num_")
        for what, step in STEPS.items():
            for value in values if name in step else ():
                point = (grows.replace("_", " "), what, value)
                yield point, training_step(**step | {name: value})


def training_step(
    *, batch_size: int, threads: int, **options: Any
) -> Callable[[], None]:
    """Loss and gradients of a new model on random frames."""
    torch.manual_seed(0)
    model = HGN(**options)
    size = options["image_size"]
    videos = torch.rand(batch_size, options["num_frames"], 3, size, size)

    def step() -> None:
        torch.set_num_threads(threads)
        model.zero_grad()
        model.loss(videos, 0)["loss"].backward()

    return step


def side_by_side(num_jobs: int, rounds: int) -> list[float]:
    """Seconds of a training step in processes that run at the same time."""
    context = multiprocessing.get_context("spawn")
    together = context.Barrier(num_jobs)
    with ProcessPoolExecutor(
        num_jobs, mp_context=context, initializer=_meet, initargs=(together,)
    ) as processes:
        jobs = [processes.submit(_steps, rounds) for _ in range(num_jobs)]
        return [seconds for job in jobs for seconds in job.result()]


def _meet(barrier: Any) -> None:
    global together
    together = barrier


def _steps(rounds: int) -> list[float]:
    choose_device("cpu", 1)
    step = training_step(**STEPS["HGN (leapfrog)"])
    step()
    together.wait()  # nobody is measured alone
    return [seconds for _, seconds in measure_in_turn({("step",): step}, rounds)]


if __name__ == "__main__":
    run(main)
