"""Rule train: fit one model to the videos of one system."""

import json
from pathlib import Path

from hgnpipe.data.videos import open_videos
from hgnpipe.files.whole import check_writable
from hgnpipe.models import MODELS, build_model, complete_options, save_model
from hgnpipe.runtime.command import run
from hgnpipe.runtime.device import choose_device
from hgnpipe.systems import build_system
from hgnpipe.training.batches import VideoBatches
from hgnpipe.training.job import TrainingJob
from hgnpipe.training.loop import read_training


def main(
    videos: Path,
    family: str,
    options: dict,
    training: dict,
    seed: int,
    checkpoint: Path,
    model_path: Path,
    history_path: Path,
    run_path: Path,
    device: str = "auto",
    threads: int = 1,
    precision: str = "fp32",
    reproducible: bool = False,
    code: str = "",
    label: str = "",
) -> None:
    """Train a model and write it, its history, and where it came from.

    Args:
        videos: Training videos, HDF5.
        family: Model family.
        options: Constructor arguments of the model.
        training: `hgnpipe.training.loop.TrainingOptions`.
        seed: Seed of weights, order of the data, and noise.
        checkpoint: File to resume from and to save to; removed at the end.
        model_path: Trained model to write, safetensors.
        history_path: Training curves to write, CSV.
        run_path: Provenance to write, JSON.
        device: auto, cpu or cuda.
        threads: Processor cores to use.
        precision: fp32 or tf32, see `hgnpipe.runtime.device.choose_device`.
        reproducible: Same bits every time, also on a GPU.
        code: Fingerprint of the code; a checkpoint of other code is not resumed.
        label: Name in the progress lines.
    """
    check_writable(checkpoint, model_path, history_path, run_path)
    chosen = choose_device(device, threads, precision, reproducible)
    how = read_training(training)
    data = open_videos(videos)
    made = json.loads(str(data.attributes["options"]))
    system = build_system(str(data.attributes["system"]), **made)
    options = complete_options(
        family,
        options,
        num_frames=data.frames.shape[1],
        image_size=data.frames.shape[2],
        latent_size=2 * system.num_coordinates,
    )
    MODELS.check(family, options)
    model = build_model(family, seed=seed, **options).to(chosen)
    TrainingJob(
        label=label or family,
        seed=seed,
        device=chosen,
        threads=threads,
        precision=precision,
        code=code,
        checkpoint=checkpoint,
        history_path=history_path,
        run_path=run_path,
    ).run(
        model,
        VideoBatches(data.frames),
        how,
        identity={
            "family": family,
            "model": options,
            "data": {k: str(v) for k, v in data.attributes.items() if k != "versions"},
            "shape": list(data.frames.shape),
        },
        save=lambda origin: save_model(
            model, model_path, family=family, options=options, provenance=origin
        ),
    )


if __name__ == "__main__":
    run(main)
