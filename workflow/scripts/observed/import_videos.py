"""Rule import_videos: cut videos that were not made here into those of one split."""

from pathlib import Path

from hgnpipe.collection import require
from hgnpipe.data.observed import cut_windows, recordings, save_windows
from hgnpipe.files.whole import check_writable
from hgnpipe.reporting.runs import system_of
from hgnpipe.runtime.command import run
from hgnpipe.systems import build_system


def main(
    kind: str,
    options: dict,
    num: int,
    num_frames: int,
    image_size: int,
    example: int,
    seed: int,
    split: str,
    output: Path,
) -> None:
    """Read videos, make them square and small, and cut them into windows.

    Args:
        kind: Name in `hgnpipe.systems.SYSTEMS`, of videos that were made elsewhere.
        options: Its options.
        num: Windows to take, at most; the first ones.
        num_frames: Frames of a window.
        image_size: Height and width in pixels.
        example: Index of the window that figures show: there must be one.
        seed: Fixes which videos are held out, where a share of them is.
        split: train, test or long; the last has longer windows of the first.
        output: HDF5 file to write, ``.../{system}/...``.
    """
    check_writable(output)
    name = f"systems.{system_of(output)} ({split})"
    try:
        system = build_system(kind, **options)
        found = recordings(system, split, image_size, seed)
        cut = cut_windows(found, system, num_frames, num)
        most = f"below {len(cut.frames)}, the number of windows"
        require(example < len(cut.frames), "evaluation.example", example, most)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from error
    short = f"; {cut.num_short} videos were too short" if cut.num_short else ""
    print(f"{name}: {len(cut.frames)} windows of {num_frames} frames{short}.")
    save_windows(output, system, kind, cut, seed, split)


if __name__ == "__main__":
    run(main)
