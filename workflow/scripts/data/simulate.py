"""Rule simulate: solve the motion of one system for one split."""

from pathlib import Path

from hgnpipe.data.simulation import simulate
from hgnpipe.data.videos import save_trajectories
from hgnpipe.files.whole import check_writable
from hgnpipe.runtime.command import run
from hgnpipe.runtime.device import choose_device
from hgnpipe.runtime.progress import Progress
from hgnpipe.systems import build_system


def main(
    kind: str,
    options: dict,
    num: int,
    num_frames: int,
    seed: int,
    split: str,
    output: Path,
    num_before: int = 0,
    threads: int = 1,
) -> None:
    """Simulate trajectories of one system.

    Args:
        kind: Name in `hgnpipe.systems.SYSTEMS`.
        options: Options of the system.
        num: Number of trajectories.
        num_frames: Frames per trajectory.
        seed: Seed of the data.
        split: train, test or long: independent draws.
        output: HDF5 file to write.
        num_before: Frames of these before the initial state.
        threads: Processor cores to use.
    """
    check_writable(output)
    choose_device("cpu", threads)
    system = build_system(kind, **options)
    with Progress(f"simulate {kind} {split}", num, " trajectories") as progress:
        trajectories = simulate(
            system, num, num_frames, seed, split, progress.advance, num_before
        )
    save_trajectories(
        output, trajectories, name=kind, system=system, seed=seed, split=split
    )


if __name__ == "__main__":
    run(main)
