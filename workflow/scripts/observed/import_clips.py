"""Rule import_clips: test videos with the frames before and after what models see."""

from pathlib import Path

from hgnpipe.data.observed import cut_clips, recordings, save_clips
from hgnpipe.files.whole import check_writable
from hgnpipe.reporting.runs import system_of
from hgnpipe.runtime.command import run
from hgnpipe.systems import build_system


def main(
    kind: str,
    options: dict,
    num_frames: int,
    num_before: int,
    horizons: list[int],
    num: int,
    image_size: int,
    seed: int,
    output: Path,
) -> None:
    """Read test videos, and cut them with as much around the windows as there is.

    Args:
        kind: Name in `hgnpipe.systems.SYSTEMS`, of videos that were made elsewhere.
        options: Its options.
        num_frames: Frames of the window that models see.
        num_before: Frames before it, if all videos are so long.
        horizons: Frames after it: the longest of them that all videos have.
        num: Clips to cut, at most.
        image_size: Height and width in pixels.
        seed: Fixes which videos are held out, where a share of them is.
        output: HDF5 file to write, ``.../{system}/...``.
    """
    check_writable(output)
    system = build_system(kind, **options)
    try:
        found = recordings(system, "test", image_size, seed)
        clips = cut_clips(found, system, num_frames, num_before, horizons, num)
    except ValueError as error:
        raise ValueError(f"systems.{system_of(output)} (test): {error}") from error
    after = clips.frames.shape[1] - clips.start - num_frames
    print(f"{len(clips.frames)} clips: {clips.start} frames before, {after} after.")
    save_clips(output, clips)


if __name__ == "__main__":
    run(main)
