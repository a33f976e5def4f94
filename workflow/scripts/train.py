"""Rule train: fit one model to the videos of one system."""

import json
import time
from pathlib import Path

from hgnpipe.command import run
from hgnpipe.data import open_videos
from hgnpipe.device import choose_device
from hgnpipe.files import check_writable, written_whole
from hgnpipe.models import build_model, complete_options, family_class, save_model
from hgnpipe.progress import Progress
from hgnpipe.provenance import peak_memory_mb, provenance
from hgnpipe.registry import check_options
from hgnpipe.training import TrainingOptions, fit


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
    code: str = "",
    label: str = "",
) -> None:
    """Train a model and write it, its history, and where it came from.

    Args:
        videos: Training videos, HDF5.
        family: Model family.
        options: Constructor arguments of the model.
        training: `hgnpipe.training.TrainingOptions`.
        seed: Seed of weights, order of the data, and noise.
        checkpoint: File to resume from and to save to; removed at the end.
        model_path: Trained model to write, safetensors.
        history_path: Training curves to write, CSV.
        run_path: Provenance to write, JSON.
        device: auto, cpu or cuda.
        threads: Processor cores to use.
        code: Fingerprint of the code; a checkpoint of other code is not resumed.
        label: Name in the progress lines.
    """
    check_writable(checkpoint, model_path, history_path, run_path)
    chosen = choose_device(device, threads)
    check_options("training", TrainingOptions, training)
    how = TrainingOptions(**training)
    data = open_videos(videos)
    options = complete_options(family, options, *data.frames.shape[1:3])
    check_options(f"model family {family!r}", family_class(family), options)
    model = build_model(family, seed=seed, **options).to(chosen)
    origin = dict(provenance(chosen, threads), code=code, seed=seed, resumed_at=0)
    identity = {
        "family": family,
        "model": options,
        "code": code,
        "data": {k: str(v) for k, v in data.attributes.items() if k != "versions"},
        "shape": list(data.frames.shape),
    }
    start = time.perf_counter()
    with Progress(f"train {label or family}", how.num_iterations, "it", 5) as bar:

        def resumed(iteration: int) -> None:
            origin["resumed_at"] = iteration
            bar.resume(iteration)

        history = fit(
            model,
            data.frames,
            how,
            seed=seed,
            checkpoint=checkpoint,
            identity=identity,
            report=bar.show,
            resumed=resumed,
        )
    origin["wall_s"] = round(time.perf_counter() - start, 1)
    origin["peak_memory_mb"] = round(peak_memory_mb())
    save_model(model, model_path, family=family, options=options, provenance=origin)
    with written_whole(history_path) as path:
        history.to_csv(path, index=False)
    with written_whole(run_path) as path:
        path.write_text(json.dumps(origin, indent=2) + "\n")
    checkpoint.unlink(missing_ok=True)


if __name__ == "__main__":
    run(main)
