"""Rule train_flow: fit one flow to the points of one density."""

from pathlib import Path

from torch import nn

from hgnpipe.collection import require
from hgnpipe.data.points import load_points
from hgnpipe.evaluation.likelihood import watched_likelihood
from hgnpipe.flows import FLOWS, build_flow, save_flow
from hgnpipe.runtime.command import run
from hgnpipe.runtime.device import choose_device
from hgnpipe.runtime.explained import families_help
from hgnpipe.training.batches import PointBatches
from hgnpipe.training.job import FlowRecipe, TrainingJob
from hgnpipe.training.options import TrainingOptions, read_training
from hgnpipe.training.starts import start_seed

WATCH_SEED = 0
"""Every row of every history uses the same importance samples: curves are smooth."""


def main(
    points: Path,
    flow: FlowRecipe,
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
    """Train a flow and write it, its history, and where it came from.

    The history holds ``held_out`` and ``held_out_bound``, the negative log-likelihood
    of validation points and its bound, and how many of these points have no density;
    the flow that is kept is the one of the row where the first was lowest.

    Args:
        points: Points of the density, HDF5.
        flow: Its ``family``; the ``options`` of its constructor but for the dimension,
            which is that of the points; ``training``, which is
            `hgnpipe.training.options.TrainingOptions`; and ``watched``, the
            ``num_points`` and ``num_importance_samples`` of the evaluation in a row of
            the history.
        seed: Seed of weights, order of the data, and noise.
        output: Folder to write flow.safetensors, history.csv and run.json into.
        checkpoint: File to resume from and to save to; removed at the end.
        device: auto, cpu or cuda.
        threads: Processor cores to use.
        precision: fp32 or tf32, see `hgnpipe.runtime.device.choose_device`.
        reproducible: Same bits every time, also on a GPU.
        code: Fingerprint of the code; a checkpoint of other code is not resumed.
        graphs: Whether a GPU records iterations once and replays them.
    """
    num_points = flow["watched"]["num_points"]
    samples = flow["watched"]["num_importance_samples"]
    require(num_points >= 2, "num_points", num_points, "2 or more")
    require(samples >= 1, "num_importance_samples", samples, "1 or more")
    chosen = choose_device(device, threads, precision, reproducible, training=True)
    job = TrainingJob(
        output / "flow.safetensors",
        checkpoint,
        seed,
        chosen,
        threads,
        precision,
        code,
        graphs,
    )
    family, training = flow["family"], read_training(flow["training"])
    data, origin = load_points(points)
    options = {"num_dims": data.train.shape[1], **flow["options"]}
    FLOWS.check(family, options)

    def other(number: int) -> nn.Module:
        weights = start_seed(seed, number)
        return build_flow(family, seed=weights, **options).to(chosen)

    network = other(0)
    watched = data.validation[:num_points]

    def probe() -> dict[str, float]:
        return watched_likelihood(network, watched, samples, WATCH_SEED)

    job.train(
        network,
        PointBatches(data.train),
        training,
        family=family,
        options=options,
        origin={"data": origin, "watched": [len(watched), samples]},
        save=save_flow,
        probe=probe,
        keep_best="held_out",
        other=other,
    )


if __name__ == "__main__":
    run(main, more=lambda: families_help(FLOWS.all(), TrainingOptions))
