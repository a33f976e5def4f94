"""Rule sweep: the errors of the rows of a sweep, on all systems."""

from pathlib import Path

from hgnpipe.reporting.pages import write_table
from hgnpipe.reporting.runs import label_of
from hgnpipe.reporting.sweeps import layout_sweep, sweep_table
from hgnpipe.reporting.table1 import read_errors
from hgnpipe.runtime.command import run

CAPTION = (
    "Sweep of {row} ({preset} preset): rows that differ in the values named, and in "
    "nothing else. Average pixel MSE over the rollout, mean ± standard deviation over "
    "trajectories, all multiplied by 1e4; mean image, noise floor, skill, clean and "
    "seeds ± as in Table 1."
)


def main(
    errors: list[Path],
    rows: dict,
    labels: dict,
    systems: list[str],
    row: str,
    preset: str,
    output: list[Path],
) -> None:
    """Write the table of a sweep as data and as pages.

    Args:
        errors: Tables of rules evaluate and evaluate_references, CSV.
        rows: Value by option of every row of the sweep.
        labels: Names of the models.
        systems: Names of the systems, in the order of the columns.
        row: Name of the row that is swept.
        preset: Name of the preset, said in all files.
        output: Files to write, told apart by what they end in: .csv, .md, .html.
    """
    table = sweep_table(read_errors(errors), rows, labels, systems)
    laid_out = {"": layout_sweep(table, rows, systems)}
    caption = CAPTION.format(row=row, preset=preset)
    title = f"Sweep of {label_of(row, labels)}"
    write_table(table, laid_out, [caption], title, output, preset=preset)


if __name__ == "__main__":
    run(main)
