"""Rule readings: what readings of the paper are worth, a row each."""

from pathlib import Path

from hgnpipe.reporting.measures import read_measures
from hgnpipe.reporting.pages import write_table
from hgnpipe.reporting.readings import CAPTION, layout_readings, readings
from hgnpipe.reporting.runs import label_of
from hgnpipe.runtime.command import run


def main(
    measures: list[Path],
    labels: dict,
    systems: list[str],
    baseline: str,
    preset: str,
    output: list[Path],
) -> None:
    """Write the readings as data and as pages.

    Args:
        measures: Tables of rule measure_dynamics.
        labels: Names of the models, in the order of the rows.
        systems: Names of the systems, in the order of the tables.
        baseline: Model that the others are readings of: the first row.
        preset: Name of the preset, said in all files.
        output: Files to write, told apart by what they end in: .csv, .md, .html.
    """
    table = readings(read_measures(measures, labels, systems), baseline)
    words = CAPTION.format(preset=preset, baseline=label_of(baseline, labels))
    pages = layout_readings(table)
    write_table(table, pages, [words], "Readings of the paper", output, preset=preset)


if __name__ == "__main__":
    run(main)
