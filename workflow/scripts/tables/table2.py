"""Rule table2: how well learned energies are conserved, beside the paper's table."""

from pathlib import Path

from hgnpipe.evaluation.errors import load_errors
from hgnpipe.files.whole import written_whole
from hgnpipe.reporting.runs import by_run
from hgnpipe.reporting.table1 import write_pages
from hgnpipe.reporting.table2 import (
    COLLAPSED,
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
    "energy is conserved. N/A: the Hamiltonian collapsed, that is, its variance across "
    "trajectories is below {threshold:g}. Paper: the figures that it prints."
)


def main(
    rollouts: list[Path],
    published: Path,
    labels: dict,
    example: int,
    preset: str,
    csv: Path,
    markdown: Path,
    html: Path,
) -> None:
    """Write Table 2 as data, Markdown and HTML.

    Args:
        rollouts: Errors of every run, from rule evaluate.
        published: The paper's Table 2 as CSV.
        labels: Names of the models, in the order of the rows.
        example: Index of the single rollout.
        preset: Name of the preset, for the caption.
        csv: Tidy table to write.
        markdown: Laid-out table to write.
        html: Laid-out table to write.
    """
    scores = {run: load_errors(path) for run, path in by_run(rollouts).items()}
    table = table2(scores, read_published_variances(published), labels, example)
    pages = layout2(table)
    # What the paper does not have is empty: with it, N/A means a collapsed model.
    table = table.fillna({"published_variance_x1e4": ""})
    with written_whole(csv) as path:
        table.to_csv(path, index=False, float_format="%.6g", na_rep="N/A")
    caption = CAPTION.format(preset=preset, threshold=COLLAPSED)
    write_pages(pages, caption, "Table 2", markdown, html)


if __name__ == "__main__":
    run(main)
