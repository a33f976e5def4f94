"""Rule benchmark_step: a training step of HGN, as it is and as first written."""

import itertools
import multiprocessing
import tempfile
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import pandas as pd
import torch

from hgnpipe.data.rendering import render
from hgnpipe.data.simulation import simulate
from hgnpipe.data.videos import open_videos, render_videos, save_trajectories
from hgnpipe.files.csv import write_csv
from hgnpipe.files.whole import check_writable
from hgnpipe.models.hgn import HGN
from hgnpipe.runtime.command import run
from hgnpipe.runtime.device import choose_device
from hgnpipe.runtime.progress import Progress
from hgnpipe.runtime.provenance import peak_memory_mb
from hgnpipe.runtime.timing import Operations, measure_in_turn, with_place
from hgnpipe.systems import build_system
from hgnpipe.training.batches import VideoBatches, to_pixels
from naive_hgn import naive_loss

VARIANTS = {
    "naive": "as first written",
    "naive_tuned": "the same, with channels last and freed memory kept",
    "fast": "as it trains",
    "batch": "drawing the batch of one step from the file of videos",
    "product": "product of two matrices: what the machine can do",
}
VIDEOS, MATRIX = 200, 2048
"""Number of videos in the file, and side of the matrices."""


def main(
    batch_size: int,
    num_frames: int,
    image_size: int,
    num_filters: int,
    steps: int,
    rounds: int,
    output: Path,
    threads: int = 1,
) -> None:
    """Time all variants in turn, again and again, each time in a process of its own.

    Args:
        batch_size: Videos per step.
        num_frames: Frames per video.
        image_size: Height and width in pixels.
        num_filters: Width of the networks.
        steps: Steps that are timed in one process, after one that is not.
        rounds: Processes per variant.
        output: Table to write, CSV: medians over all steps, ratios, and operations.
        threads: Processor cores to use.
    """
    check_writable(output)
    sizes = {
        "batch_size": batch_size,
        "num_frames": num_frames,
        "image_size": image_size,
        "num_filters": num_filters,
    }
    spawn, rows = multiprocessing.get_context("spawn"), []
    with Progress("benchmark_step", rounds * len(VARIANTS), " processes") as bar:
        for variant in [*VARIANTS] * rounds:
            with ProcessPoolExecutor(1, mp_context=spawn) as process:
                job = process.submit(measure, variant, sizes, steps, threads)
                rows += job.result()
            bar.advance()
    table = pd.DataFrame(rows).groupby("variant", sort=False).median()
    table["ratio_to_naive"] = table.seconds["naive"] / table.seconds
    table["share_of_step"] = table.seconds / table.seconds["fast"]
    table["gflop"] = [operations(variant, sizes) / 1e9 for variant in table.index]
    table["gflop_per_s"] = table.gflop / table.seconds
    table.insert(0, "what", pd.Series(VARIANTS))
    table = table.assign(**sizes, measured=steps * rounds)
    table = with_place(table, torch.device("cpu"), threads)
    write_csv(table.reset_index(), output, float_format="%.4g")


def measure(
    variant: str, sizes: dict[str, int], steps: int, threads: int
) -> list[dict[str, object]]:
    """Steps of one variant in this process: seconds each, and peak memory."""
    if variant == "naive":
        torch.set_num_threads(threads)
    else:
        choose_device("cpu", threads)
    with tempfile.TemporaryDirectory() as folder:
        work = work_of(variant, Path(folder), sizes)
        seconds = [s for _, s in measure_in_turn({(variant,): work}, steps)]
    row = {"variant": variant, "peak_memory_mb": peak_memory_mb()}
    return [{**row, "seconds": one} for one in seconds]


def operations(variant: str, sizes: dict[str, int]) -> int:
    """Floating-point operations of one step."""
    if variant == "batch":
        return 0
    work = work_of(variant, Path(), sizes)
    with Operations() as counted:
        work()
    return counted.total


def work_of(variant: str, folder: Path, sizes: dict[str, int]) -> Callable[[], object]:
    """What is measured of one variant."""
    if variant == "batch":
        return drawing(folder, *list(sizes.values())[:3])
    if variant == "product":
        return partial(torch.mm, torch.rand(MATRIX, MATRIX), torch.rand(MATRIX, MATRIX))
    return training_step(variant, **sizes)


def drawing(
    folder: Path, batch_size: int, num_frames: int, image_size: int
) -> Callable[[], object]:
    """Draw one batch after the other from a file."""
    system = build_system("pendulum")
    motion = simulate(system, VIDEOS, num_frames, seed=0)
    paths = folder / "trajectories.h5", folder / "videos.h5"
    labels = {"name": "pendulum", "system": system, "seed": 0, "split": "train"}
    save_trajectories(paths[0], motion, **labels)
    list(render_videos(*paths, image_size))
    data = VideoBatches(open_videos(paths[1]).frames)
    model = HGN(num_frames=num_frames, image_size=image_size, num_filters=2)
    iterations, device = itertools.count(), torch.device("cpu")
    return lambda: data.draw(model, batch_size, 0, next(iterations), device)


def training_step(
    variant: str, batch_size: int, num_frames: int, image_size: int, num_filters: int
) -> Callable[[], None]:
    """Loss, gradients and update of a new model, on videos of pendulums."""
    torch.manual_seed(0)
    system = build_system("pendulum")
    motion = simulate(system, batch_size, num_frames, seed=0)
    frames = to_pixels(render(system, motion.q_noisy, image_size), torch.device("cpu"))
    sizes = {"image_size": image_size, "num_filters": num_filters}
    model = HGN(num_frames=num_frames, **sizes, gradient_rms=1.5)
    if variant == "naive":
        model.to(memory_format=torch.contiguous_format)
    fast = variant == "fast"
    optimizer = torch.optim.Adam(model.parameters(), lr=1.5e-4, fused=fast)

    def step() -> None:
        optimizer.zero_grad(set_to_none=True)
        loss = model.loss(frames, 0)["loss"] if fast else naive_loss(model, frames)
        loss.backward()
        optimizer.step()

    return step


if __name__ == "__main__":
    run(main)
