"""Rule make_films: videos that a trained model makes, for Figs. 7 and 8."""

from pathlib import Path

import numpy as np
import torch

from hgnpipe.collection import require
from hgnpipe.data.extended import load_about
from hgnpipe.data.rendering import render
from hgnpipe.evaluation.films import make_film, sample_videos
from hgnpipe.evaluation.kept import save_films
from hgnpipe.files.whole import check_writable
from hgnpipe.models import load_model
from hgnpipe.reporting.runs import run_of
from hgnpipe.runtime.command import run
from hgnpipe.runtime.device import choose_device


def main(
    model_path: Path,
    videos: list[Path],
    motions: list[Path],
    example: int,
    num_samples: int,
    output: Path,
    device: str = "auto",
    threads: int = 1,
) -> None:
    """Let a model play one video of each split, and sample videos from its prior.

    Args:
        model_path: Trained model, ``.../{system}/{model}/seed{seed}/...``; its seed is
            that of the samples.
        videos: Videos of each split, HDF5.
        motions: The motion before and after them, in the same order.
        example: Index of the video of each split.
        num_samples: Videos to sample, if the model has a prior.
        output: HDF5 file to write.
        device: auto, cpu or cuda.
        threads: Processor cores to use.
    """
    require(example >= 0, "example", example, "zero or positive")
    check_writable(output)
    seed, num = run_of(model_path).seed, len(motions)
    model = load_model(model_path, choose_device(device, threads))
    require(num == len(videos), "number of motions", num, "that of videos")
    films = {}
    for path, motion in zip(videos, motions, strict=True):
        shown, system, true = load_about(path, motion, example + 1)
        frames = shown.frames
        have = min(len(frames), len(true.q))
        require(example < have, "example", example, f"between 0 and {have - 1}")
        if not true.exact[example]:
            print(f"{path}: the true past of video {example} is not exact.")
        length, size = frames.shape[1:3]
        past = true.q[example, : true.start + 1][::-1][:length]
        films[str(shown.attributes["split"])] = make_film(
            model, np.array(frames[example]), render(system, past, size)
        )
    generator = torch.Generator(next(model.parameters()).device).manual_seed(seed)
    save_films(output, films, sample_videos(model, num_samples, length - 1, generator))


if __name__ == "__main__":
    run(main)
