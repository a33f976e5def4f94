"""Rule benchmark_data: how fast systems are simulated and rendered on one core."""

from functools import partial
from pathlib import Path

from hgnpipe.data.rendering import render
from hgnpipe.data.simulation import simulate
from hgnpipe.files.csv import write_csv
from hgnpipe.files.whole import check_writable
from hgnpipe.runtime.command import run
from hgnpipe.runtime.device import choose_device
from hgnpipe.runtime.progress import Progress
from hgnpipe.runtime.timing import measure_in_turn, median_seconds, with_place
from hgnpipe.systems import build_system


def main(
    systems: list[str], num: int, num_frames: int, repeats: int, output: Path
) -> None:
    """Time simulation and rendering, every system in turn, several times over.

    Args:
        systems: Names of systems.
        num: Trajectories per measurement; a twentieth of them are rendered.
        num_frames: Frames per trajectory.
        repeats: Measurements of each, after one that is not counted.
        output: Table to write, CSV: medians, trajectories per second and core.
    """
    check_writable(output)
    device = choose_device("cpu", 1)
    works = {}
    for name in systems:
        system = build_system(name)
        shown = simulate(system, num // 20, num_frames, 0).q_noisy
        works[name, "simulate", 0, num] = partial(simulate, system, num, num_frames, 0)
        for size in (32, 64):
            works[name, "render", size, num // 20] = partial(
                render, system, shown, size
            )
    with Progress("benchmark_data", repeats + 1, " rounds") as bar:
        rows = measure_in_turn(works, repeats, done=bar.advance)
    medians = median_seconds(rows, ["system", "stage", "image_size", "num"])
    medians["per_second"] = (medians.num / medians.seconds).round(1)
    medians["ms_each"] = (1000 * medians.seconds / medians.num).round(4)
    medians = with_place(medians.assign(measured=repeats), device, 1)
    write_csv(medians, output)


if __name__ == "__main__":
    run(main)
