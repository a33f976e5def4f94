"""Rule train: fit one model to the videos of one system."""

from functools import partial
from pathlib import Path

from torch import nn

from hgnpipe.data.videos import described_system, open_videos
from hgnpipe.models import MODELS, build_model, complete_options, save_model
from hgnpipe.runtime.command import run
from hgnpipe.runtime.device import choose_device
from hgnpipe.runtime.explained import families_help
from hgnpipe.training.batches import VideoBatches
from hgnpipe.training.job import Recipe, TrainingJob
from hgnpipe.training.options import TrainingOptions, read_training
from hgnpipe.training.prior import learn_prior
from hgnpipe.training.starts import start_seed


def main(
    videos: Path,
    model: Recipe,
    num_frames: int,
    seed: int,
    output: Path,
    checkpoint: Path,
    device: str = "auto",
    threads: int = 1,
    precision: str = "fp32",
    reproducible: bool = False,
    code: str = "",
    graphs: bool = True,
) -> None:
    """Train a model and write it, its history, and where it came from.

    Args:
        videos: Training videos, HDF5.
        model: Its ``family``, the ``options`` of its constructor, and ``training``,
            which is `hgnpipe.training.options.TrainingOptions`.
        num_frames: Frames of the videos that the model is to be shown later; those
            that it trains on may have more.
        seed: Seed of weights, order of the data, and noise.
        output: Folder to write model.safetensors, history.csv and run.json into.
        checkpoint: File to resume from and to save to; removed at the end.
        device: auto, cpu or cuda.
        threads: Processor cores to use.
        precision: fp32 or tf32, see `hgnpipe.runtime.device.choose_device`.
        reproducible: Same bits every time, also on a GPU.
        code: Fingerprint of the code; a checkpoint of other code is not resumed.
        graphs: Whether a GPU records iterations once and replays them.
    """
    chosen = choose_device(device, threads, precision, reproducible, training=True)
    job = TrainingJob(
        output / "model.safetensors",
        checkpoint,
        seed,
        chosen,
        threads,
        precision,
        code,
        graphs,
    )
    family, training = model["family"], read_training(model["training"])
    data = open_videos(videos)
    options = complete_options(
        family,
        model["options"],
        num_frames=num_frames,
        image_size=data.frames.shape[2],
        latent_size=2 * described_system(data.attributes).num_coordinates,
    )
    MODELS.check(family, options)
    origin = {k: str(v) for k, v in data.attributes.items() if k != "versions"}

    def network(number: int) -> nn.Module:
        weights = start_seed(seed, number)
        return build_model(family, seed=weights, **options).to(chosen)

    job.train(
        network(0),
        VideoBatches(data.frames),
        training,
        family=family,
        options=options,
        origin={"data": origin, "shape": list(data.frames.shape)},
        save=save_model,
        other=network,
        finish=partial(learn_prior, frames=data.frames, seed=seed),
    )


if __name__ == "__main__":
    run(main, more=lambda: families_help(MODELS.all(), TrainingOptions))
