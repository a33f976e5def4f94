"""Rule flow_costs: what a step, a sample and a density cost, of every flow."""

from collections.abc import Callable
from pathlib import Path

import torch

from hgnpipe.collection import lookup, require
from hgnpipe.files.csv import write_csv
from hgnpipe.files.whole import check_writable
from hgnpipe.flows import build_flow
from hgnpipe.flows.base import Flow
from hgnpipe.runtime.command import run
from hgnpipe.runtime.device import choose_device
from hgnpipe.runtime.progress import Progress
from hgnpipe.runtime.timing import measure_in_turn, median_seconds, with_place

NUM_DIMS = 2


def main(
    flows: dict,
    reference: str,
    num_points: int,
    num_importance_samples: int,
    repeats: int,
    output: Path,
    device: str = "auto",
    threads: int = 1,
) -> None:
    """Time all flows in turn, again and again, and write medians and ratios.

    The weights are untrained: what an evaluation costs does not depend on them.

    Args:
        flows: By name: ``family``, ``options`` and ``batch_size`` of the training.
        reference: The flow that ratios are relative to.
        num_points: Points per sample or density evaluation that is timed.
        num_importance_samples: Samples per point of the estimate that is timed.
        repeats: Rounds in which every flow is timed once.
        output: Table to write, CSV.
        device: auto, cpu or cuda.
        threads: Processor cores to use.
    """
    lookup("flow", reference, flows)
    counts = {"repeats": repeats, "num_importance_samples": num_importance_samples}
    for name, value in counts.items():
        require(value >= 1, name, value, "1 or more")
    check_writable(output)
    chosen = choose_device(device, threads)
    work = {}
    for name, block in flows.items():
        flow = build_flow(block["family"], num_dims=NUM_DIMS, **block["options"])
        sizes = block["batch_size"], num_points, num_importance_samples
        for task, job in tasks(flow.to(chosen), *sizes).items():
            work[name, task] = job
    with Progress("flow costs", repeats + 1, " rounds") as bar:
        rows = measure_in_turn(work, repeats, device=chosen, done=bar.advance)
    result = median_seconds(rows, ["model", "task"])
    result["milliseconds"] = 1000 * result.pop("seconds")
    base = result[result.model == reference].set_index("task").milliseconds
    base = base.reindex(result.task).to_numpy()
    result[f"ratio_to_{reference}"] = result.milliseconds / base
    result = with_place(result.assign(repeats=repeats), chosen, threads)
    write_csv(result, output, float_format="%.5g")


def tasks(
    flow: Flow, batch_size: int, num_points: int, num_importance_samples: int
) -> dict[str, Callable[[], object]]:
    """What is timed of one flow, by name."""
    like = next(flow.parameters())
    batch = torch.randn(batch_size, NUM_DIMS, device=like.device)
    points = torch.randn(num_points, NUM_DIMS, device=like.device)
    optimizer = torch.optim.Adam(flow.parameters(), lr=1e-12, fused=True)

    def train() -> None:
        optimizer.zero_grad(set_to_none=True)
        flow.loss(batch, 0)["loss"].backward()
        optimizer.step()

    def density(count: int) -> object:
        with torch.no_grad():
            return flow.log_density(points, count)

    measured = {
        f"training step, {batch_size} points": train,
        f"sample, {num_points} points": lambda: flow.sample(num_points),
        f"density, {num_points} points": lambda: density(1),
    }
    if not flow.exact:
        name = f"density with {num_importance_samples} samples, {num_points} points"
        measured[name] = lambda: density(num_importance_samples)
    return measured


if __name__ == "__main__":
    run(main)
