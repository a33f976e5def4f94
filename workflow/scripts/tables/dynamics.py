"""Rule dynamics: the measures of the dynamics of all models on all systems."""

from pathlib import Path

from hgnpipe.reporting.measures import (
    EXPLANATION,
    OBSERVED,
    layout_measures,
    read_measures,
    without_truth,
)
from hgnpipe.reporting.pages import write_table
from hgnpipe.reporting.runs import system_label
from hgnpipe.runtime.command import run


def main(
    measures: list[Path],
    labels: dict,
    systems: list[str],
    preset: str,
    output: list[Path],
) -> None:
    """Write the measures as data and as pages.

    Args:
        measures: Tables of rules measure_dynamics and measure_dynamics_references.
        labels: Names of the models, in the order of the columns.
        systems: Names of the systems, in the order of the tables.
        preset: Name of the preset, said in all files.
        output: Files to write, told apart by what they end in: .csv, .md, .html.
    """
    table = read_measures(measures, labels, systems)
    tables = layout_measures(table)
    words = [text.format(preset=preset) for text in EXPLANATION]
    if unknown := without_truth(table):
        words.append(OBSERVED.format(systems=", ".join(map(system_label, unknown))))
    write_table(table, tables, words, "Measures of the dynamics", output, preset=preset)


if __name__ == "__main__":
    run(main)
