"""Rule table1: the errors of all models on all systems, beside the paper's."""

from pathlib import Path

from hgnpipe.files.whole import written_whole
from hgnpipe.reporting.table1 import (
    layout,
    read_metrics,
    read_published,
    table1,
    write_pages,
)
from hgnpipe.runtime.command import run

CAPTION = (
    "Table 1 ({preset} preset). Average pixel MSE over the rollout, mean ± standard "
    "deviation over trajectories, all multiplied by 1e4. Mean image: predict the "
    "mean training image, what a collapsed model gets. Noise floor: half the MSE "
    "between two observations of the same motion, what a perfect rollout gets. Skill = "
    "1 - (MSE - floor) / (mean image - floor): 0 is collapsed, 1 is perfect. Seeds ±: "
    "standard deviation over the means of the training seeds, where there are several. "
    "Paper: the figures that it prints, from its own, different, videos."
)


def main(
    metrics: list[Path],
    published: Path,
    labels: dict,
    preset: str,
    csv: Path,
    markdown: Path,
    html: Path,
) -> None:
    """Write Table 1 as data, Markdown and HTML.

    Args:
        metrics: Tables of rules evaluate and evaluate_references.
        published: The paper's Table 1 as CSV.
        labels: Names of the models, in the order of the rows.
        preset: Name of the preset, for the caption.
        csv: Tidy table to write.
        markdown: Laid-out table to write.
        html: Laid-out table to write.
    """
    table = table1(read_metrics(metrics), read_published(published), labels)
    with written_whole(csv) as path:
        table.to_csv(path, index=False, float_format="%.6g")
    caption = CAPTION.format(preset=preset)
    write_pages(layout(table), caption, "Table 1", markdown, html)


if __name__ == "__main__":
    run(main)
