"""Rule table1: the errors of all models on all systems, beside the paper's."""

from pathlib import Path

from hgnpipe.reporting.pages import write_table
from hgnpipe.reporting.runs import system_label
from hgnpipe.reporting.table1 import (
    layout1,
    read_errors,
    read_published,
    table1,
    without_truth,
)
from hgnpipe.runtime.command import run

CAPTION = (
    "Table 1 ({preset} preset). Average pixel MSE over the rollout, mean ± standard "
    "deviation over trajectories, all multiplied by 1e4. Mean image: predict the "
    "mean training image, what a collapsed model gets. Noise floor: half the MSE "
    "between two observations of the same motion, what the best prediction without "
    "knowledge of the noise gets, which is blurred. True video: predict the true "
    "frames, sharp and without noise; it gets more than the floor. Skill = 1 - (MSE "
    "- floor) / (mean image - floor): 0 is collapsed, 1 the floor; a skill above "
    "that of the true video says that a prediction is blurred or has the noise in "
    "it, not that it is better than the truth. Clean: MSE against frames without "
    "noise; of all rows it is in the table as data. Seeds ±: standard deviation "
    "over the means of the training seeds, where there are several. Paper: the "
    "figures that it prints, from its own, different, videos."
)

UNKNOWN = (
    "N/A: of the videos of {systems}, which were not made here, nobody knows the noise "
    "or the true frames; errors there have no skill, compare them with the mean image."
)


def main(
    errors: list[Path],
    published: Path,
    labels: dict,
    systems: list[str],
    preset: str,
    output: list[Path],
) -> None:
    """Write Table 1 as data and as pages.

    Args:
        errors: Tables of rules evaluate and evaluate_references, CSV.
        published: The paper's Table 1 as CSV.
        labels: Names of the models, in the order of the rows.
        systems: Names of the systems, in the order of the columns.
        preset: Name of the preset, said in all files.
        output: Files to write, told apart by what they end in: .csv, .md, .html.
    """
    table = table1(read_errors(errors), read_published(published), labels, systems)
    captions = [CAPTION.format(preset=preset)]
    if unknown := without_truth(table):
        captions.append(UNKNOWN.format(systems=", ".join(map(system_label, unknown))))
    write_table(
        table,
        {"": layout1(table, systems)},
        captions,
        "Table 1",
        output,
        preset=preset,
    )


if __name__ == "__main__":
    run(main)
