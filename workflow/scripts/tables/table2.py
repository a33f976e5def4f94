"""Rule table2: how well learned energies are conserved, beside the paper's table."""

from pathlib import Path

from hgnpipe.evaluation.kept import load_errors
from hgnpipe.reporting.pages import write_table
from hgnpipe.reporting.runs import by_run
from hgnpipe.reporting.table2 import (
    STILL,
    layout2,
    read_published_variances,
    table2,
)
from hgnpipe.runtime.command import run

CAPTION = (
    "Table 2 ({preset} preset). Variance over time of the learned Hamiltonian along a "
    "single train or test rollout, that of Fig. 6, multiplied by 1e4. All: mean ± "
    "standard deviation of the same over all evaluated rollouts. A learned energy has "
    "an arbitrary scale: compare models by the relative variance, mean variance over "
    "time divided by the variance of the energy across trajectories; far below 1, the "
    "energy is conserved. N/A: the model stands still and has nothing to conserve: its "
    "frames move less than {threshold:g} of what the true ones do (mean squared "
    "difference from the first frame of a video, mean over all evaluated rollouts). "
    "No energy: the model has none. "
    "Paper: the figures that it prints."
)


def main(
    errors: list[Path],
    published: Path,
    labels: dict,
    systems: list[str],
    example: int,
    preset: str,
    output: list[Path],
) -> None:
    """Write Table 2 as data and as pages.

    Args:
        errors: Errors and energies of every run, from rule evaluate, HDF5.
        published: The paper's Table 2 as CSV.
        labels: Names of the models, in the order of the rows.
        systems: Names of the systems, in the order of the columns.
        example: Index of the single rollout.
        preset: Name of the preset, said in all files.
        output: Files to write, told apart by what they end in: .csv, .md, .html.
    """
    found = {one: load_errors(path) for one, path in by_run(errors).items()}
    known = read_published_variances(published)
    table = table2(found, known, labels, example, systems)
    caption = CAPTION.format(preset=preset, threshold=STILL)
    pages = {"": layout2(table, systems)}
    # What the paper does not have is empty: with it, N/A means a model without motion.
    table = table.fillna({"published_variance_x1e4": ""})
    write_table(table, pages, [caption], "Table 2", output, preset=preset)


if __name__ == "__main__":
    run(main)
