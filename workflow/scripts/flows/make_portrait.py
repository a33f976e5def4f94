"""Rule make_portrait: sample a trained flow and evaluate what figures show of it."""

from pathlib import Path

from hgnpipe.data.points import load_points
from hgnpipe.evaluation.kept import save_portrait
from hgnpipe.evaluation.portraits import make_portrait
from hgnpipe.files.whole import check_writable
from hgnpipe.flows import load_flow
from hgnpipe.reporting.runs import run_of
from hgnpipe.runtime.command import run
from hgnpipe.runtime.device import choose_device


def main(
    flow_path: Path,
    points: Path,
    num_samples: int,
    grid_size: int,
    num_importance_samples: int,
    output: Path,
    device: str = "auto",
    threads: int = 1,
) -> None:
    """Write the portrait of a flow in two dimensions.

    Args:
        flow_path: Trained flow, ``.../{density}/{model}/seed{seed}/...``; its seed is
            that of all randomness.
        points: Points of the density, HDF5.
        num_samples: Draws from the flow.
        grid_size: Points along one side of the grids of density and energies.
        num_importance_samples: Samples per point of the density.
        output: Portrait to write, HDF5.
        device: auto, cpu or cuda.
        threads: Processor cores to use.
    """
    check_writable(output)
    seed = run_of(flow_path).seed
    flow = load_flow(flow_path, choose_device(device, threads))
    data, _ = load_points(points)
    portrait = make_portrait(
        flow,
        data.test,
        num_samples=num_samples,
        grid_size=grid_size,
        num_importance_samples=num_importance_samples,
        seed=seed,
    )
    save_portrait(output, portrait)


if __name__ == "__main__":
    run(main)
