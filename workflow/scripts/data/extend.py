"""Rule extend: the motion before and after the frames of the first trajectories."""

from pathlib import Path

from hgnpipe.collection import require
from hgnpipe.data.extended import extend, save_motion
from hgnpipe.data.simulation import Trajectories
from hgnpipe.data.videos import load_trajectories
from hgnpipe.files.whole import check_writable
from hgnpipe.runtime.command import run
from hgnpipe.runtime.device import choose_device
from hgnpipe.runtime.progress import Progress


def main(
    trajectories: Path,
    num_trajectories: int,
    num_before: int,
    num_after: int,
    output: Path,
    threads: int = 1,
) -> None:
    """Solve the first trajectories of a file backwards and onwards.

    Args:
        trajectories: Trajectories of one split, HDF5.
        num_trajectories: How many of them, at most.
        num_before: Frames to add before each.
        num_after: Frames to add after each.
        output: HDF5 file to write.
        threads: Processor cores to use.
    """
    require(num_trajectories >= 1, "num_trajectories", num_trajectories, "1 or more")
    check_writable(output)
    choose_device("cpu", threads)
    system, known, attributes = load_trajectories(trajectories)
    t, *arrays = known
    known = Trajectories(t, *(values[:num_trajectories] for values in arrays))
    label = f"extend {attributes['system']} {attributes['split']}"
    with Progress(label, 2 * len(known.q), " solutions") as bar:
        motion = extend(system, known, num_before, num_after, bar.advance)
    if not motion.exact.all():
        print(f"{label}: {(~motion.exact).sum()} motions are not exact.")
    save_motion(output, motion, attributes)


if __name__ == "__main__":
    run(main)
