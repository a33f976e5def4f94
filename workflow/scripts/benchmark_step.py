"""Rule benchmark_step: a training step of HGN, as it is and as first written."""

import multiprocessing
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pandas as pd
import torch

from hgnpipe.batches import to_pixels
from hgnpipe.command import run
from hgnpipe.device import choose_device
from hgnpipe.files import check_writable, written_whole
from hgnpipe.models.hgn import HGN
from hgnpipe.naive import naive_loss
from hgnpipe.progress import Progress
from hgnpipe.provenance import peak_memory_mb, provenance
from hgnpipe.rendering import render
from hgnpipe.simulation import simulate
from hgnpipe.systems import build_system

VARIANTS = {
    "naive": "as first written",
    "naive_tuned": "the same, with channels last and freed memory kept",
    "fast": "as it trains",
}


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
        output: Table to write, CSV: medians over all steps, and ratios.
        threads: Processor cores to use.
    """
    check_writable(output)
    sizes = (batch_size, num_frames, image_size, num_filters)
    rows = []
    with Progress("benchmark_step", rounds * len(VARIANTS), " processes") as bar:
        for _ in range(rounds):
            for variant in VARIANTS:
                with ProcessPoolExecutor(
                    1, mp_context=multiprocessing.get_context("spawn")
                ) as process:
                    rows += process.submit(
                        measure, variant, sizes, steps, threads
                    ).result()
                bar.advance()
    table = pd.DataFrame(rows).groupby("variant", sort=False).median()
    table["ratio_to_naive"] = table.seconds["naive"] / table.seconds
    table.insert(0, "what", pd.Series(VARIANTS))
    place = provenance(torch.device("cpu"), threads)
    table = table.assign(
        batch_size=batch_size,
        num_frames=num_frames,
        image_size=image_size,
        num_filters=num_filters,
        measured=steps * rounds,
        **{key: place[key] for key in ("device", "threads", "torch", "python")},
    )
    with written_whole(output) as path:
        table.to_csv(path, float_format="%.4g")


def measure(
    variant: str, sizes: tuple[int, int, int, int], steps: int, threads: int
) -> list[dict[str, object]]:
    """Steps of one variant in this process: seconds each, and peak memory."""
    if variant == "naive":
        torch.set_num_threads(threads)
    else:
        choose_device("cpu", threads)
    step = training_step(variant, *sizes)
    step()
    seconds = []
    for _ in range(steps):
        start = time.perf_counter()
        step()
        seconds.append(time.perf_counter() - start)
    memory = peak_memory_mb()
    return [
        {"variant": variant, "seconds": s, "peak_memory_mb": memory} for s in seconds
    ]


def training_step(
    variant: str, batch_size: int, num_frames: int, image_size: int, num_filters: int
) -> Callable[[], None]:
    """Loss, gradients and update of a new model, on videos of pendulums."""
    torch.manual_seed(0)
    system = build_system("pendulum")
    motion = simulate(system, batch_size, num_frames, seed=0)
    videos = render(system, motion.q_noisy, image_size)
    frames = to_pixels(videos, torch.device("cpu"))
    model = HGN(
        num_frames=num_frames,
        image_size=image_size,
        num_filters=num_filters,
        gradient_rms=1.5,
    )
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
