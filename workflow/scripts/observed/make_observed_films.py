"""Rule make_observed_films: what a model makes of videos from elsewhere."""

from pathlib import Path

import numpy as np
import torch

from hgnpipe.collection import require
from hgnpipe.data.videos import open_videos
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
        videos: Videos of each split, HDF5; their true past is not known.
        example: Index of the video of each split.
        num_samples: Videos to sample, if the model has a prior.
        output: HDF5 file to write.
        device: auto, cpu or cuda.
        threads: Processor cores to use.
    """
    require(example >= 0, "example", example, "zero or positive")
    check_writable(output)
    seed = run_of(model_path).seed
    model = load_model(model_path, choose_device(device, threads))
    films = {}
    for path in videos:
        shown = open_videos(path, example + 1)
        have = len(shown.frames)
        require(example < have, "example", example, f"between 0 and {have - 1}")
        observed = np.array(shown.frames[example])
        film = make_film(model, observed, past=observed)
        # What happened before, nobody knows.
        films[str(shown.attributes["split"])] = film._replace(past=observed[:0])
    generator = torch.Generator(next(model.parameters()).device).manual_seed(seed)
    num_steps = len(observed) - 1
    save_films(output, films, sample_videos(model, num_samples, num_steps, generator))


if __name__ == "__main__":
    run(main)
