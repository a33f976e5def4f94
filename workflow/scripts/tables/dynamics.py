"""Rule dynamics: the measures of the dynamics of all models on all systems."""

from pathlib import Path

from hgnpipe.reporting.measures import EXPLANATION, layout_measures, read_measures
from hgnpipe.reporting.pages import write_table
from hgnpipe.reporting.runs import system_label
from hgnpipe.runtime.command import run


def main(measures: list[Path], labels: dict, preset: str, output: list[Path]) -> None:
    """Write the measures as data and as pages.

    Args:
        measures: Tables of rules measure_dynamics and measure_dynamics_references.
        labels: Names of the models, in the order of the columns.
        preset: Name of the preset, for the explanation.
        output: Files to write, told apart by what they end in: .csv, .md, .html.
    """
    table = read_measures(measures, labels)
    tables = {
        system_label(system): part for system, part in layout_measures(table).items()
    }
    words = [text.format(preset=preset) for text in EXPLANATION]
    write_table(table, tables, words, "Measures of the dynamics", output)


if __name__ == "__main__":
    run(main)
