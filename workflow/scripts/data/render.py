"""Rule render: draw the noisy trajectories of one split as videos."""

from pathlib import Path

from hgnpipe.data.videos import count_trajectories, render_videos
from hgnpipe.files.whole import check_writable
from hgnpipe.runtime.command import run
from hgnpipe.runtime.progress import Progress


def main(trajectories: Path, image_size: int, output: Path) -> None:
    """Render videos.

    Args:
        trajectories: HDF5 file of rule simulate.
        image_size: Height and width in pixels.
        output: HDF5 file to write.
    """
    check_writable(output)
    num = count_trajectories(trajectories)
    with Progress(f"render {output.parent.name} {output.stem}", num, " videos") as bar:
        for count in render_videos(trajectories, output, image_size):
            bar.advance(count)


if __name__ == "__main__":
    run(main)
