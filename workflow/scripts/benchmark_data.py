"""Rule benchmark_data: how fast systems are simulated and rendered on one core."""

import platform
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import numpy as np
import pandas as pd
import scipy
import torch

from hgnpipe.command import run
from hgnpipe.device import choose_device
from hgnpipe.files import written_whole
from hgnpipe.progress import Progress
from hgnpipe.rendering import render
from hgnpipe.simulation import simulate
from hgnpipe.systems import build_system

T = TypeVar("T")


def main(
    systems: list[str], num: int, num_frames: int, repeats: int, output: Path
) -> None:
    """Time simulation and rendering, every system in turn, several times over.

    Args:
        systems: Names of systems.
        num: Trajectories per measurement; a twentieth of them are rendered.
        num_frames: Frames per trajectory.
        repeats: Measurements of each; the first one of all is not counted.
        output: Table to write, CSV: medians, trajectories per second and core.
    """
    choose_device("cpu", 1)
    rows = []
    with Progress("benchmark", len(systems) * (repeats + 1), " rounds") as bar:
        for repeat in range(repeats + 1):
            for name in systems:
                system = build_system(name)
                seconds, motion = _timed(simulate, system, num, num_frames, repeat)
                rows.append((name, "simulate", 0, repeat, seconds, num))
                part = motion.q_noisy[: num // 20]
                for size in (32, 64):
                    seconds, _ = _timed(render, system, part, size)
                    rows.append((name, "render", size, repeat, seconds, len(part)))
                bar.advance()
    columns = ["system", "stage", "image_size", "repeat", "seconds", "num"]
    table = pd.DataFrame(rows, columns=columns).query("repeat > 0")
    keys = ["system", "stage", "image_size", "num"]
    medians = table.groupby(keys, sort=False).seconds.median().reset_index()
    medians["per_second"] = (medians.num / medians.seconds).round(1)
    medians["ms_each"] = (1000 * medians.seconds / medians.num).round(4)
    machine = f"{platform.machine()} {platform.processor()}".strip()
    medians["machine"] = f"{machine}, one thread"
    medians["versions"] = (
        f"python {platform.python_version()}, numpy {np.__version__}, "
        f"scipy {scipy.__version__}, torch {torch.__version__}"
    )
    with written_whole(output) as path:
        medians.to_csv(path, index=False)


def _timed(work: Callable[..., T], *arguments: object) -> tuple[float, T]:
    start = time.perf_counter()
    result = work(*arguments)
    return time.perf_counter() - start, result


if __name__ == "__main__":
    run(main)
