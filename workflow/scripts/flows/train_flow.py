"""Rule train_flow: fit one flow to the points of one target."""

from pathlib import Path

from hgnpipe.collection import require
from hgnpipe.data.points import load_points
from hgnpipe.evaluation.likelihood import held_out_log_density
from hgnpipe.files.whole import check_writable
from hgnpipe.flows import FLOWS, build_flow, save_flow
from hgnpipe.runtime.command import run
from hgnpipe.runtime.device import choose_device
from hgnpipe.training.batches import PointBatches
from hgnpipe.training.job import TrainingJob
from hgnpipe.training.loop import read_training

WATCH_SEED = 0
"""Every row of every history uses the same importance samples: curves are smooth."""


def main(
    points: Path,
    family: str,
    options: dict,
    training: dict,
    num_watched: int,
    num_importance_samples: int,
    seed: int,
    checkpoint: Path,
    flow_path: Path,
    history_path: Path,
    run_path: Path,
    device: str = "auto",
    threads: int = 1,
    precision: str = "fp32",
    reproducible: bool = False,
    code: str = "",
    label: str = "",
) -> None:
    """Train a flow and write it, its history, and where it came from.

    The history holds ``held_out`` and ``held_out_bound``, the negative log-likelihood
    of validation points and its bound; the flow that is kept is the one of the row
    where the former was lowest.

    Args:
        points: Points of the target, HDF5.
        family: Family of the flow.
        options: Constructor arguments of the flow; its dimension is that of the points.
        training: `hgnpipe.training.loop.TrainingOptions`.
        num_watched: Validation points to evaluate at every row of the history.
        num_importance_samples: Importance samples of that evaluation.
        seed: Seed of weights, order of the data, and noise.
        checkpoint: File to resume from and to save to; removed at the end.
        flow_path: Trained flow to write, safetensors.
        history_path: Training curves to write, CSV.
        run_path: Provenance to write, JSON.
        device: auto, cpu or cuda.
        threads: Processor cores to use.
        precision: fp32 or tf32, see `hgnpipe.runtime.device.choose_device`.
        reproducible: Same bits every time, also on a GPU.
        code: Fingerprint of the code; a checkpoint of other code is not resumed.
        label: Name in the progress lines.
    """
    require(num_watched >= 2, "num_watched", num_watched, "2 or more")
    samples = num_importance_samples
    require(samples >= 1, "num_importance_samples", samples, "1 or more")
    check_writable(checkpoint, flow_path, history_path, run_path)
    chosen = choose_device(device, threads, precision, reproducible)
    how = read_training(training)
    data, origin = load_points(points)
    options = {"num_dims": data.train.shape[1], **options}
    FLOWS.check(family, options)
    flow = build_flow(family, seed=seed, **options).to(chosen)
    watched = data.validation[:num_watched]

    def probe() -> dict[str, float]:
        bound, estimate = held_out_log_density(
            flow, watched, num_importance_samples, WATCH_SEED
        )
        return {"held_out_bound": -bound.mean(), "held_out": -estimate.mean()}

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
        flow,
        PointBatches(data.train),
        how,
        identity={
            "family": family,
            "flow": options,
            "data": origin,
            "watched": [len(watched), num_importance_samples],
        },
        save=lambda origin: save_flow(
            flow, flow_path, family=family, options=options, provenance=origin
        ),
        probe=probe,
        keep_best="held_out",
    )


if __name__ == "__main__":
    run(main)
